/* Cuts, and cuts again. */
#include "producers/simulator/field.h"

/* The place-th piece, from 1, of text cut at the separator. */
static struct view piece(struct view text, char separator, int place)
{
    while (place > 0) {
        const char *end = text.size == 0 ? NULL : memchr(text.data, separator, text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - (const char *)text.data);
        if (place == 1)
            return view_make(text.data, size);
        if (end == NULL)
            break;
        text = view_after(text, size + 1);
        place--;
    }
    return VIEW("");
}

struct view field_read(struct view message, const char *segment, int field, int repetition, int component)
{
    struct view line = VIEW("");
    while (message.size > 0) {
        struct view next = piece(message, '\r', 1);
        if (next.size > 3 && memcmp(next.data, segment, 3) == 0) {
            line = next;
            break;
        }
        message = view_after(message, next.size < message.size ? next.size + 1 : next.size);
    }
    int before = strcmp(segment, "MSH") == 0 ? 0 : 1; /* MSH-1 is the separator itself */
    struct view found = piece(piece(line, '|', field + before), '~', repetition);
    return component == 0 ? found : piece(found, '^', component);
}
