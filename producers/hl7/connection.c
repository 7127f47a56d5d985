/* A sender's connection. */
#include "producers/hl7/connection.h"

#include "broker/base/metrics.h"
#include "broker/base/note.h"
#include "broker/http/address.h"

#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

enum {
    READ_BYTES = 64 * 1024,
    OUT_LIMIT = 1024 * 1024, /* answers that a peer does not read: then it is not read either */
};

static const struct refusal send_again = {
    "", "207", "it is not known whether the message was kept: send it again with the same MSH-10", true};
static const struct refusal conflicting = {
    "MSH-10", "205", "this MSH-10 was used before for another message: send it with a new one", false};

struct mllp_connection *mllp_connection_create(int fd, const struct sockaddr_storage *peer, size_t message_limit)
{
    struct mllp_connection *connection = memory_take(sizeof *connection);
    connection->fd = fd;
    connection->peer = *peer;
    connection->in.limit = message_limit;
    connection->last_ms = time_monotonic_ms();
    address_of_peer((const struct sockaddr *)peer, connection->peer_text, sizeof connection->peer_text);
    return connection;
}

void mllp_connection_destroy(struct mllp_connection *connection)
{
    if (connection == NULL)
        return;
    if (connection->in.junk_total > 0)
        note(NOTE_WARNING, "mllp-junk", "peer=%s bytes=%llu why=\"bytes outside MLLP frames\"", connection->peer_text,
             (unsigned long long)connection->in.junk_total);
    for (size_t i = 0; i < connection->owed_count; i++)
        free(connection->owed[(connection->owed_first + i) % LIMIT_MLLP_IN_FLIGHT]);
    deframer_destroy(&connection->in);
    buffer_destroy(&connection->out);
    (void)close(connection->fd);
    free(connection);
}

void mllp_connection_read(struct mllp_connection *connection)
{
    char piece[READ_BYTES];
    ssize_t size = recv(connection->fd, piece, sizeof piece, 0);
    if (size > 0) {
        deframer_add(&connection->in, view_make(piece, (size_t)size));
        connection->last_ms = time_monotonic_ms();
    } else if (size == 0) {
        connection->ended = true;
    } else if (errno != EAGAIN && errno != EINTR) {
        connection->broken = true;
    }
}

void mllp_connection_write(struct mllp_connection *connection)
{
    while (connection->out.size > 0 && !connection->broken) {
        ssize_t size = send(connection->fd, connection->out.data, connection->out.size, MSG_NOSIGNAL);
        if (size < 0 && errno == EINTR)
            continue;
        if (size < 0) {
            connection->broken = errno != EAGAIN;
            return;
        }
        buffer_remove_front(&connection->out, (size_t)size);
        connection->last_ms = time_monotonic_ms();
    }
}

/* ---- answers owed ---- */

static struct owed *owed_add(struct mllp_connection *connection, const struct intake_result *taken)
{
    size_t at = (connection->owed_first + connection->owed_count++) % LIMIT_MLLP_IN_FLIGHT;
    struct owed *owed = memory_take(sizeof *owed + taken->msh.size);
    if (taken->msh.size > 0)
        memcpy(owed + 1, taken->msh.data, taken->msh.size);
    owed->msh = view_make(owed + 1, taken->msh.size);
    memcpy(owed->types, taken->types, sizeof owed->types);
    owed->type_count = taken->type_count;
    connection->owed[at] = owed;
    return owed;
}

static void owed_count_metrics(const struct owed *owed, const char *outcome)
{
    for (size_t i = 0; i < owed->type_count; i++)
        metrics_event("hl7", owed->types[i], outcome);
    if (owed->type_count == 0)
        metrics_event("hl7", VIEW("other"), outcome);
}

static void owed_settle(struct owed *owed, enum verdict verdict, const struct refusal *refusal, const char *outcome)
{
    owed->known = true;
    owed->verdict = verdict;
    if (refusal != NULL)
        owed->refusal = *refusal;
    owed_count_metrics(owed, outcome);
}

void mllp_connection_learn(struct mllp_connection *connection, uint32_t sequence, enum publication_outcome outcome)
{
    uint32_t place = sequence - connection->sequence;
    if (place >= connection->owed_count)
        return;
    struct owed *owed = connection->owed[(connection->owed_first + place) % LIMIT_MLLP_IN_FLIGHT];
    if (owed->known)
        return;
    switch (outcome) {
    case PUBLICATION_DURABLE:
        owed_settle(owed, VERDICT_ACCEPT, NULL, "accepted");
        return;
    case PUBLICATION_DUPLICATE:
        owed_settle(owed, VERDICT_ACCEPT, NULL, "duplicate");
        return;
    case PUBLICATION_CONFLICT:
        owed_settle(owed, VERDICT_REJECT, &conflicting, "conflict");
        return;
    case PUBLICATION_REFUSED:
        owed_settle(owed, owed->refusal.again ? VERDICT_ERROR : VERDICT_REJECT, NULL, "refused");
        return;
    case PUBLICATION_UNCERTAIN:
        break;
    }
    owed_settle(owed, VERDICT_ERROR, &send_again, "uncertain");
}

/* The answer is made from MSH alone, read again: what it was read into went with the message. */
static void owed_write(struct mllp_connection *connection, const struct owed *owed, struct control_ids *ids)
{
    struct arena arena = {0};
    struct message message;
    struct refusal ignored;
    (void)!message_parse(owed->msh, &arena, &message, &ignored);
    acknowledgement_write(&connection->out, &message, owed->verdict,
                          owed->verdict == VERDICT_ACCEPT ? NULL : &owed->refusal, ids, time_now_ms());
    arena_destroy(&arena);
}

void mllp_connection_answer(struct mllp_connection *connection, struct control_ids *ids)
{
    while (connection->owed_count > 0 && connection->owed[connection->owed_first]->known) {
        struct owed *owed = connection->owed[connection->owed_first];
        owed_write(connection, owed, ids);
        free(owed);
        connection->owed_first = (connection->owed_first + 1) % LIMIT_MLLP_IN_FLIGHT;
        connection->owed_count--;
        connection->sequence++;
    }
}

/* ---- messages ---- */

/* The publisher takes no more. False: it has not for so long that the sender is told to send again. */
static bool wait_for_publisher(struct mllp_connection *connection)
{
    int64_t now_ms = time_monotonic_ms();
    if (connection->blocked_since_ms == 0)
        connection->blocked_since_ms = now_ms;
    return now_ms - connection->blocked_since_ms < LIMIT_PUBLISH_WAIT_MS;
}

/* False: the frame must be offered again later. */
static bool settle_taken(struct mllp_connection *connection, struct intake_result *taken)
{
    switch (taken->outcome) {
    case INTAKE_TAKEN:
        (void)owed_add(connection, taken);
        break;
    case INTAKE_REFUSED:
        owed_add(connection, taken)->refusal = taken->refusal;
        break;
    case INTAKE_LATER:
        if (wait_for_publisher(connection))
            return false;
        owed_settle(owed_add(connection, taken), VERDICT_ERROR, &send_again, "uncertain");
        break;
    case INTAKE_SILENT:
        metrics_event("hl7", VIEW("other"), "ignored");
        break;
    }
    connection->blocked_since_ms = 0;
    return true;
}

static void junk_note(struct mllp_connection *connection)
{
    if (connection->junk_noted == 0 && connection->in.junk_total > 0)
        note(NOTE_WARNING, "mllp-junk", "peer=%s why=\"bytes outside MLLP frames: skipped\"", connection->peer_text);
    connection->junk_noted = connection->in.junk_total;
}

enum result mllp_connection_take_frames(struct mllp_connection *connection, struct intake *intake, uint64_t token,
                                        struct error *err)
{
    while (connection->owed_count < LIMIT_MLLP_IN_FLIGHT && connection->out.size < OUT_LIMIT) {
        struct intake_result taken;
        struct frame frame = deframer_next(&connection->in);
        junk_note(connection);
        if (frame.kind == FRAME_JUNK)
            connection->broken = true;
        if (frame.kind == FRAME_NONE || frame.kind == FRAME_JUNK)
            return OK;
        uint32_t sequence = connection->sequence + (uint32_t)connection->owed_count;
        enum result result = mllp_intake_take(intake, &frame, (const struct sockaddr *)&connection->peer,
                                              connection->peer_text, token | sequence, &taken, err);
        if (result != OK)
            return result;
        if (!settle_taken(connection, &taken))
            return OK;
        deframer_drop(&connection->in);
    }
    return OK;
}

bool mllp_connection_is_open_for_more(const struct mllp_connection *connection)
{
    return !connection->ended && !connection->broken && connection->blocked_since_ms == 0 &&
           connection->owed_count < LIMIT_MLLP_IN_FLIGHT && connection->out.size < OUT_LIMIT;
}

bool mllp_connection_is_quiet(const struct mllp_connection *connection)
{
    return connection->owed_count == 0 && connection->out.size == 0;
}
