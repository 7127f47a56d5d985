/* The door on a real server, a real publisher and an embedded log in a folder of its own; one thread, every wait with a
 * deadline. */
#pragma once

#include "producers/cloudevents/cloudevents.h"

#include "broker/base/metrics.h"
#include "broker/event/limits.h"
#include "broker/record/record.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ftw.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { DEADLINE_MS = 20000 };

struct world {
    char folder[64];
    struct vault *vault;
    struct log *log;
    struct directory *directory;
    struct publisher *publisher;
    struct http *http;
    struct cloudevents_door *door;
    struct token token;
    struct view token_organisations[2];
    bool token_is_known;
    struct arena arena;
};

/* One connection of a client. */
struct caller {
    int fd;
    struct buffer got;
};

static size_t world_limit(void *context, struct view method, struct view path)
{
    (void)context, (void)method, (void)path;
    return LIMIT_BODY_BYTES;
}

static void world_request(void *context, struct http_request *request)
{
    struct world *world = context;
    if (!cloudevents_door_request(world->door, request, world->token_is_known ? &world->token : NULL))
        http_answer(request, &(struct http_answer){.status = 404});
}

static void world_cancelled(void *context, struct http_request *request)
{
    struct world *world = context;
    (void)cloudevents_door_cancelled(world->door, request);
}

[[maybe_unused]] static void world_put(struct world *world, const struct organisation *organisations, size_t count)
{
    struct log_appender *appender = NULL;
    struct error err = {0};
    assert_int_equal(log_appender_open(world->log, &appender, &err), OK);
    for (size_t i = 0; i < count; i++) {
        struct log_entry entry = directory_put_organisation(&organisations[i], &world->arena);
        assert_int_equal(log_append_and_wait(appender, &entry, 1, DEADLINE_MS, NULL, &err), OK);
    }
    log_appender_close(appender);
    assert_int_equal(directory_follow(world->directory, &err), OK);
}

static void must(enum result result, const struct error *err)
{
    if (result != OK)
        fail_msg("%s: %s", result_name(result), err->text);
}

/* script: of the faulty log; NULL: a log without faults. R0A may use urn:ral, RX1 (which rejects untrusted numbers)
 * urn:rx1. */
[[maybe_unused]] static void world_open(struct world *world, const char *script)
{
    struct error err = {0};
    char path[96];
    *world = (struct world){.token_is_known = true};
    (void)snprintf(world->folder, sizeof world->folder, "/tmp/tidings-door-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    (void)snprintf(path, sizeof path, "%s/region.key", world->folder);
    must(schemas_open(&err), &err);
    must(vault_create(path, &err), &err);
    must(vault_open(path, &world->vault, &err), &err);
    struct log_options options = {.where = "embedded", .data_folder = world->folder, .partitions = 4};
    must(log_open(&options, &world->log, &err), &err);
    must(directory_open(world->log, &world->directory, &err), &err);
    struct view sources[] = {VIEW("urn:ral"), VIEW("urn:rx1")};
    struct organisation organisations[] = {
        {.id = VIEW("R0A"), .name = VIEW("Royal"), .kind = VIEW("hospital"), .sources = &sources[0], .source_count = 1},
        {.id = VIEW("RX1"),
         .name = VIEW("Strict"),
         .kind = VIEW("hospital"),
         .sources = &sources[1],
         .source_count = 1,
         .reject_untrusted = true}};
    world_put(world, organisations, 2);
    if (script != NULL)
        must(log_faulty_open(world->log, script, &world->log, &err), &err);
    struct publisher_options publisher = {.log = world->log,
                                          .vault = world->vault,
                                          .data_folder = world->folder,
                                          .region = "wessex",
                                          .origin = ORIGIN_CLOUDEVENTS};
    must(publisher_open(&publisher, &world->publisher, &err), &err);
    world->door = cloudevents_door_create(world->publisher, world->directory);
    world->token_organisations[0] = VIEW("R0A");
    world->token_organisations[1] = VIEW("RX1");
    world->token = (struct token){
        .id = VIEW("t"), .organisations = world->token_organisations, .organisation_count = 2, .roles = ROLE_PUBLISHER};
    struct http_options http = {.address = "127.0.0.1:0",
                                .connections = 100,
                                .body_limit = world_limit,
                                .request = world_request,
                                .cancelled = world_cancelled,
                                .context = world};
    must(http_open(&http, &world->http, &err), &err);
}

static int world_unlink(const char *path, const struct stat *about, int kind, struct FTW *where)
{
    (void)about, (void)kind, (void)where;
    return remove(path);
}

[[maybe_unused]] static void world_close(struct world *world)
{
    http_close(world->http);
    cloudevents_door_destroy(world->door);
    publisher_close(world->publisher);
    directory_close(world->directory);
    log_close(world->log);
    vault_close(world->vault);
    schemas_close();
    arena_destroy(&world->arena);
    assert_int_equal(nftw(world->folder, world_unlink, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* One turn of the owner's loop. */
static void world_turn(struct world *world, struct caller *caller)
{
    struct pollfd ready[] = {{.fd = http_fd(world->http), .events = POLLIN},
                             {.fd = publisher_fd(world->publisher), .events = POLLIN},
                             {.fd = caller == NULL ? -1 : caller->fd, .events = POLLIN}};
    struct error err = {0};
    (void)poll(ready, 3, 20);
    http_step(world->http);
    must(publisher_step(world->publisher, &err), &err);
    cloudevents_door_step(world->door);
    char bytes[65536];
    for (ssize_t size = 1; caller != NULL && size > 0;) {
        size = recv(caller->fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (size > 0)
            buffer_add(&caller->got, bytes, (size_t)size);
    }
}

#define TURN_UNTIL(world, caller, condition)                                                                           \
    for (int64_t end_ = time_monotonic_ms() + DEADLINE_MS; !(condition);) {                                            \
        assert_true(time_monotonic_ms() < end_);                                                                       \
        world_turn(world, caller);                                                                                     \
    }

[[maybe_unused]] static void caller_open(struct caller *caller, const struct world *world)
{
    *caller = (struct caller){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    int64_t port = 0;
    assert_true(view_to_number(view_of_text(strrchr(http_address(world->http), ':') + 1), &port));
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(connect(caller->fd, (struct sockaddr *)&to, sizeof to), 0);
}

[[maybe_unused]] static void caller_close(struct caller *caller)
{
    (void)close(caller->fd);
    buffer_destroy(&caller->got);
}

/* headers: whole lines, each ending in CR LF. */
[[maybe_unused]] static void caller_send(struct world *world, struct caller *caller, const char *headers,
                                         struct view body)
{
    struct buffer request = {0};
    buffer_clear(&caller->got);
    buffer_add_format(&request, "POST /events HTTP/1.1\r\nHost: x\r\nContent-Length: %zu\r\n%s\r\n", body.size,
                      headers);
    buffer_add_view(&request, body);
    for (size_t sent = 0; sent < request.size;) {
        ssize_t size = send(caller->fd, request.data + sent, request.size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0)
            sent += (size_t)size;
        else
            world_turn(world, caller);
    }
    buffer_destroy(&request);
}

/* The whole answer is there: what Content-Length says came. Its status, and its body with a NUL. */
[[maybe_unused]] static bool caller_answered(struct caller *caller, int *ret_status, const char **ret_body)
{
    buffer_add_byte(&caller->got, 0);
    caller->got.size--;
    const char *text = (const char *)caller->got.data, *end = strstr(text, "\r\n\r\n");
    const char *length = strcasestr(text, "\r\nContent-Length: ");
    if (end == NULL)
        return false;
    size_t size =
        length == NULL || length > end ? 0 : (size_t)strtol(length + strlen("\r\nContent-Length: "), NULL, 10);
    if (caller->got.size < (size_t)(end + 4 - text) + size)
        return false;
    *ret_status = (int)strtol(text + strlen("HTTP/1.1 "), NULL, 10);
    *ret_body = end + 4;
    return true;
}

/* Posts on a connection of its own and waits for the answer: the status; body and headers in got. */
[[maybe_unused]] static int world_post(struct world *world, const char *headers, const char *body, struct buffer *got)
{
    struct caller caller;
    int status = 0;
    const char *found = NULL;
    caller_open(&caller, world);
    caller_send(world, &caller, headers, view_of_text(body));
    TURN_UNTIL(world, &caller, caller_answered(&caller, &status, &found));
    buffer_clear(got);
    buffer_add_view(got, buffer_view(&caller.got));
    buffer_add_byte(got, 0);
    caller_close(&caller);
    return status;
}

[[maybe_unused]] static bool has(const struct buffer *got, const char *text)
{
    if (strstr((const char *)got->data, text) != NULL)
        return true;
    print_message("%s is not in: %s\n", text, (const char *)got->data);
    return false;
}

static int64_t from_the_start(void *context, int32_t partition, int64_t committed)
{
    (void)context, (void)partition, (void)committed;
    return LOG_START;
}

/* All records of a topic, as of now; views live in world->arena. */
[[maybe_unused]] static size_t world_records(struct world *world, enum topic topic, struct view *values, size_t most)
{
    struct log_reader_options options = {.topic = topic, .start = from_the_start};
    struct log_reader *reader = NULL;
    struct error err = {0};
    const struct log_record *records;
    size_t count, found = 0;
    must(log_reader_open(world->log, &options, &reader, &err), &err);
    while (log_read(reader, 100, 0, &records, &count, &err) == OK)
        for (size_t i = 0; i < count && found < most; i++)
            values[found++] = arena_copy(&world->arena, records[i].value);
    log_reader_close(reader);
    return found;
}

/* Turns until the work list has that many items, and reads them. */
[[maybe_unused]] static void world_items(struct world *world, struct work_item *items, size_t count)
{
    struct view values[32];
    struct error err = {0};
    TURN_UNTIL(world, NULL, world_records(world, TOPIC_QUARANTINE, values, 32) >= count);
    assert_int_equal(world_records(world, TOPIC_QUARANTINE, values, 32), count);
    for (size_t i = 0; i < count; i++) {
        struct opened_record record;
        must(record_open(values[i], &world->arena, &record, &err), &err);
        assert_int_equal(record.kind, SCHEMA_WORK_ITEM);
        items[i] = record.work_item;
    }
}
