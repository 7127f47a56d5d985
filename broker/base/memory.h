/* Memory that is there or ends the process, in one place: what was acknowledged is in the log. */
#pragma once

#include "broker/base/view.h"

#include <stddef.h>

[[gnu::malloc, gnu::returns_nonnull]] void *memory_take(size_t size);      /* zeroed */
[[gnu::returns_nonnull]] void *memory_grow(void *memory, size_t size);     /* realloc */
[[gnu::returns_nonnull]] void *memory_array(size_t count, size_t size);    /* zeroed, overflow checked */
[[gnu::malloc, gnu::returns_nonnull]] char *memory_text(struct view text); /* NUL-terminated copy */

/* An arena: many small pieces, freed together. One event = one arena = one free. */
struct arena {
    struct arena_block *blocks;
};

/* Zero-initialised is empty and valid. */
void *arena_take(struct arena *arena, size_t size);            /* zeroed, aligned for anything */
struct view arena_copy(struct arena *arena, struct view view); /* NUL-terminated beyond size; NULL data stays NULL */
[[gnu::format(printf, 2, 3)]] struct view arena_format(struct arena *arena, const char *format, ...);
void arena_reset(struct arena *arena); /* forgets all pieces, keeps one block for reuse */
void arena_destroy(struct arena *arena);
