/* Bytes of a named character set as UTF-8. */
#include "producers/hl7/character_set.h"

#include "broker/base/bytes.h"

#include <errno.h>
#include <iconv.h>

static const char replacement[] = "\xEF\xBF\xBD"; /* U+FFFD */

/* Names of table 0211 without "ISO", "UNICODE", spaces and punctuation, in capitals. */
static const struct {
    const char *name;
    enum character_set_kind kind;
    const char *iconv_name;
} sets[] = {
    {"", CHARACTERS_GUESSED, NULL},
    {"ASCII", CHARACTERS_GUESSED, NULL},
    {"USASCII", CHARACTERS_GUESSED, NULL},
    {"IR6", CHARACTERS_GUESSED, NULL},
    {"UTF8", CHARACTERS_UTF8, NULL},
    {"88591", CHARACTERS_LATIN1, NULL},
    {"LATIN1", CHARACTERS_LATIN1, NULL},
    {"WINDOWS1252", CHARACTERS_LATIN1, NULL},
    {"CP1252", CHARACTERS_LATIN1, NULL},
    {"88592", CHARACTERS_BY_ICONV, "ISO-8859-2"},
    {"88593", CHARACTERS_BY_ICONV, "ISO-8859-3"},
    {"88594", CHARACTERS_BY_ICONV, "ISO-8859-4"},
    {"88595", CHARACTERS_BY_ICONV, "ISO-8859-5"},
    {"88596", CHARACTERS_BY_ICONV, "ISO-8859-6"},
    {"88597", CHARACTERS_BY_ICONV, "ISO-8859-7"},
    {"88598", CHARACTERS_BY_ICONV, "ISO-8859-8"},
    {"88599", CHARACTERS_BY_ICONV, "ISO-8859-9"},
    {"885915", CHARACTERS_BY_ICONV, "ISO-8859-15"},
    {"GB180302000", CHARACTERS_BY_ICONV, "GB18030"},
    {"BIG5", CHARACTERS_BY_ICONV, "BIG5"},
    {"KSX1001", CHARACTERS_BY_ICONV, "EUC-KR"},
};

/* Drops "ISO", "UNICODE" at the front and all that is neither letter nor digit. */
static size_t name_fold(struct view name, char *ret, size_t capacity)
{
    const char *at = name.data;
    size_t size = 0;
    for (size_t i = 0; i < name.size && size < capacity; i++) {
        char c = at[i];
        if (c >= 'a' && c <= 'z')
            c = (char)(c - 'a' + 'A');
        if ((c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9'))
            ret[size++] = c;
        if ((size == 3 && memcmp(ret, "ISO", 3) == 0) || (size == 7 && memcmp(ret, "UNICODE", 7) == 0))
            size = 0;
    }
    return size;
}

struct character_set character_set_find(struct view name)
{
    char folded[24];
    struct view wanted = view_make(folded, name_fold(name, folded, sizeof folded));
    if (view_is_text(name, "\"\""))
        wanted = VIEW("");
    for (size_t i = 0; i < sizeof sets / sizeof sets[0]; i++)
        if (view_is_text(wanted, sets[i].name) && (wanted.size > 0 || name.size == 0 || view_is_text(name, "\"\"")))
            return (struct character_set){sets[i].kind, sets[i].iconv_name, true};
    return (struct character_set){CHARACTERS_GUESSED, NULL, false};
}

/* Windows-1252, 80 to 9F; 0: not assigned. */
static const uint16_t windows_1252[32] = {
    0x20AC, 0,      0x201A, 0x0192, 0x201E, 0x2026, 0x2020, 0x2021, 0x02C6, 0x2030, 0x0160,
    0x2039, 0x0152, 0,      0x017D, 0,      0,      0x2018, 0x2019, 0x201C, 0x201D, 0x2022,
    0x2013, 0x2014, 0x02DC, 0x2122, 0x0161, 0x203A, 0x0153, 0,      0x017E, 0x0178,
};

static void add_code_point(struct buffer *to, unsigned point) /* below 10000 */
{
    if (point < 0x80) {
        buffer_add_byte(to, (uint8_t)point);
    } else if (point < 0x800) {
        buffer_add_byte(to, (uint8_t)(0xC0 | point >> 6));
        buffer_add_byte(to, (uint8_t)(0x80 | (point & 0x3F)));
    } else {
        buffer_add_byte(to, (uint8_t)(0xE0 | point >> 12));
        buffer_add_byte(to, (uint8_t)(0x80 | (point >> 6 & 0x3F)));
        buffer_add_byte(to, (uint8_t)(0x80 | (point & 0x3F)));
    }
}

static size_t add_latin1(struct view text, struct buffer *to)
{
    const uint8_t *at = text.data;
    size_t lost = 0;
    for (size_t i = 0; i < text.size; i++) {
        unsigned point = at[i] >= 0x80 && at[i] < 0xA0 ? windows_1252[at[i] - 0x80] : at[i];
        lost += point == 0 && at[i] != 0;
        add_code_point(to, point == 0 && at[i] != 0 ? 0xFFFD : point);
    }
    return lost;
}

/* The size of the well-formed sequence at the front; 0: none there. */
static size_t utf8_front(struct view text)
{
    for (size_t size = 1; size <= 4 && size <= text.size; size++)
        if (bytes_are_utf8(view_make(text.data, size)))
            return size;
    return 0;
}

static size_t add_utf8(struct view text, struct buffer *to)
{
    size_t lost = 0;
    while (text.size > 0) {
        size_t size = utf8_front(text);
        if (size > 0) {
            buffer_add(to, text.data, size);
        } else {
            buffer_add_text(to, replacement);
            lost++;
            size = 1;
        }
        text = view_after(text, size);
    }
    return lost;
}

static size_t add_by_iconv(const char *name, struct view text, struct buffer *to)
{
    iconv_t conversion = iconv_open("UTF-8", name);
    if (conversion == (iconv_t)-1) /* a system without its tables: still every byte that is ASCII */
        return add_utf8(text, to);
    size_t lost = 0, left = text.size;
    char *from = (char *)(uintptr_t)text.data; /* iconv does not write to it */
    while (left > 0) {
        char piece[256], *out = piece;
        size_t room = sizeof piece;
        size_t done = iconv(conversion, &from, &left, &out, &room);
        int why = errno;
        buffer_add(to, piece, sizeof piece - room);
        if (done != (size_t)-1 || why == E2BIG)
            continue;
        buffer_add_text(to, replacement);
        lost++;
        from++;
        left--;
        (void)iconv(conversion, NULL, NULL, NULL, NULL);
    }
    (void)iconv_close(conversion);
    return lost;
}

static size_t add_decoded(const struct character_set *set, struct view text, struct buffer *to)
{
    switch (set->kind) {
    case CHARACTERS_UTF8:
        return add_utf8(text, to);
    case CHARACTERS_LATIN1:
        return add_latin1(text, to);
    case CHARACTERS_BY_ICONV:
        return add_by_iconv(set->iconv_name, text, to);
    case CHARACTERS_GUESSED:
        break;
    }
    if (!bytes_are_utf8(text))
        return add_latin1(text, to);
    buffer_add_view(to, text);
    return 0;
}

/* CR LF and CR become one line end. Other control characters would let two numbers look alike: they are made visible.
 */
static size_t tame_controls(struct buffer *text, size_t from)
{
    struct buffer tame = {0};
    size_t lost = 0;
    for (size_t i = from; i < text->size; i++) {
        uint8_t c = text->data[i];
        if (c == '\r') {
            if (i + 1 == text->size || text->data[i + 1] != '\n')
                buffer_add_byte(&tame, '\n');
        } else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F) {
            buffer_add_text(&tame, replacement);
            lost++;
        } else {
            buffer_add_byte(&tame, c);
        }
    }
    text->size = from;
    buffer_add_view(text, buffer_view(&tame));
    buffer_destroy(&tame);
    return lost;
}

size_t character_set_decode(const struct character_set *set, struct view text, struct buffer *to)
{
    size_t from = to->size;
    size_t lost = add_decoded(set, text, to);
    for (size_t i = from; i < to->size; i++)
        if (to->data[i] < 0x20 || to->data[i] == 0x7F)
            return lost + tame_controls(to, from);
    return lost;
}
