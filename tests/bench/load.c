/* Plain connections. */
#include "tests/bench/load.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { EVENTS = 256 };

int64_t load_now_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void load_open(struct load *load, int port, size_t count)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    load->epoll = epoll_create1(EPOLL_CLOEXEC);
    load->count = count;
    load->connections = calloc(count, sizeof *load->connections);
    for (size_t i = 0; i < count; i++) {
        struct load_connection *connection = &load->connections[i];
        int one = 1;
        connection->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
        if (connect(connection->fd, (struct sockaddr *)&address, sizeof address) != 0) {
            perror("bench: connect");
            exit(1);
        }
        (void)setsockopt(connection->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
        (void)fcntl(connection->fd, F_SETFL, O_NONBLOCK);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
        (void)epoll_ctl(load->epoll, EPOLL_CTL_ADD, connection->fd, &event);
    }
}

void load_close(struct load *load)
{
    for (size_t i = 0; i < load->count; i++) {
        (void)close(load->connections[i].fd);
        free(load->connections[i].out);
    }
    free(load->connections);
    (void)close(load->epoll);
}

static void flush(struct load_connection *connection)
{
    while (connection->out_sent < connection->out_size) {
        ssize_t wrote =
            write(connection->fd, connection->out + connection->out_sent, connection->out_size - connection->out_sent);
        if (wrote <= 0)
            return;
        connection->out_sent += (size_t)wrote;
    }
    connection->out_size = connection->out_sent = 0;
}

void load_send(struct load_connection *connection, const char *bytes, size_t size)
{
    connection->out = realloc(connection->out, connection->out_size + size);
    memcpy(connection->out + connection->out_size, bytes, size);
    connection->out_size += size;
    flush(connection);
}

void load_step(struct load *load, int timeout_ms, void (*readable)(void *context, struct load_connection *connection),
               void *context)
{
    struct epoll_event events[EVENTS];
    int count = epoll_wait(load->epoll, events, EVENTS, timeout_ms);
    for (int i = 0; i < count; i++) {
        struct load_connection *connection = events[i].data.ptr;
        ssize_t got =
            read(connection->fd, connection->in + connection->in_size, sizeof connection->in - connection->in_size);
        if (got == 0 || (got < 0 && errno != EAGAIN)) {
            fprintf(stderr, "bench: the server closed a connection\n");
            exit(1);
        }
        if (got > 0) {
            connection->in_size += (size_t)got;
            readable(context, connection);
        }
        flush(connection);
    }
}

int load_take_answer(struct load_connection *connection)
{
    char *end = memmem(connection->in, connection->in_size, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t head = (size_t)(end - connection->in) + 4, body = 0;
    for (char *line = connection->in; line < end; line = strchr(line, '\n') + 1)
        if (strncasecmp(line, "Content-Length:", 15) == 0)
            body = strtoul(line + 15, NULL, 10);
    if (connection->in_size < head + body)
        return 0;
    int status = (int)strtol(connection->in + 9, NULL, 10);
    connection->in_size -= head + body;
    memmove(connection->in, connection->in + head + body, connection->in_size);
    return status;
}
