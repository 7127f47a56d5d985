/*
 * Connections whose answer went out before their body came in (413, 400). Closing them at once would make the kernel
 * send a reset, which may destroy the answer before the client reads it; so what still comes is read past for a while.
 */
#pragma once

#include <stdint.h>

enum {
    LIMIT_LINGERING = 64,        /* sockets; one more: the oldest is closed */
    LINGER_MS = 5000,            /* a client that sends longer than this loses the answer */
    LINGER_STEP_BYTES = 1 << 20, /* read past in one step, so that others have their turn */
};

struct lingerers {
    int epoll_fd; /* borrowed: becomes readable when a lingering socket does */
    struct {
        int fd;
        int64_t until_ms; /* monotonic */
    } sockets[LIMIT_LINGERING];
    int count;
};

void linger_take(struct lingerers *linger, int fd); /* owns fd from here on */
void linger_step(struct lingerers *linger);
int linger_timeout_ms(const struct lingerers *linger); /* -1: nothing lingers */
void linger_close_all(struct lingerers *linger);
