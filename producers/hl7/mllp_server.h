/*
 * The MLLP door: listens, takes HL7 messages in, answers them in the order received (interface, section 4).
 *
 * It lives on one thread, which calls mllp_server_step again and again; it turns its publisher and directory too, which
 * belong to the same thread.
 */
#pragma once

#include "broker/publisher/publisher.h"

struct mllp_server;

struct mllp_server_options {
    const char *address; /* "127.0.0.1:2575"; port 0: any free one */
    struct publisher *publisher;
    struct directory *directory;
    /* 0: as limits.h and the domain say. */
    size_t message_bytes; /* the largest message */
    size_t connections;   /* at a time */
    int64_t idle_ms;      /* without a byte, then closed: 10 minutes */
    int64_t inside_ms;    /* the same in the middle of a message: 30 seconds */
};

/* REJECTED: the address is none. FATAL: it cannot be listened on. */
enum result mllp_server_open(const struct mllp_server_options *options, struct mllp_server **ret, struct error *err);
/* Closes all connections as they stand. Before that, for a clean stop: quiesce, and step until it is quiet. */
void mllp_server_close(struct mllp_server *server);
/* Readable: there is something to do for mllp_server_step. */
int mllp_server_fd(const struct mllp_server *server);
/* The address it listens on, with the real port. */
const char *mllp_server_address(const struct mllp_server *server);
/* One turn: waits up to timeout_ms for something to do, and does it. OK: did something. NOTHING: idle. FATAL: stop the
 * process. */
enum result mllp_server_step(struct mllp_server *server, int timeout_ms, struct error *err);
/* From here on takes no connection and no message, but answers what it has taken, and then closes each connection. */
void mllp_server_quiesce(struct mllp_server *server);
/* After quiesce: all is answered. */
bool mllp_server_is_quiet(const struct mllp_server *server);
size_t mllp_server_connections(const struct mllp_server *server);
