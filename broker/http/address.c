/* From the text of an address to a listening socket, and back to text. */
#include "broker/http/address.h"

#include "broker/base/view.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 1024 }; /* many subscribers come back at once after a restart */

/* Takes "host:port" and "[host]:port" apart; each is NUL-terminated. */
static bool split(const char *address, char ret_host[256], char ret_port[6])
{
    const char *colon = strrchr(address, ':');
    if (colon == NULL)
        return false;
    struct view host = view_make(address, (size_t)(colon - address));
    struct view port = view_of_text(colon + 1);
    bool brackets = host.size >= 2 && address[0] == '[' && address[host.size - 1] == ']';
    if (brackets)
        host = view_make(address + 1, host.size - 2);
    else if (host.size > 0 && memchr(host.data, ':', host.size) != NULL)
        return false;
    int64_t number;
    if (host.size == 0 || host.size > 255 || port.size > 5 || !view_to_number(port, &number) || number > 65535)
        return false;
    memcpy(ret_host, host.data, host.size);
    ret_host[host.size] = '\0';
    memcpy(ret_port, port.data, port.size);
    ret_port[port.size] = '\0';
    return true;
}

static void write_text(const struct sockaddr *at, char *ret_text)
{
    char host[INET6_ADDRSTRLEN];
    address_of_peer(at, host, sizeof host);
    unsigned port = at->sa_family == AF_INET6 ? ntohs(((const struct sockaddr_in6 *)(const void *)at)->sin6_port)
                                              : ntohs(((const struct sockaddr_in *)(const void *)at)->sin_port);
    (void)snprintf(ret_text, ADDRESS_TEXT_SIZE, at->sa_family == AF_INET6 ? "[%s]:%u" : "%s:%u", host, port);
}

static enum result refuse(const char *address, int why, struct error *err)
{
    if (why == EADDRINUSE)
        return error_set(err, FATAL, "%s is in use: choose another with --http", address);
    if (why == EADDRNOTAVAIL)
        return error_set(err, FATAL, "%s is not an address of this machine: choose another with --http", address);
    if (why == EACCES)
        return error_set(err, FATAL, "%s may not be opened by this user: choose a port above 1023 with --http",
                         address);
    return error_set(err, FATAL, "cannot listen on %s: %s", address, strerror(why));
}

enum result address_listen(const char *address, int *ret_fd, char *ret_text, struct error *err)
{
    enum result result = FATAL;
    struct addrinfo *found = NULL;
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    char host[256], port[6];
    int fd = -1;

    if (!split(address, host, port)) {
        result = error_set(err, REJECTED, "%.100s is not an address and port, such as 127.0.0.1:8080 or [::1]:8080",
                           address);
        goto out;
    }
    int code = getaddrinfo(host, port, &hints, &found);
    if (code != 0) {
        result = error_set(err, FATAL, "%s is not known here: %s", host, gai_strerror(code));
        goto out;
    }
    int one = 1;
    struct sockaddr_storage real = {0};
    socklen_t size = sizeof real;
    fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) != 0 ||
        bind(fd, found->ai_addr, found->ai_addrlen) != 0 || listen(fd, BACKLOG) != 0 ||
        getsockname(fd, (struct sockaddr *)&real, &size) != 0) {
        result = refuse(address, errno, err);
        goto out;
    }
    write_text((const struct sockaddr *)&real, ret_text);
    *ret_fd = fd;
    fd = -1;
    result = OK;
out:
    if (fd >= 0)
        (void)close(fd);
    if (found != NULL)
        freeaddrinfo(found);
    return result;
}

void address_of_peer(const struct sockaddr *peer, char *ret_text, size_t size)
{
    const void *bytes = peer->sa_family == AF_INET6
                            ? (const void *)&((const struct sockaddr_in6 *)(const void *)peer)->sin6_addr
                            : (const void *)&((const struct sockaddr_in *)(const void *)peer)->sin_addr;
    if (inet_ntop(peer->sa_family, bytes, ret_text, (socklen_t)size) == NULL)
        ret_text[0] = '\0';
}
