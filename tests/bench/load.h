/* Many plain HTTP connections on one epoll loop, for measuring a server from outside: no library in between. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct load_connection {
    int fd;
    char *out; /* what is still to be written */
    size_t out_size, out_sent;
    char in[64 * 1024];
    size_t in_size;
    int64_t sent_us; /* when the request under way was sent; 0: none is */
    void *user;
};

struct load {
    int epoll;
    struct load_connection *connections;
    size_t count;
};

/* Connects `count` connections to 127.0.0.1:port. Ends the process where it cannot. */
void load_open(struct load *load, int port, size_t count);
void load_close(struct load *load);
/* Queues bytes on a connection and writes what fits. */
void load_send(struct load_connection *connection, const char *bytes, size_t size);
/* Waits up to timeout_ms, reads and writes; calls readable for each connection that has new bytes in `in`. */
void load_step(struct load *load, int timeout_ms, void (*readable)(void *context, struct load_connection *connection),
               void *context);
/* If a whole HTTP answer stands in `in`, takes it out: its status; 0: not whole yet. */
int load_take_answer(struct load_connection *connection);
int64_t load_now_us(void);
