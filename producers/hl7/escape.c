/* Escape sequences, both ways. */
#include "producers/hl7/escape.h"

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool add_hex(struct view digits, struct buffer *to)
{
    const char *at = digits.data;
    if (digits.size == 0 || digits.size % 2 != 0)
        return false;
    for (size_t i = 0; i < digits.size; i++)
        if (hex_digit(at[i]) < 0)
            return false;
    for (size_t i = 0; i < digits.size; i += 2)
        buffer_add_byte(to, (uint8_t)(hex_digit(at[i]) << 4 | hex_digit(at[i + 1])));
    return true;
}

/* Formatting commands that end a line; the rest of them moves ink only. */
static bool ends_line(struct view sequence)
{
    return view_is_text(sequence, ".br") || view_starts_with(sequence, VIEW(".sp")) || view_is_text(sequence, ".ce");
}

/* sequence: what stands between the two escape characters. False: not one that we know. */
static bool add_sequence(const struct delimiters *delimiters, struct view sequence, struct buffer *to)
{
    if (sequence.size == 0)
        return false;
    char first = *(const char *)sequence.data;
    if (first == 'X')
        return add_hex(view_after(sequence, 1), to);
    if (first == '.') {
        if (ends_line(sequence))
            buffer_add_byte(to, '\n');
        return ends_line(sequence);
    }
    if (sequence.size != 1)
        return false;
    switch (first) {
    case 'F':
        buffer_add_byte(to, (uint8_t)delimiters->field);
        return true;
    case 'S':
        buffer_add_byte(to, (uint8_t)delimiters->component);
        return true;
    case 'T':
        buffer_add_byte(to, (uint8_t)delimiters->subcomponent);
        return true;
    case 'R':
        buffer_add_byte(to, (uint8_t)delimiters->repetition);
        return true;
    case 'E':
        buffer_add_byte(to, (uint8_t)delimiters->escape);
        return true;
    default:
        return first == 'H' || first == 'N';
    }
}

void escape_decode(const struct delimiters *delimiters, struct view text, struct buffer *to)
{
    while (text.size > 0) {
        const char *begin = memchr(text.data, delimiters->escape, text.size);
        if (begin == NULL) {
            buffer_add_view(to, text);
            return;
        }
        size_t before = (size_t)(begin - (const char *)text.data);
        buffer_add(to, text.data, before);
        text = view_after(text, before);
        struct view rest = view_after(text, 1);
        const char *end = rest.size == 0 ? NULL : memchr(rest.data, delimiters->escape, rest.size);
        size_t inside = end == NULL ? 0 : (size_t)(end - (const char *)rest.data);
        if (end != NULL && add_sequence(delimiters, view_make(rest.data, inside), to)) {
            text = view_after(text, inside + 2);
        } else { /* only this one character: the next may begin a sequence */
            buffer_add_byte(to, (uint8_t)delimiters->escape);
            text = rest;
        }
    }
}

void escape_encode(const struct delimiters *delimiters, struct view text, struct buffer *to)
{
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++) {
        char name = '\0';
        if (at[i] == delimiters->field)
            name = 'F';
        else if (at[i] == delimiters->component)
            name = 'S';
        else if (at[i] == delimiters->subcomponent)
            name = 'T';
        else if (at[i] == delimiters->repetition)
            name = 'R';
        else if (at[i] == delimiters->escape)
            name = 'E';
        if (name != '\0')
            buffer_add_format(to, "%c%c%c", delimiters->escape, name, delimiters->escape);
        else
            buffer_add_byte(to, at[i] < 0x20 || at[i] > 0x7E ? '?' : (uint8_t)at[i]);
    }
}
