/* Hex, base64url, CRC-32C, UTF-8. */
#include "broker/base/bytes.h"

#include <pthread.h>

void bytes_add_hex(struct buffer *to, struct view bytes)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *byte = bytes.data;
    for (size_t i = 0; i < bytes.size; i++) {
        buffer_add_byte(to, (uint8_t)digits[byte[i] >> 4]);
        buffer_add_byte(to, (uint8_t)digits[byte[i] & 15]);
    }
}

static const char base64url[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

void bytes_to_base64url(struct view bytes, char *ret)
{
    const unsigned char *byte = bytes.data;
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < bytes.size; i++) {
        bits = bits << 8 | byte[i];
        count += 8;
        while (count >= 6) {
            count -= 6;
            *ret++ = base64url[bits >> count & 63];
        }
    }
    if (count > 0)
        *ret++ = base64url[bits << (6 - count) & 63];
    *ret = '\0';
}

bool bytes_from_base64url(struct view text, void *ret, size_t size)
{
    if (text.size != (size * 4 + 2) / 3)
        return false;
    const char *character = text.data;
    unsigned char *out = ret;
    uint32_t bits = 0;
    int count = 0;
    for (size_t i = 0; i < text.size; i++) {
        const char *found = character[i] == '\0' ? NULL : strchr(base64url, character[i]);
        if (found == NULL)
            return false;
        bits = bits << 6 | (uint32_t)(found - base64url);
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = (unsigned char)(bits >> count);
        }
    }
    return (bits & ((1U << count) - 1)) == 0; /* one text for one value */
}

static uint32_t crc_table[8][256];

static void crc_table_make(void)
{
    for (uint32_t i = 0; i < 256; i++) {
        uint32_t crc = i;
        for (int bit = 0; bit < 8; bit++)
            crc = (crc & 1) != 0 ? crc >> 1 ^ 0x82F63B78U : crc >> 1;
        crc_table[0][i] = crc;
    }
    for (uint32_t i = 0; i < 256; i++)
        for (int slice = 1; slice < 8; slice++)
            crc_table[slice][i] = crc_table[slice - 1][i] >> 8 ^ crc_table[0][crc_table[slice - 1][i] & 255];
}

uint32_t bytes_crc32c_portable(uint32_t crc, const void *data, size_t size)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    (void)pthread_once(&once, crc_table_make);
    const unsigned char *byte = data;
    crc = ~crc;
    for (; size >= 8; size -= 8, byte += 8) {
        uint32_t low =
            crc ^ ((uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24);
        crc = crc_table[7][low & 255] ^ crc_table[6][low >> 8 & 255] ^ crc_table[5][low >> 16 & 255] ^
              crc_table[4][low >> 24] ^ crc_table[3][byte[4]] ^ crc_table[2][byte[5]] ^ crc_table[1][byte[6]] ^
              crc_table[0][byte[7]];
    }
    for (; size > 0; size--, byte++)
        crc = crc >> 8 ^ crc_table[0][(crc ^ *byte) & 255];
    return ~crc;
}

#if defined(__x86_64__)
[[gnu::target("sse4.2")]] static uint32_t crc32c_by_processor(uint32_t crc, const unsigned char *byte, size_t size)
{
    uint64_t wide = ~crc;
    for (; size >= 8; size -= 8, byte += 8) {
        uint64_t word;
        memcpy(&word, byte, sizeof word);
        wide = __builtin_ia32_crc32di(wide, word);
    }
    uint32_t narrow = (uint32_t)wide;
    for (; size > 0; size--, byte++)
        narrow = __builtin_ia32_crc32qi(narrow, *byte);
    return ~narrow;
}

uint32_t bytes_crc32c(uint32_t crc, const void *data, size_t size)
{
    if (__builtin_cpu_supports("sse4.2"))
        return crc32c_by_processor(crc, data, size);
    return bytes_crc32c_portable(crc, data, size);
}
#else
uint32_t bytes_crc32c(uint32_t crc, const void *data, size_t size)
{
    return bytes_crc32c_portable(crc, data, size);
}
#endif

size_t bytes_utf8_sequence(struct view text)
{
    const unsigned char *at = text.data;
    if (text.size == 0)
        return 0;
    if (*at < 0x80)
        return 1;
    size_t more = *at > 0xF4 ? 0 : *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : *at >= 0xC2 ? 1 : 0;
    if (more == 0 || text.size <= more)
        return 0;
    unsigned char lowest = *at == 0xE0 ? 0xA0 : *at == 0xF0 ? 0x90 : 0x80;
    unsigned char highest = *at == 0xED ? 0x9F : *at == 0xF4 ? 0x8F : 0xBF;
    if (at[1] < lowest || at[1] > highest)
        return 0;
    for (size_t i = 2; i <= more; i++)
        if ((at[i] & 0xC0) != 0x80)
            return 0;
    return more + 1;
}

bool bytes_are_utf8(struct view text)
{
    while (text.size > 0) {
        size_t size = bytes_utf8_sequence(text);
        if (size == 0)
            return false;
        text = view_after(text, size);
    }
    return true;
}
