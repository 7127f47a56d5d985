/* Notices clients that leave, and sees to it that MHD does too. */
#include "broker/http/connection.h"

#include "broker/http/request.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/socket.h>

struct connection *connection_create(struct leavers *leavers, int fd)
{
    struct connection *connection = memory_take(sizeof *connection);
    connection->fd = fd;
    /* Edge-triggered: told once, when the client closes or breaks. Without it, it would be missed at the idle timeout.
     */
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = connection};
    (void)epoll_ctl(leavers->epoll_fd, EPOLL_CTL_ADD, fd, &event);
    return connection;
}

static void unlist(struct leavers *leavers, struct connection *connection)
{
    if (!connection->left)
        return;
    connection->left = false;
    if (connection->previous != NULL)
        connection->previous->next = connection->next;
    else
        leavers->first = connection->next;
    if (connection->next != NULL)
        connection->next->previous = connection->previous;
    connection->previous = connection->next = NULL;
}

void connection_destroy(struct leavers *leavers, struct connection *connection)
{
    (void)epoll_ctl(leavers->epoll_fd, EPOLL_CTL_DEL, connection->fd, NULL);
    unlist(leavers, connection);
    free(connection);
}

void connection_left(struct leavers *leavers, struct connection *connection)
{
    if (connection->left)
        return;
    connection->left = true;
    connection->next = leavers->first;
    if (connection->next != NULL)
        connection->next->previous = connection;
    leavers->first = connection;
}

/* All that the client sent was read. */
static bool is_drained(int fd)
{
    char byte;
    ssize_t size = recv(fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR);
}

void leavers_see_off(struct leavers *leavers)
{
    struct connection *next;
    for (struct connection *connection = leavers->first; connection != NULL; connection = next) {
        struct http_request *request = connection->request;
        next = connection->next;
        if (request != NULL && (request->state == STREAMING || request->state == ENDED)) {
            unlist(leavers, connection);
            request_cut(request);
        } else if ((request == NULL || request->state == RECEIVING) && is_drained(connection->fd)) {
            unlist(leavers, connection);
            (void)shutdown(connection->fd, SHUT_RDWR); /* this MHD is told of, and cleans up */
        }
    }
}
