/* The MLLP door's loop. */
#include "producers/hl7/inside.h"

#include "broker/base/note.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum {
    IDLE_MS = 10 * 60 * 1000,
    INSIDE_MS = 30 * 1000,
    LONGEST_WAIT_MS = 1000, /* between turns of publisher and limits */
    SHORT_WAIT_MS = 5,      /* while the publisher catches up, or takes no more */
    EVENTS = 256,
};

/* ---- opening and closing ---- */

static enum result sockets_open(struct mllp_server *server, struct error *err)
{
    enum result result = address_listen(server->options.address, &server->listener, server->address, err);
    if (result != OK) {
        char *option = strstr(err->text, "--http"); /* the reason names the option of the other door */
        if (option != NULL)
            memcpy(option, "--mllp", strlen("--mllp"));
        return result;
    }
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0 || !mllp_server_watch(server, server->listener, WHO_LISTENER) ||
        !mllp_server_watch(server, publisher_fd(server->options.publisher), WHO_OTHERS) ||
        !mllp_server_watch(server, directory_fd(server->options.directory), WHO_OTHERS))
        return error_set(err, FATAL, "epoll for the MLLP door: errno %d", errno);
    return OK;
}

enum result mllp_server_open(const struct mllp_server_options *options, struct mllp_server **ret, struct error *err)
{
    struct mllp_server *server = memory_take(sizeof *server);
    server->options = *options;
    struct mllp_server_options *with = &server->options;
    with->message_bytes = with->message_bytes == 0 ? LIMIT_HL7_BYTES : with->message_bytes;
    if (with->connections == 0 || with->connections > LIMIT_CONNECTIONS)
        with->connections = LIMIT_CONNECTIONS;
    with->idle_ms = with->idle_ms == 0 ? IDLE_MS : with->idle_ms;
    with->inside_ms = with->inside_ms == 0 ? INSIDE_MS : with->inside_ms;
    server->epoll = server->listener = -1;
    server->intake = (struct intake){.publisher = options->publisher, .directory = options->directory};
    server->ids.started_ms = time_now_ms();
    enum result result = sockets_open(server, err);
    if (result != OK) {
        mllp_server_close(server);
        return result;
    }
    *ret = server;
    return OK;
}

static void listener_close(struct mllp_server *server)
{
    if (server->listener >= 0)
        (void)close(server->listener);
    server->listener = -1;
}

void mllp_server_close(struct mllp_server *server)
{
    if (server == NULL)
        return;
    for (size_t i = 0; i < server->slots_used; i++)
        mllp_connection_destroy(server->slots[i].connection);
    listener_close(server);
    if (server->epoll >= 0)
        (void)close(server->epoll);
    mllp_intake_destroy(&server->intake);
    free(server);
}

int mllp_server_fd(const struct mllp_server *server)
{
    return server->epoll;
}

const char *mllp_server_address(const struct mllp_server *server)
{
    return server->address;
}

size_t mllp_server_connections(const struct mllp_server *server)
{
    return server->connection_count;
}

/* ---- connections ---- */

/* Has it nothing more to do in this world? */
static bool is_over(const struct mllp_server *server, const struct mllp_connection *connection)
{
    if (connection->broken)
        return true;
    bool takes_more = connection->blocked_since_ms != 0 ||
                      (!publisher_is_ready(server->options.publisher) && deframer_size(&connection->in) > 0);
    return (server->quiescing || (connection->ended && !takes_more)) && mllp_connection_is_quiet(connection);
}

/* What stands between reading it and its next event: answers, sending, and what it is watched for; or its end. */
static void connection_turn(struct mllp_server *server, size_t at)
{
    struct mllp_connection *connection = server->slots[at].connection;
    mllp_connection_answer(connection, &server->ids);
    mllp_connection_write(connection);
    if (is_over(server, connection)) {
        mllp_server_drop(server, at);
        return;
    }
    bool reads = !server->quiescing && publisher_is_ready(server->options.publisher) &&
                 mllp_connection_is_open_for_more(connection);
    uint32_t interest = (reads ? (uint32_t)EPOLLIN : 0U) | (connection->out.size > 0 ? (uint32_t)EPOLLOUT : 0U);
    if (interest == connection->interest)
        return;
    struct epoll_event event = {.events = interest, .data.u64 = at};
    if (epoll_ctl(server->epoll, EPOLL_CTL_MOD, connection->fd, &event) == 0)
        connection->interest = interest;
    else
        connection->broken = true;
}

/* Takes what its bytes hold; answers it. Answers make room, so until nothing changes. */
static enum result connection_work(struct mllp_server *server, size_t at, struct error *err)
{
    struct slot *slot = &server->slots[at];
    enum result result = OK;
    while (slot->connection != NULL && result == OK) {
        struct mllp_connection *connection = slot->connection;
        size_t before = connection->in.bytes.size - connection->in.start;
        if (!server->quiescing && !connection->broken && publisher_is_ready(server->options.publisher)) {
            uint64_t token = (uint64_t)at << 48 | (uint64_t)slot->generation << 32;
            result = mllp_connection_take_frames(connection, &server->intake, token, err);
        }
        bool moved = connection->in.bytes.size - connection->in.start != before;
        connection_turn(server, at);
        if (!moved)
            break;
    }
    return result;
}

static enum result connection_event(struct mllp_server *server, size_t at, uint32_t events, struct error *err)
{
    struct mllp_connection *connection = server->slots[at].connection;
    if (connection == NULL) /* closed earlier in this turn */
        return OK;
    if ((events & EPOLLIN) != 0)
        mllp_connection_read(connection);
    else if ((events & (EPOLLERR | EPOLLHUP)) != 0)
        connection->broken = true;
    return connection_work(server, at, err);
}

/* ---- turns ---- */

static size_t answers_collect(struct mllp_server *server)
{
    struct publication_answer answer;
    size_t count = 0;
    while (publisher_collect(server->options.publisher, &answer) == OK) {
        size_t at = (size_t)(answer.token >> 48);
        count++;
        if (at >= LIMIT_CONNECTIONS || server->slots[at].connection == NULL ||
            server->slots[at].generation != (uint16_t)(answer.token >> 32))
            continue; /* it has gone; it will send the message again */
        mllp_connection_learn(server->slots[at].connection, (uint32_t)answer.token, answer.outcome);
    }
    return count;
}

/* Is there more to do for this one without a byte coming in? */
static bool has_work(const struct mllp_connection *connection)
{
    return connection->broken || connection->blocked_since_ms != 0 || deframer_size(&connection->in) > 0 ||
           (connection->owed_count > 0 && connection->owed[connection->owed_first]->known);
}

static enum result connections_work(struct mllp_server *server, struct error *err)
{
    enum result result = OK;
    for (size_t at = 0; at < server->slots_used && result == OK; at++)
        if (server->slots[at].connection != NULL && (server->quiescing || has_work(server->slots[at].connection)))
            result = connection_work(server, at, err);
    return result;
}

/* Why it is closed; NULL: it is not. */
static const char *overdue(const struct mllp_server *server, const struct mllp_connection *connection, int64_t now_ms)
{
    int64_t still_ms = now_ms - connection->last_ms;
    if (connection->out.size > 0)
        return still_ms >= server->options.idle_ms ? "it does not read its answers" : NULL;
    if (connection->owed_count > 0 || connection->blocked_since_ms != 0 ||
        !publisher_is_ready(server->options.publisher))
        return NULL; /* it waits for us */
    if (connection->in.inside)
        return still_ms >= server->options.inside_ms ? "a message without an end block" : NULL;
    return still_ms >= server->options.idle_ms ? "idle" : NULL;
}

static void sweep(struct mllp_server *server)
{
    int64_t now_ms = time_monotonic_ms();
    int64_t every_ms =
        server->options.inside_ms / 4 < LONGEST_WAIT_MS ? server->options.inside_ms / 4 : LONGEST_WAIT_MS;
    if (now_ms - server->last_sweep_ms < every_ms)
        return;
    server->last_sweep_ms = now_ms;
    for (size_t at = 0; at < server->slots_used; at++) {
        struct mllp_connection *connection = server->slots[at].connection;
        const char *why = connection == NULL ? NULL : overdue(server, connection, now_ms);
        if (why == NULL)
            continue;
        note(NOTE_INFO, "mllp-closed", "peer=%s why=\"%s\"", connection->peer_text, why);
        mllp_server_drop(server, at);
    }
    mllp_server_accept_again(server, now_ms);
}

static int wait_choose(const struct mllp_server *server, int timeout_ms)
{
    int64_t wait_ms = timeout_ms < 0 || timeout_ms > LONGEST_WAIT_MS ? LONGEST_WAIT_MS : timeout_ms;
    bool impatient = !publisher_is_ready(server->options.publisher);
    for (size_t at = 0; at < server->slots_used && !impatient; at++)
        impatient = server->slots[at].connection != NULL && server->slots[at].connection->blocked_since_ms != 0;
    if (impatient && wait_ms > SHORT_WAIT_MS)
        wait_ms = SHORT_WAIT_MS;
    if (server->connection_count > 0 && wait_ms > server->options.inside_ms / 4)
        wait_ms = server->options.inside_ms / 4;
    return (int)wait_ms;
}

enum result mllp_server_step(struct mllp_server *server, int timeout_ms, struct error *err)
{
    struct epoll_event events[EVENTS];
    enum result result = directory_follow(server->options.directory, err);
    if (result != FATAL)
        result = publisher_step(server->options.publisher, err);
    if (result == FATAL)
        return FATAL;
    int count = epoll_wait(server->epoll, events, EVENTS, wait_choose(server, timeout_ms));
    if (count < 0 && errno != EINTR)
        return error_set(err, FATAL, "waiting for the MLLP door: errno %d", errno);
    result = OK;
    for (int i = 0; i < count && result == OK; i++) {
        uint64_t who = events[i].data.u64;
        if (who == WHO_LISTENER)
            mllp_server_accept(server);
        else if (who < LIMIT_CONNECTIONS)
            result = connection_event(server, (size_t)who, events[i].events, err);
    }
    size_t answers = answers_collect(server);
    if (result == OK)
        result = connections_work(server, err);
    sweep(server);
    if (result != OK)
        return result;
    return count > 0 || answers > 0 ? OK : NOTHING;
}

void mllp_server_quiesce(struct mllp_server *server)
{
    server->quiescing = true;
    listener_close(server);
}

bool mllp_server_is_quiet(const struct mllp_server *server)
{
    for (size_t at = 0; at < server->slots_used; at++)
        if (server->slots[at].connection != NULL && !mllp_connection_is_quiet(server->slots[at].connection))
            return false;
    return true;
}
