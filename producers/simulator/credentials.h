/* A token of the simulator's own, for those of its organisations that send, or that listen; made with the operator's,
 * expiring, renewed while it is used. Any thread. */
#pragma once

#include "broker/client/client.h"

#include <stdatomic.h>
#include <stdint.h>

struct credentials;

/* role: "publisher", "subscriber". kept_ms: how long the run is, at most; 0: not known. Makes nothing yet. */
struct credentials *credentials_create(const char *url, const char *operator_token, const char *role, int patients,
                                       int64_t kept_ms, const atomic_bool *stop);
/* Another connection with a valid token. refused: the last one was refused (401). */
enum result credentials_client(struct credentials *credentials, bool refused, struct client **ret, struct error *err);
/* Ends the token. */
void credentials_end(struct credentials *credentials);
