/* The character set of a message (MSH-18, HL7 table 0211), and its text as UTF-8. */
#pragma once

#include "broker/base/buffer.h"

enum character_set_kind {
    CHARACTERS_GUESSED, /* not said, ASCII, or a name we do not know: UTF-8 where the bytes are that, else Windows-1252
                         */
    CHARACTERS_UTF8,
    CHARACTERS_LATIN1, /* 8859/1, read as Windows-1252, its superset for what is printed */
    CHARACTERS_BY_ICONV,
};

struct character_set {
    enum character_set_kind kind;
    const char *iconv_name; /* BY_ICONV */
    bool known;             /* false: MSH-18 named one that we do not know */
};

/* By the first repetition of MSH-18; spelling is read generously ("8859/1", "ISO-8859-1", "UNICODE UTF-8", "utf8"). */
struct character_set character_set_find(struct view name);
/* Appends text as UTF-8. What does not decode becomes U+FFFD; returns how many did. Control characters but line ends
 * count as such. */
size_t character_set_decode(const struct character_set *set, struct view text, struct buffer *to);
