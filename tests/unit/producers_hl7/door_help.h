/* A door in this process: an embedded log in a folder of its own, a hospital R0A, and senders on real sockets. */
#pragma once

#include "message_help.h"

#include "broker/codec/schemas.h"
#include "producers/hl7/mllp_server.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <poll.h>
#include <unistd.h>

enum { DEADLINE_MS = 20000 };

struct door {
    char folder[64];
    struct vault *vault;
    struct log *log;
    struct directory *directory;
    struct publisher *publisher;
    struct mllp_server *server;
    struct error err;
};

#define assert_ok(call, door)                                                                                          \
    do {                                                                                                               \
        enum result assert_ok_is = (call);                                                                             \
        if (assert_ok_is != OK)                                                                                        \
            fail_msg("%s: %s", result_name(assert_ok_is), (door)->err.text);                                           \
    } while (0)

static void door_add(struct door *door, const struct organisation *organisation)
{
    struct log_appender *appender = NULL;
    struct arena arena = {0};
    struct log_entry entry = directory_put_organisation(organisation, &arena);
    assert_ok(log_appender_open(door->log, &appender, &door->err), door);
    assert_ok(log_append_and_wait(appender, &entry, 1, DEADLINE_MS, NULL, &door->err), door);
    log_appender_close(appender);
    arena_destroy(&arena);
}

/* script: of a faulty log; NULL: a sound one. */
static void door_open(struct door *door, const char *script, struct mllp_server_options with)
{
    char path[96];
    *door = (struct door){.folder = "/tmp/tidings-door-XXXXXX"};
    assert_non_null(mkdtemp(door->folder));
    assert_ok(schemas_open(&door->err), door);
    (void)snprintf(path, sizeof path, "%s/region.key", door->folder);
    assert_ok(vault_create(path, &door->err), door);
    assert_ok(vault_open(path, &door->vault, &door->err), door);
    struct log_options log = {.where = "embedded", .data_folder = door->folder, .partitions = 4, .client_id = "test"};
    assert_ok(log_open(&log, &door->log, &door->err), door);
    struct view training[] = {VIEW("P"), VIEW("T")}, elsewhere[] = {VIEW("10.0.0.0/8")}, names[] = {VIEW("RAL RF")};
    door_add(door, &(struct organisation){.id = VIEW("R0A"),
                                          .name = VIEW("A hospital"),
                                          .kind = VIEW("hospital"),
                                          .hl7_names = names,
                                          .hl7_name_count = 1,
                                          .processing_ids = training,
                                          .processing_id_count = 2,
                                          .time_zone = VIEW("Europe/London")});
    door_add(door, &(struct organisation){.id = VIEW("R1H"),
                                          .name = VIEW("Another hospital"),
                                          .kind = VIEW("hospital"),
                                          .mllp_peers = elsewhere,
                                          .mllp_peer_count = 1,
                                          .time_zone = VIEW("Europe/London")});
    if (script != NULL)
        assert_ok(log_faulty_open(door->log, script, &door->log, &door->err), door);
    assert_ok(directory_open(door->log, &door->directory, &door->err), door);
    struct publisher_options publisher = {
        .log = door->log, .vault = door->vault, .data_folder = door->folder, .region = "test", .origin = ORIGIN_HL7};
    assert_ok(publisher_open(&publisher, &door->publisher, &door->err), door);
    with.address = "127.0.0.1:0";
    with.publisher = door->publisher;
    with.directory = door->directory;
    assert_ok(mllp_server_open(&with, &door->server, &door->err), door);
}

static int remove_one(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status, (void)kind, (void)where;
    return remove(path);
}

static void door_close(struct door *door)
{
    mllp_server_close(door->server);
    publisher_close(door->publisher);
    directory_close(door->directory);
    log_close(door->log);
    vault_close(door->vault);
    schemas_close();
    (void)nftw(door->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

[[maybe_unused]] static void door_turn(struct door *door)
{
    enum result result = mllp_server_step(door->server, 10, &door->err);
    if (result == FATAL)
        fail_msg("FATAL: %s", door->err.text);
}

/* ---- senders ---- */

struct sender {
    struct door *door;
    int fd;
    struct buffer in;
    bool closed; /* by the door */
};

static void sender_open(struct sender *sender, struct door *door)
{
    const char *colon = strrchr(mllp_server_address(door->server), ':');
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    to.sin_port = htons((uint16_t)strtol(colon + 1, NULL, 10));
    *sender = (struct sender){.door = door, .fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(sender->fd, (const struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(fcntl(sender->fd, F_SETFL, O_NONBLOCK), 0);
}

static void sender_close(struct sender *sender)
{
    buffer_destroy(&sender->in);
    (void)close(sender->fd);
}

static void sender_receive(struct sender *sender)
{
    char piece[4096];
    ssize_t size = recv(sender->fd, piece, sizeof piece, 0);
    if (size > 0)
        buffer_add(&sender->in, piece, (size_t)size);
    else if (size == 0 || (errno != EAGAIN && errno != EINTR))
        sender->closed = true;
}

/* All of bytes, turning the door meanwhile. */
static void sender_send(struct sender *sender, struct view bytes)
{
    int64_t deadline_ms = time_monotonic_ms() + DEADLINE_MS;
    while (bytes.size > 0 && time_monotonic_ms() < deadline_ms) {
        ssize_t size = send(sender->fd, bytes.data, bytes.size, MSG_NOSIGNAL);
        if (size > 0)
            bytes = view_after(bytes, (size_t)size);
        else
            assert_int_equal(errno, EAGAIN);
        door_turn(sender->door);
        sender_receive(sender);
    }
    assert_int_equal(bytes.size, 0);
}

[[maybe_unused]] static void sender_send_message(struct sender *sender, const char *text)
{
    struct buffer framed = {0};
    buffer_add_format(&framed, "\x0B%s\x1C\r", text);
    sender_send(sender, buffer_view(&framed));
    buffer_destroy(&framed);
}

static size_t count_frames(const struct sender *sender)
{
    size_t count = 0;
    for (size_t i = 0; i + 1 < sender->in.size; i++)
        count += sender->in.data[i] == 0x1C && sender->in.data[i + 1] == '\r';
    return count;
}

/* "CA M1, AR M2": the codes and control ids of the next answers, in order; waits for them. */
[[maybe_unused]] static const char *sender_answers(struct sender *sender, size_t count)
{
    static char text[16384];
    int64_t deadline_ms = time_monotonic_ms() + DEADLINE_MS;
    size_t size = 0;
    while (count_frames(sender) < count && !sender->closed && time_monotonic_ms() < deadline_ms) {
        door_turn(sender->door);
        sender_receive(sender);
    }
    buffer_add_byte(&sender->in, '\0');
    text[0] = '\0';
    const char *end = NULL;
    for (const char *at = strstr((const char *)sender->in.data, "\rMSA|"); at != NULL; at = strstr(at + 1, "\rMSA|")) {
        end = strchr(at + 1, '\r');
        size += (size_t)snprintf(text + size, sizeof text - size, "%s%.2s %.*s", size == 0 ? "" : ", ", at + 5,
                                 (int)(end - at - 8), at + 8);
        const char *err = strncmp(end, "\rERR|", 5) == 0 ? strchr(end + 6, '|') : NULL;
        if (err != NULL)
            size += (size_t)snprintf(text + size, sizeof text - size, " %.3s", err + 1);
    }
    buffer_clear(&sender->in);
    return text;
}

/* Turns until the door has closed it. */
[[maybe_unused]] static bool sender_is_closed(struct sender *sender)
{
    int64_t deadline_ms = time_monotonic_ms() + DEADLINE_MS;
    while (!sender->closed && time_monotonic_ms() < deadline_ms) {
        door_turn(sender->door);
        sender_receive(sender);
    }
    return sender->closed;
}
