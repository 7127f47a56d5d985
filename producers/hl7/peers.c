/* Addresses in ranges. */
#include "producers/hl7/peers.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

enum { RANGE_TEXT_SIZE = 64 };

/* An address as its bytes: 4 or 16. */
struct address_bytes {
    uint8_t bytes[16];
    size_t size;
};

static struct address_bytes unmap(struct address_bytes address)
{
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};
    if (address.size == 16 && memcmp(address.bytes, mapped, sizeof mapped) == 0) {
        memmove(address.bytes, address.bytes + 12, 4);
        address.size = 4;
    }
    return address;
}

static struct address_bytes address_read(const struct sockaddr *from)
{
    struct address_bytes address = {0};
    if (from->sa_family == AF_INET) {
        memcpy(address.bytes, &((const struct sockaddr_in *)(const void *)from)->sin_addr, 4);
        address.size = 4;
    } else if (from->sa_family == AF_INET6) {
        memcpy(address.bytes, &((const struct sockaddr_in6 *)(const void *)from)->sin6_addr, 16);
        address.size = 16;
    }
    return unmap(address);
}

/* Takes "10.1.0.0/16" apart; without a slash all bits count. */
static bool range_read(struct view text, struct address_bytes *ret, int64_t *ret_bits)
{
    char host[RANGE_TEXT_SIZE];
    const char *slash = text.size == 0 ? NULL : memchr(text.data, '/', text.size);
    size_t size = slash == NULL ? text.size : (size_t)(slash - (const char *)text.data);
    if (size == 0 || size >= sizeof host)
        return false;
    memcpy(host, text.data, size);
    host[size] = '\0';
    ret->size = memchr(host, ':', size) == NULL ? 4 : 16;
    if (inet_pton(ret->size == 4 ? AF_INET : AF_INET6, host, ret->bytes) != 1)
        return false;
    *ret_bits = (int64_t)ret->size * 8;
    return slash == NULL ||
           (view_to_number(view_after(text, size + 1), ret_bits) && *ret_bits <= (int64_t)ret->size * 8);
}

static bool bits_are_equal(const uint8_t *a, const uint8_t *b, int64_t bits)
{
    size_t whole = (size_t)bits / 8;
    unsigned rest = (unsigned)bits % 8;
    if (memcmp(a, b, whole) != 0)
        return false;
    return rest == 0 || (a[whole] ^ b[whole]) >> (8 - rest) == 0;
}

bool address_is_in_range(const struct sockaddr *address, struct view range)
{
    struct address_bytes wanted = {0}, is = address_read(address);
    int64_t bits;
    return range_read(range, &wanted, &bits) && is.size == wanted.size && bits_are_equal(is.bytes, wanted.bytes, bits);
}

bool peers_allow(const struct organisation *organisation, const struct sockaddr *address)
{
    if (organisation->mllp_peer_count == 0)
        return address_is_in_range(address, VIEW("127.0.0.0/8")) || address_is_in_range(address, VIEW("::1"));
    for (size_t i = 0; i < organisation->mllp_peer_count; i++)
        if (address_is_in_range(address, organisation->mllp_peers[i]))
            return true;
    return false;
}
