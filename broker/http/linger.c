/* Reads past what a client still sends after it was answered, until it is done or its time is over. */
#include "broker/http/linger.h"

#include "broker/base/time.h"

#include <errno.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* In order of age, so that the first is always the next to be over. */
static void drop(struct lingerers *linger, int place)
{
    (void)epoll_ctl(linger->epoll_fd, EPOLL_CTL_DEL, linger->sockets[place].fd, NULL);
    (void)close(linger->sockets[place].fd);
    linger->count--;
    memmove(&linger->sockets[place], &linger->sockets[place + 1],
            (size_t)(linger->count - place) * sizeof linger->sockets[0]);
}

void linger_take(struct lingerers *linger, int fd)
{
    if (linger->count == LIMIT_LINGERING)
        drop(linger, 0);
    struct epoll_event event = {.events = EPOLLIN | EPOLLRDHUP, .data.ptr = NULL};
    if (epoll_ctl(linger->epoll_fd, EPOLL_CTL_ADD, fd, &event) != 0) {
        (void)close(fd);
        return;
    }
    linger->sockets[linger->count].fd = fd;
    linger->sockets[linger->count].until_ms = time_monotonic_ms() + LINGER_MS;
    linger->count++;
}

/* False: the other side is done. */
static bool read_past(int fd)
{
    char bytes[16384];
    for (int total = 0; total < LINGER_STEP_BYTES;) {
        ssize_t got = recv(fd, bytes, sizeof bytes, MSG_DONTWAIT);
        if (got <= 0)
            return got < 0 && (errno == EAGAIN || errno == EINTR);
        total += (int)got;
    }
    return true;
}

void linger_step(struct lingerers *linger)
{
    if (linger->count == 0)
        return;
    int64_t now_ms = time_monotonic_ms();
    for (int i = linger->count - 1; i >= 0; i--)
        if (linger->sockets[i].until_ms <= now_ms || !read_past(linger->sockets[i].fd))
            drop(linger, i);
}

int linger_timeout_ms(const struct lingerers *linger)
{
    if (linger->count == 0)
        return -1;
    int64_t left_ms = linger->sockets[0].until_ms - time_monotonic_ms();
    return left_ms < 0 ? 0 : (int)left_ms;
}

void linger_close_all(struct lingerers *linger)
{
    while (linger->count > 0)
        drop(linger, linger->count - 1);
}
