/*
 * An HTTP/1.1 server (RFC 9110, 9112) for one epoll loop, on libmicrohttpd. No thread of its own: the owner's loop
 * waits on http_fd and calls http_step. Requests are given whole (bodies up to their limit); an answer may come later,
 * so that many publishers wait for one fsync; a stream stays open (SSE).
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"
#include "broker/base/view.h"

struct http;
struct http_request; /* lives until it is answered, or cancelled was called */

struct http_options {
    const char *address; /* "127.0.0.1:8080", "[::1]:0"; port 0: any free one */
    size_t connections;
    size_t (*body_limit)(void *context, struct view method, struct view path); /* over it: 413 */
    /* A whole request is there. Answer it now or later, on this thread, exactly once. */
    void (*request)(void *context, struct http_request *request);
    /* The client left before the answer, or while its stream was open: forget the request. Not called after
     * http_answer. */
    void (*cancelled)(void *context, struct http_request *request);
    void *context;
};

enum result http_open(const struct http_options *options, struct http **ret, struct error *err);
void http_close(struct http *http); /* cancels what is open; not from within a callback */
/* Takes no new connections; what is open is finished, and each connection closed after its answer. The owner ends its
 * streams, and steps until http_open_requests is 0 or its patience is over. */
void http_quiesce(struct http *http);
size_t http_open_requests(const struct http *http); /* with their answers not yet wholly sent */
const char *http_address(const struct http *http);  /* with the real port */
int http_fd(const struct http *http);               /* readable: call http_step */
int http_timeout_ms(const struct http *http);       /* call http_step at the latest then; -1: no need */
void http_step(struct http *http);

struct view http_method(const struct http_request *request); /* "GET", also for a HEAD */
struct view http_path(const struct http_request *request);   /* decoded, without the query */
struct view http_header(const struct http_request *request,
                        const char *name); /* NULL data: not sent. Sent twice: the first */
size_t http_header_count(const struct http_request *request, const char *name);
struct view http_query(const struct http_request *request, const char *name); /* decoded; NULL data: not sent */
struct view http_cookie(const struct http_request *request, const char *name);
struct view http_body(const struct http_request *request);
struct view http_peer(const struct http_request *request); /* "127.0.0.1" */
/* Calls each for every header as sent; for CloudEvents' binary mode. */
void http_each_header(const struct http_request *request,
                      void (*each)(void *context, struct view name, struct view value), void *context);
/* The handler's own pointer, kept with the request. */
void http_set_data(struct http_request *request, void *data);
void *http_data(const struct http_request *request);

struct http_answer {
    int status;
    const char *content_type; /* NULL: no body */
    struct view body;         /* copied */
    struct {
        const char *name;
        struct view value;
    } headers[8];        /* value with NULL data: none */
    bool body_is_static; /* body lives for ever: not copied */
};
/* X-Content-Type-Options: nosniff and Cache-Control: no-store are added, the latter unless given. */
void http_answer(struct http_request *request, const struct http_answer *answer);

/* Opens a stream (status 200, Cache-Control: no-store): the request stays until the client leaves or http_stream_end.
 */
void http_stream_start(struct http_request *request, const char *content_type);
/* False: the client is slower than LIMIT_STREAM_QUEUE_BYTES; the stream was cut and ended as by http_stream_end. The
 * bytes are shared: many streams may be given the same payload. */
struct http_chunk; /* reference counted bytes */
struct http_chunk *http_chunk_create(struct view bytes);
void http_chunk_release(struct http_chunk *chunk);
bool http_stream_send(struct http_request *request, struct http_chunk *chunk);
size_t http_stream_waiting(const struct http_request *request); /* bytes not yet given to the socket */
void http_stream_end(struct http_request *request);

/* application/problem+json (RFC 9457): type about:blank, title from the status. errors: {"at","why"} pairs; count may
 * be 0. */
struct http_problem {
    struct view at, why;
};
void http_answer_problem(struct http_request *request, int status, const char *detail,
                         const struct http_problem *errors, size_t count);
