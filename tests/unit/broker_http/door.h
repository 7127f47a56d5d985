/* A server and its clients in one thread: real sockets on a free port, and waiting that always has a deadline. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"
#include "broker/http/http.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 20000, MOST_WAITING = 16, SMALL_LIMIT = 1000 };

/* What the server's owner does in these tests: routes by path. */
struct door {
    struct http *http;
    struct http_request *waiting[MOST_WAITING]; /* asked for /wait and /stream, in order of arrival */
    size_t waiting_count;
    size_t asked, cancelled;
    struct buffer last; /* the last request's body */
};

struct caller {
    int fd;
    bool closed; /* the server closed it */
    struct buffer got;
};

static size_t door_limit(void *context, struct view method, struct view path)
{
    (void)context;
    (void)method;
    return view_is(path, VIEW("/small")) ? SMALL_LIMIT : LIMIT_BODY_BYTES;
}

static void door_echo(struct http_request *request)
{
    struct buffer said = {0};
    struct view method = http_method(request), path = http_path(request), body = http_body(request);
    buffer_add_format(&said, "%.*s %.*s %zu\n", VIEW_ARGS(method), VIEW_ARGS(path), body.size);
    http_answer(request,
                &(struct http_answer){.status = 200, .content_type = "text/plain", .body = buffer_view(&said)});
    buffer_destroy(&said);
}

static void door_request(void *context, struct http_request *request)
{
    struct door *door = context;
    struct view path = http_path(request);
    door->asked++;
    buffer_clear(&door->last);
    buffer_add_view(&door->last, http_body(request));
    if (view_is(path, VIEW("/wait")) || view_is(path, VIEW("/stream"))) {
        assert_true(door->waiting_count < MOST_WAITING);
        door->waiting[door->waiting_count++] = request;
        if (view_is(path, VIEW("/stream")))
            http_stream_start(request, "text/event-stream");
    } else if (view_is(path, VIEW("/nothing"))) {
        http_answer(request, &(struct http_answer){.status = 204});
    } else if (view_is(path, VIEW("/unchanged"))) {
        http_answer(request, &(struct http_answer){.status = 304, .content_type = "text/plain", .body = VIEW("no")});
    } else if (view_is(path, VIEW("/problem"))) {
        struct http_problem wrong = {VIEW("/encounter/ward"), VIEW("not a \"ward\"")};
        http_answer_problem(request, 400, "Not an event.", &wrong, 1);
    } else if (view_is(path, VIEW("/busy"))) {
        http_answer_problem(request, 503, "Not durable.", NULL, 0);
    } else {
        door_echo(request);
    }
}

static void door_cancelled(void *context, struct http_request *request)
{
    struct door *door = context;
    door->cancelled++;
    for (size_t i = 0; i < door->waiting_count; i++)
        if (door->waiting[i] == request)
            door->waiting[i] = NULL;
}

[[maybe_unused]] static void door_open(struct door *door)
{
    struct error err = {0};
    *door = (struct door){0};
    struct http_options options = {.address = "127.0.0.1:0",
                                   .connections = 100,
                                   .body_limit = door_limit,
                                   .request = door_request,
                                   .cancelled = door_cancelled,
                                   .context = door};
    assert_int_equal(http_open(&options, &door->http, &err), OK);
}

[[maybe_unused]] static void door_close(struct door *door)
{
    http_close(door->http);
    buffer_destroy(&door->last);
}

[[maybe_unused]] static void caller_read(struct caller *caller)
{
    char bytes[65536];
    for (;;) {
        ssize_t size = recv(caller->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size > 0) {
            buffer_add(&caller->got, bytes, (size_t)size);
            continue;
        }
        if (size == 0 || (errno != EAGAIN && errno != EINTR))
            caller->closed = true;
        return;
    }
}

/* One turn: waits for whatever is ready, at most 100 ms, then steps the server. caller may be NULL. */
[[maybe_unused]] static void door_turn(struct door *door, struct caller *caller)
{
    struct pollfd ready[2] = {{.fd = http_fd(door->http), .events = POLLIN},
                              {.fd = caller == NULL || caller->closed ? -1 : caller->fd, .events = POLLIN}};
    int wait_ms = http_timeout_ms(door->http);
    (void)poll(ready, 2, wait_ms < 0 || wait_ms > 100 ? 100 : wait_ms);
    http_step(door->http);
    if (caller != NULL && !caller->closed)
        caller_read(caller);
}

/* Turns until condition holds, or fails at the deadline. */
#define TURN_UNTIL(door, caller, condition)                                                                            \
    for (int64_t end_ = time_monotonic_ms() + DEADLINE_MS; !(condition);) {                                            \
        assert_true(time_monotonic_ms() < end_);                                                                       \
        door_turn(door, caller);                                                                                       \
    }

[[maybe_unused]] static void caller_open(struct caller *caller, const struct door *door)
{
    *caller = (struct caller){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int64_t port = 0;
    assert_true(view_to_number(view_of_text(strrchr(http_address(door->http), ':') + 1), &port));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(caller->fd, (struct sockaddr *)&to, sizeof to), 0);
}

[[maybe_unused]] static void caller_close(struct caller *caller)
{
    if (caller->fd >= 0)
        (void)close(caller->fd);
    caller->fd = -1;
    caller->closed = true;
    buffer_destroy(&caller->got);
}

[[maybe_unused]] static void caller_say(struct caller *caller, const char *text)
{
    size_t size = strlen(text);
    assert_int_equal(send(caller->fd, text, size, MSG_NOSIGNAL), (ssize_t)size);
}

/* Open file descriptors of this process: whether the server lets go of its sockets. */
[[maybe_unused]] static size_t count_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

[[maybe_unused]] static size_t count_of(const struct buffer *in, const char *text)
{
    size_t count = 0, size = strlen(text);
    const char *at = in->data == NULL ? "" : (const char *)in->data;
    const char *end = at + in->size;
    for (; (at = memmem(at, (size_t)(end - at), text, size)) != NULL; at += size)
        count++;
    return count;
}

[[maybe_unused]] static bool caller_has(const struct caller *caller, const char *text)
{
    return count_of(&caller->got, text) > 0;
}
