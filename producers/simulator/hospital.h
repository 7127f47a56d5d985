/* A hospital's system: one MLLP connection, several messages in flight, each sent again until it is answered. */
#pragma once

#include "producers/simulator/traffic.h"

struct hospital;

/* Starts its thread. address: "127.0.0.1:2575". */
struct hospital *hospital_start(const char *address, struct outbox *outbox, struct traffic *traffic);
/* Waits until the outbox is closed and all is answered, or traffic's give_up is raised. */
void hospital_end(struct hospital *hospital);
