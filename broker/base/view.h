/* Borrowed bytes: somebody else owns them and says for how long. Text is UTF-8 unless said otherwise, without a NUL. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

struct view {
    const void *data; /* NULL: not said. Not NULL and size 0: said to be empty */
    size_t size;
};

#define VIEW(literal)  ((struct view){"" literal, sizeof literal - 1})
#define VIEW_OF(array) ((struct view){(array), sizeof(array)})
#define VIEW_NONE      ((struct view){NULL, 0})
#define VIEW_ARGS(v)   ((int)(v).size), ((const char *)(v).data) /* for printf's %.*s, only of vetted text */

static inline struct view view_of_text(const char *text)
{
    return (struct view){text, text == NULL ? 0 : strlen(text)};
}

static inline struct view view_make(const void *data, size_t size)
{
    return (struct view){data, size};
}

static inline bool view_is(struct view a, struct view b)
{
    return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

static inline bool view_is_text(struct view a, const char *text)
{
    return view_is(a, view_of_text(text));
}

static inline bool view_starts_with(struct view a, struct view prefix)
{
    return a.size >= prefix.size && (prefix.size == 0 || memcmp(a.data, prefix.data, prefix.size) == 0);
}

/* Order of bytes, a shorter one first: <0, 0, >0. */
static inline int view_compare(struct view a, struct view b)
{
    size_t size = a.size < b.size ? a.size : b.size;
    int order = size == 0 ? 0 : memcmp(a.data, b.data, size);
    return order != 0 ? order : (a.size > b.size) - (a.size < b.size);
}

/* a without its first count bytes; count is at most a.size. */
static inline struct view view_after(struct view a, size_t count)
{
    return (struct view){(const char *)a.data + count, a.size - count};
}

/* Reads a whole number of 1 to 18 decimal digits and nothing else. False: not one, *ret untouched. */
bool view_to_number(struct view text, int64_t *ret);
