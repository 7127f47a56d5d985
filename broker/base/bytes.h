/* Numbers as bytes, bytes as text. */
#pragma once

#include "broker/base/buffer.h"

static inline void bytes_put_u32(void *at, uint32_t value) /* big-endian */
{
    unsigned char *byte = at;
    for (int i = 0; i < 4; i++)
        byte[i] = (unsigned char)(value >> (24 - 8 * i));
}

static inline void bytes_put_u64(void *at, uint64_t value)
{
    bytes_put_u32(at, (uint32_t)(value >> 32));
    bytes_put_u32((unsigned char *)at + 4, (uint32_t)value);
}

static inline uint32_t bytes_get_u32(const void *at)
{
    const unsigned char *byte = at;
    return (uint32_t)byte[0] << 24 | (uint32_t)byte[1] << 16 | (uint32_t)byte[2] << 8 | byte[3];
}

static inline uint64_t bytes_get_u64(const void *at)
{
    return (uint64_t)bytes_get_u32(at) << 32 | bytes_get_u32((const unsigned char *)at + 4);
}

/* Lower-case hex. */
void bytes_add_hex(struct buffer *to, struct view bytes);
/* RFC 4648 section 5, without padding. ret holds (size * 4 + 2) / 3 characters and a NUL. */
void bytes_to_base64url(struct view bytes, char *ret);
/* False: not exactly size bytes of base64url without padding; ret may be half written. */
bool bytes_from_base64url(struct view text, void *ret, size_t size);

/* CRC-32C (Castagnoli; RFC 3720 appendix B.4), of data after what crc covers already (start with 0). */
uint32_t bytes_crc32c(uint32_t crc, const void *data, size_t size);
/* The same without the processor's own instruction: for machines that lack it, and to compare with. */
uint32_t bytes_crc32c_portable(uint32_t crc, const void *data, size_t size);

/* Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms). */
bool bytes_are_utf8(struct view text);
/* The size of the one well-formed sequence that text begins with; 0: none. */
size_t bytes_utf8_sequence(struct view text);
