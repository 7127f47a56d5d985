/*
 * One request and what becomes of it. Inside this room only.
 *
 *   RECEIVING ──▶ WAITING ──▶ ANSWERED          the owner knows a request while it is WAITING or STREAMING
 *       │            └──────▶ STREAMING ──▶ ENDED
 *       └──▶ ANSWERED (refused before the owner saw it)
 *
 * MHD asks for the answer again and again unless the connection is suspended; so it is suspended whenever nothing can
 * be given to it, and resumed when there is something.
 */
#pragma once

#include "broker/base/memory.h"
#include "broker/http/connection.h"
#include "broker/http/http.h"
#include "broker/http/target.h"

#include <microhttpd.h>

enum request_state { RECEIVING, WAITING, ANSWERED, STREAMING, ENDED };

struct chunk_queue {
    struct http_chunk **ring; /* capacity is a power of two */
    size_t capacity, first, count;
    size_t sent;    /* bytes of the first one that MHD has taken */
    size_t waiting; /* bytes in all that it has not */
};

struct http_request {
    struct http *http;
    struct MHD_Connection *connection;
    struct connection *socket;
    struct http_request *previous, *next; /* those whose headers were read */
    void *data;
    enum request_state state;
    bool begun;     /* headers were read; it is in the list */
    bool suspended; /* MHD leaves the connection alone until request_wake */
    bool cut;       /* the connection is to end without the rest of the answer */
    bool linger;    /* answered before its body came in */
    bool target_is_good;
    const char *method; /* MHD's, as long as the request */
    struct target target;
    size_t limit;  /* of the body */
    size_t passed; /* bytes of the body that were read past, being over the limit */
    struct buffer body;
    int status;
    struct MHD_Response *response; /* made, not yet given to MHD */
    struct chunk_queue queue;
    char peer[48];
};

/* The only place where a state changes. */
void request_move(struct http_request *request, enum request_state to);
void request_suspend(struct http_request *request);
void request_wake(struct http_request *request); /* no effect unless suspended */
void request_cut(struct http_request *request);

/* The stream's side of MHD (stream.c). */
void stream_destroy(struct http_request *request);
/* Answers are told to close the connection from http_quiesce on. */
bool http_is_quiet(const struct http *http);
/* Makes http_fd readable, until the next step. */
void http_awake(struct http *http);
/* A response with the headers that every answer has. */
void answer_add_header(struct MHD_Response *response, const char *name, struct view value);
void answer_add_common_headers(const struct http_request *request, struct MHD_Response *response);
