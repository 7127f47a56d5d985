/*
 * One sender's connection: bytes in, answers out in the order in which the messages came, several messages in flight.
 *
 *   bytes -> deframer -> intake -> [ answers owed, oldest first ] -> bytes
 *
 * It stops being read while an answer must come first: too many are owed, too much is waiting to be sent, or the
 * publisher takes no more. It is closed when its peer has closed it and all is answered, on an error, or when it is
 * idle too long.
 */
#pragma once

#include "broker/event/limits.h"
#include "producers/hl7/intake.h"

#include <sys/socket.h>

enum { PEER_TEXT_SIZE = 48 };

/* A message whose answer is owed. */
struct owed {
    bool known; /* what to answer */
    enum verdict verdict;
    struct refusal refusal; /* where the verdict is not to accept */
    struct view types[ADT_EVENTS];
    size_t type_count;
    struct view msh; /* follows this struct in its block: what the answer echoes */
};

struct mllp_connection {
    int fd;
    struct sockaddr_storage peer;
    char peer_text[PEER_TEXT_SIZE];
    struct deframer in;
    struct buffer out;
    struct owed *owed[LIMIT_MLLP_IN_FLIGHT]; /* a ring */
    size_t owed_first, owed_count;
    uint32_t sequence;        /* of the oldest owed; they count on from it */
    int64_t last_ms;          /* monotonic: bytes came or went */
    int64_t blocked_since_ms; /* the publisher took no more of it; 0: it does */
    uint64_t junk_noted;
    bool ended;        /* the peer sends no more */
    bool broken;       /* to be closed now */
    uint32_t interest; /* what epoll watches it for */
};

struct mllp_connection *mllp_connection_create(int fd, const struct sockaddr_storage *peer, size_t message_limit);
/* Closes it. Answers that are still owed are never sent: the sender will ask again. */
void mllp_connection_destroy(struct mllp_connection *connection);
/* Reads what has come, at most a piece at a time so that all get their turn. */
void mllp_connection_read(struct mllp_connection *connection);
/* Sends what it can. */
void mllp_connection_write(struct mllp_connection *connection);
/* Takes frames in, as many as may be in flight. token: of the first; the low 32 bits count on, and come back with the
 * publisher's answers. FATAL: stop. */
enum result mllp_connection_take_frames(struct mllp_connection *connection, struct intake *intake, uint64_t token,
                                        struct error *err);
/* What became of the message with this sequence number. Unknown numbers are passed over. */
void mllp_connection_learn(struct mllp_connection *connection, uint32_t sequence, enum publication_outcome outcome);
/* Writes the answers that are known and whose turn it is. */
void mllp_connection_answer(struct mllp_connection *connection, struct control_ids *ids);
/* May more be read of it? */
bool mllp_connection_is_open_for_more(const struct mllp_connection *connection);
/* Nothing is owed, and nothing waits to be sent. */
bool mllp_connection_is_quiet(const struct mllp_connection *connection);
