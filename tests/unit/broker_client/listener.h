/* A socket that listens on a free port, for tests that play the broker. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/client/client.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ret_address: "127.0.0.1:PORT". */
static int listener_open(char ret_address[32])
{
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    struct sockaddr_in at = {.sin_family = AF_INET};
    socklen_t size = sizeof at;
    at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof at), 0);
    assert_int_equal(listen(fd, 8), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    (void)snprintf(ret_address, 32, "127.0.0.1:%u", (unsigned)ntohs(at.sin_port));
    return fd;
}
