/* Connections come and go. */
#include "producers/hl7/inside.h"

#include "broker/base/note.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>

enum {
    ACCEPTS = 64,           /* a turn, so that open connections get theirs */
    ACCEPT_PAUSE_MS = 1000, /* after the system has no more file descriptors */
};

bool mllp_server_watch(const struct mllp_server *server, int fd, uint32_t who)
{
    struct epoll_event event = {.events = EPOLLIN, .data.u64 = who};
    return epoll_ctl(server->epoll, EPOLL_CTL_ADD, fd, &event) == 0;
}

static void keep_alive(int fd)
{
    int one = 1, idle_s = 60, between_s = 15, probes = 4;
    (void)setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle_s, sizeof idle_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &between_s, sizeof between_s);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_KEEPCNT, &probes, sizeof probes);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

static void take_in(struct mllp_server *server, int fd, const struct sockaddr_storage *peer)
{
    size_t at = 0;
    while (at < server->slots_used && server->slots[at].connection != NULL)
        at++;
    struct mllp_connection *connection = mllp_connection_create(fd, peer, server->options.message_bytes);
    if (server->connection_count >= server->options.connections || !mllp_server_watch(server, fd, (uint32_t)at)) {
        note(NOTE_WARNING, "mllp-too-many", "peer=%s connections=%zu why=\"too many connections: closed\"",
             connection->peer_text, server->connection_count);
        mllp_connection_destroy(connection);
        return;
    }
    keep_alive(fd);
    connection->interest = EPOLLIN;
    server->slots[at].connection = connection;
    server->slots[at].generation++;
    if (at == server->slots_used)
        server->slots_used++;
    server->connection_count++;
}

void mllp_server_accept(struct mllp_server *server)
{
    for (int i = 0; i < ACCEPTS; i++) {
        struct sockaddr_storage peer = {0};
        socklen_t size = sizeof peer;
        int fd = accept4(server->listener, (struct sockaddr *)&peer, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd >= 0) {
            take_in(server, fd, &peer);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            note(NOTE_ERROR, "mllp-accept", "errno=%d why=\"the system has no more connections to give\"", errno);
            (void)epoll_ctl(server->epoll, EPOLL_CTL_DEL, server->listener, NULL);
            server->accept_after_ms = time_monotonic_ms() + ACCEPT_PAUSE_MS;
            return;
        } else if (errno != EINTR && errno != ECONNABORTED) {
            return;
        }
    }
}

void mllp_server_drop(struct mllp_server *server, size_t at)
{
    mllp_connection_destroy(server->slots[at].connection);
    server->slots[at].connection = NULL;
    server->connection_count--;
    while (server->slots_used > 0 && server->slots[server->slots_used - 1].connection == NULL)
        server->slots_used--;
}

void mllp_server_accept_again(struct mllp_server *server, int64_t now_ms)
{
    if (server->accept_after_ms == 0 || now_ms < server->accept_after_ms || server->listener < 0)
        return;
    server->accept_after_ms = 0;
    (void)!mllp_server_watch(server, server->listener, WHO_LISTENER);
}
