/* A request to the broker that is asked again while it cannot be answered. */
#pragma once

#include "broker/client/client.h"

#include <stdatomic.h>

struct question {
    const char *method, *path;
    const char *idempotency_key; /* NULL: none */
    const char *position;        /* "Tidings-Position: ...", to see what was just made; NULL: none */
    struct view body;            /* JSON; NULL data: none */
    int patience_ms;             /* for an answer; 0: a minute */
};

/* As long as patience lasts, or until the flag is raised. OK with the status, 503 and 429 excepted; AGAIN: no answer in
 * time. */
enum result ask(struct client *client, const struct question *question, const atomic_bool *raised, int *ret_status,
                struct buffer *ret_body, struct error *err);
/* REJECTED, with what the answer says of why. */
enum result ask_refused(const struct question *question, int status, struct view body, struct error *err);
/* The last answer's Tidings-Position as a header to send back; to is reused. NULL: it has none. */
const char *ask_position(const struct client *client, struct buffer *to);
