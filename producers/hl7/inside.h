/* The inside of the MLLP door, for mllp_server.c (its turns) and accept.c (who comes and goes). */
#pragma once

#include "broker/http/address.h"
#include "producers/hl7/connection.h"
#include "producers/hl7/mllp_server.h"

/* What epoll's events name: a place in slots, or one of these. */
enum { WHO_LISTENER = LIMIT_CONNECTIONS, WHO_OTHERS };

struct slot {
    struct mllp_connection *connection; /* NULL: free */
    uint16_t generation;                /* of who is in it: a late answer for another one is not this one's */
};

struct mllp_server {
    struct mllp_server_options options;
    int epoll, listener;
    char address[ADDRESS_TEXT_SIZE];
    struct intake intake;
    struct control_ids ids;
    struct slot slots[LIMIT_CONNECTIONS];
    size_t connection_count, slots_used; /* slots_used: no connection stands at or after it */
    int64_t last_sweep_ms, accept_after_ms;
    bool quiescing;
};

/* Watches fd for reading; false: the system refuses. */
bool mllp_server_watch(const struct mllp_server *server, int fd, uint32_t who);
/* Takes in who waits at the listener. */
void mllp_server_accept(struct mllp_server *server);
/* After a pause, for want of file descriptors: listens again when it is over. */
void mllp_server_accept_again(struct mllp_server *server, int64_t now_ms);
/* Closes the connection there, and frees its place. */
void mllp_server_drop(struct mllp_server *server, size_t at);
