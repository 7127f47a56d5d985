/* MLLP release 1, as a sending system: 0B message 1C 0D, and acknowledgements framed the same. */
#include "broker/client/client.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    START_BLOCK = 0x0B,
    END_BLOCK = 0x1C,
    CONNECT_TIMEOUT_MS = 10 * 1000,
    WRITE_TIMEOUT_MS = 30 * 1000, /* without a byte taken by the other side */
    READ_BYTES = 64 * 1024,
};

struct mllp_client {
    int fd;
    char *address;
    struct buffer in; /* read, not yet asked for */
};

/* ---- Connecting ---- */

static bool split(const char *address, char ret_host[256], char ret_port[6])
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return false;
    struct view host = view_make(address, (size_t)(colon - address));
    if (host.size >= 2 && address[0] == '[' && address[host.size - 1] == ']')
        host = view_make(address + 1, host.size - 2);
    struct view port = view_of_text(colon + 1);
    int64_t number;
    if (host.size == 0 || host.size > 255 || port.size > 5 || !view_to_number(port, &number) || number > 65535)
        return false;
    memcpy(ret_host, host.data, host.size);
    ret_host[host.size] = '\0';
    memcpy(ret_port, port.data, port.size);
    ret_port[port.size] = '\0';
    return true;
}

static bool wait_for(int fd, short events, int timeout_ms)
{
    int64_t until_ms = time_monotonic_ms() + timeout_ms;
    for (;;) {
        struct pollfd ready = {.fd = fd, .events = events};
        int64_t left_ms = until_ms - time_monotonic_ms();
        int count = poll(&ready, 1, left_ms < 0 ? 0 : (int)left_ms);
        if (count > 0)
            return true;
        if (count == 0 || errno != EINTR)
            return false;
    }
}

/* -1 and errno: not connected. */
static int connect_to(const struct addrinfo *to)
{
    int one = 1, failed = 0;
    socklen_t size = sizeof failed;
    int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    if (connect(fd, to->ai_addr, to->ai_addrlen) == 0)
        return fd;
    if (errno != EINPROGRESS)
        failed = errno;
    else if (!wait_for(fd, POLLOUT, CONNECT_TIMEOUT_MS))
        failed = ETIMEDOUT;
    else if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failed, &size) != 0)
        failed = errno;
    if (failed == 0)
        return fd;
    (void)close(fd);
    errno = failed;
    return -1;
}

enum result mllp_client_open(const char *address, struct mllp_client **ret, struct error *err)
{
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_NUMERICSERV};
    char host[256], port[6];
    if (!split(address, host, port))
        return error_set(err, REJECTED, "%.100s is not an address and port, such as 127.0.0.1:2575", address);
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0)
        return error_set(err, AGAIN, "%s is not known here: %s", host, gai_strerror(code));
    int fd = -1;
    for (const struct addrinfo *to = found; to != NULL && fd < 0; to = to->ai_next)
        fd = connect_to(to);
    int why = errno;
    freeaddrinfo(found);
    if (fd < 0)
        return error_set(err, AGAIN, "no MLLP door answers at %s: %s", address, strerror(why));
    struct mllp_client *client = memory_take(sizeof *client);
    client->fd = fd;
    client->address = memory_text(view_of_text(address));
    *ret = client;
    return OK;
}

void mllp_client_close(struct mllp_client *client)
{
    if (client == NULL)
        return;
    (void)close(client->fd);
    buffer_destroy(&client->in);
    free(client->address);
    free(client);
}

/* ---- Messages ---- */

static enum result broke(const struct mllp_client *client, const char *why, struct error *err)
{
    return error_set(err, AGAIN, "the MLLP connection to %s broke: %s", client->address, why);
}

/* Reads what is there, without waiting. */
static enum result take_in(struct mllp_client *client, struct error *err)
{
    char bytes[READ_BYTES];
    ssize_t size = recv(client->fd, bytes, sizeof bytes, MSG_DONTWAIT);
    if (size == 0)
        return broke(client, "closed by the other side", err);
    if (size < 0)
        return errno == EAGAIN || errno == EINTR ? NOTHING : broke(client, strerror(errno), err);
    if (client->in.size + (size_t)size > LIMIT_HL7_BYTES)
        return broke(client, "more than 4 MiB without an acknowledgement", err);
    buffer_add(&client->in, bytes, (size_t)size);
    return OK;
}

enum result mllp_client_write(struct mllp_client *client, struct view message, struct error *err)
{
    enum result result = OK;
    struct buffer frame = {0};
    buffer_reserve(&frame, message.size + 3);
    buffer_add_byte(&frame, START_BLOCK);
    buffer_add_view(&frame, message);
    buffer_add_byte(&frame, END_BLOCK);
    buffer_add_byte(&frame, '\r');
    size_t sent = 0;
    while (sent < frame.size && result == OK) {
        ssize_t size = send(client->fd, frame.data + sent, frame.size - sent, MSG_NOSIGNAL | MSG_DONTWAIT);
        if (size > 0) {
            sent += (size_t)size;
        } else if (errno != EAGAIN && errno != EINTR) {
            result = broke(client, strerror(errno), err);
        } else if (!wait_for(client->fd, POLLOUT | POLLIN, WRITE_TIMEOUT_MS)) {
            result = broke(client, "it takes nothing", err);
        } else {
            /* Acknowledgements are read meanwhile: a door that cannot write them stops reading us. */
            result = take_in(client, err);
            if (result == NOTHING)
                result = OK;
        }
    }
    buffer_destroy(&frame);
    return result;
}

/* Takes the first whole frame out of what was read. */
static bool take_frame(struct mllp_client *client, struct buffer *ret)
{
    struct view in = buffer_view(&client->in);
    const uint8_t *start = in.size == 0 ? NULL : memchr(in.data, START_BLOCK, in.size);
    if (start == NULL) {
        buffer_clear(&client->in); /* line ends between frames */
        return false;
    }
    start++;
    size_t left = in.size - (size_t)(start - (const uint8_t *)in.data);
    const uint8_t *end = memmem(start, left, "\x1C\r", 2);
    if (end == NULL)
        return false;
    buffer_add(ret, start, (size_t)(end - start));
    buffer_remove_front(&client->in, (size_t)(end + 2 - (const uint8_t *)in.data));
    return true;
}

enum result mllp_client_read(struct mllp_client *client, int timeout_ms, struct buffer *ret, struct error *err)
{
    int64_t until_ms = time_monotonic_ms() + timeout_ms;
    for (;;) {
        if (take_frame(client, ret))
            return OK;
        enum result result = take_in(client, err);
        if (result == OK)
            continue;
        if (result != NOTHING)
            return result;
        int64_t left_ms = until_ms - time_monotonic_ms();
        if (left_ms <= 0)
            return NOTHING;
        (void)wait_for(client->fd, POLLIN, (int)left_ms);
    }
}
