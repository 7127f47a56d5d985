/* Is it UTF-8? Nearly all text is ASCII: eight characters at a time, and only the rest is looked at closely. */
#pragma once

#include "broker/base/bytes.h"

static inline bool text_is_utf8(struct view text)
{
    const unsigned char *at = text.data;
    uint64_t high = 0, eight;
    size_t i = 0;
    for (; i + 8 <= text.size; i += 8) {
        memcpy(&eight, at + i, 8);
        high |= eight;
    }
    for (; i < text.size; i++)
        high |= at[i];
    return (high & 0x8080808080808080U) == 0 || bytes_are_utf8(text);
}
