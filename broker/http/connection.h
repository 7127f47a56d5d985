/*
 * Clients that leave. MHD looks at a socket only while it wants to read or write, and misses an end that comes together
 * with the last bytes; it would keep such a connection until its idle timeout. So each socket is watched here as well.
 */
#pragma once

#include <stdbool.h>

struct http_request;

struct connection {
    int fd;                       /* MHD's */
    bool left;                    /* the client's side is closed; in the list of leavers */
    struct http_request *request; /* the one that is being read or answered; NULL: none */
    struct connection *previous, *next;
};

struct leavers {
    int epoll_fd; /* borrowed */
    struct connection *first;
};

/* From MHD's notices that a connection started, and that it is closed. */
struct connection *connection_create(struct leavers *leavers, int fd);
void connection_destroy(struct leavers *leavers, struct connection *connection);
/* The epoll reported this connection. */
void connection_left(struct leavers *leavers, struct connection *connection);
/* Ends the connections of those who left, but for what still waits for its answer: who closes only one side may yet
 * read. */
void leavers_see_off(struct leavers *leavers);
