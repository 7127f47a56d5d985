/* Where a door listens: "127.0.0.1:8080", "[::1]:0", "localhost:8080". */
#pragma once

#include "broker/base/result.h"

#include <stddef.h>

enum { ADDRESS_TEXT_SIZE = 64 };

/* A listening TCP socket that does not block. ret_text: the address with the real port, ADDRESS_TEXT_SIZE bytes. */
enum result address_listen(const char *address, int *ret_fd, char *ret_text, struct error *err);
/* The peer's address without its port, cut to size. */
struct sockaddr;
void address_of_peer(const struct sockaddr *peer, char *ret_text, size_t size);
