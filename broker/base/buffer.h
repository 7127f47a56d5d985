/* Owned bytes that grow, up to a limit. Out of memory ends the process (memory.h): the log is the truth. */
#pragma once

#include "broker/base/view.h"

struct buffer {
    uint8_t *data;
    size_t size;
    size_t capacity;
};

/* Zero-initialised is empty and valid. */
void buffer_destroy(struct buffer *buffer);
void buffer_clear(struct buffer *buffer); /* keeps the memory */
void buffer_reserve(struct buffer *buffer, size_t more);
void buffer_add(struct buffer *buffer, const void *data, size_t size);
void buffer_add_view(struct buffer *buffer, struct view view);
void buffer_add_text(struct buffer *buffer, const char *text);
void buffer_add_byte(struct buffer *buffer, uint8_t byte);
[[gnu::format(printf, 2, 3)]] void buffer_add_format(struct buffer *buffer, const char *format, ...);
void buffer_remove_front(struct buffer *buffer, size_t count); /* the first count bytes, at most size */

static inline struct view buffer_view(const struct buffer *buffer)
{
    return (struct view){buffer->data == NULL ? (const void *)"" : (const void *)buffer->data, buffer->size};
}
