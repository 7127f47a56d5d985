/* The systems of community teams and practices, which send care plan changes to POST /events; each thread is one
 * connection, and all share an outbox. */
#pragma once

#include "producers/simulator/credentials.h"
#include "producers/simulator/traffic.h"

struct care_team;

struct care_team *care_team_start(struct credentials *credentials, struct outbox *outbox, struct traffic *traffic);
/* Waits until the outbox is closed and all is answered, or traffic's give_up is raised. */
void care_team_end(struct care_team *team);
