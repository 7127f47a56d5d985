/*
 * Talks to a running broker as any other client would: HTTP by libcurl, MLLP by a socket. For the command line and the
 * simulator.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"
#include "broker/base/view.h"

#include <stdatomic.h>

struct client; /* one connection, kept alive; one thread */

/* url: "http://127.0.0.1:8080"; token: NULL or its text. */
enum result client_open(const char *url, const char *token, struct client **ret, struct error *err);
void client_close(struct client *client);

struct client_request {
    const char *method, *path; /* path with its query, already encoded */
    const char *content_type;  /* NULL: no body */
    struct view body;
    const char *idempotency_key; /* NULL: none */
    const char *headers[8];      /* "Name: value" */
    int timeout_ms;              /* 0: 30 s */
};
/* AGAIN: no connection, or it broke; the reason says where it tried. Otherwise OK with the status, whatever it is. */
enum result client_send(struct client *client, const struct client_request *request, int *ret_status,
                        struct buffer *ret_body, struct error *err);
/* The value of a header of the last answer; NULL: none. Lives until the next client_send. */
const char *client_answer_header(const struct client *client, const char *name);
/* Follows a live stream (text/event-stream): each is called for every event until it answers false, the stream ends
 * (AGAIN), or stop becomes true. id may be empty. */
enum result client_stream(struct client *client, const char *path, const char *last_event_id,
                          bool (*each)(void *context, struct view id, struct view event, struct view data),
                          void *context, const atomic_bool *stop, struct error *err);

/* ---- MLLP (release 1) ---- */

struct mllp_client;
enum result mllp_client_open(const char *address, struct mllp_client **ret, struct error *err); /* "127.0.0.1:2575" */
void mllp_client_close(struct mllp_client *client);
enum result mllp_client_write(struct mllp_client *client, struct view message, struct error *err);
/* The next acknowledgement, unframed; NOTHING after timeout_ms; AGAIN: the connection broke. */
enum result mllp_client_read(struct mllp_client *client, int timeout_ms, struct buffer *ret, struct error *err);
