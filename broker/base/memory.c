/* Allocation that does not fail, and arenas. */
#include "broker/base/memory.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { FIRST_BLOCK = 4096 };

struct arena_block {
    struct arena_block *next;
    size_t size, used;
    alignas(max_align_t) unsigned char bytes[];
};

static _Noreturn void out_of_memory(void)
{
    static const char text[] = "level=error what=out-of-memory action=restart\n";
    (void)!write(STDERR_FILENO, text, sizeof text - 1);
    abort();
}

void *memory_take(size_t size)
{
    void *memory = calloc(1, size == 0 ? 1 : size);
    if (memory == NULL)
        out_of_memory();
    return memory;
}

void *memory_grow(void *memory, size_t size)
{
    void *grown = realloc(memory, size == 0 ? 1 : size);
    if (grown == NULL)
        out_of_memory();
    return grown;
}

void *memory_array(size_t count, size_t size)
{
    size_t total;
    if (__builtin_mul_overflow(count, size, &total))
        out_of_memory();
    return memory_take(total);
}

char *memory_text(struct view text)
{
    char *copy = memory_take(text.size + 1);
    if (text.size > 0)
        memcpy(copy, text.data, text.size);
    return copy;
}

static void block_add(struct arena *arena, size_t at_least)
{
    size_t size = arena->blocks == NULL ? FIRST_BLOCK : arena->blocks->size * 2;
    if (size < at_least)
        size = at_least;
    struct arena_block *block = malloc(sizeof *block + size);
    if (block == NULL)
        out_of_memory();
    block->next = arena->blocks;
    block->size = size;
    block->used = 0;
    arena->blocks = block;
}

void *arena_take(struct arena *arena, size_t size)
{
    size_t step = alignof(max_align_t);
    size_t rounded = (size + step - 1) / step * step;
    if (arena->blocks == NULL || arena->blocks->size - arena->blocks->used < rounded)
        block_add(arena, rounded);
    void *piece = arena->blocks->bytes + arena->blocks->used;
    arena->blocks->used += rounded;
    return memset(piece, 0, size);
}

struct view arena_copy(struct arena *arena, struct view view)
{
    if (view.data == NULL)
        return view;
    char *copy = arena_take(arena, view.size + 1);
    if (view.size > 0)
        memcpy(copy, view.data, view.size);
    return view_make(copy, view.size);
}

struct view arena_format(struct arena *arena, const char *format, ...)
{
    va_list arguments, again;
    va_start(arguments, format);
    va_copy(again, arguments);
    int size = vsnprintf(NULL, 0, format, arguments);
    va_end(arguments);
    char *text = arena_take(arena, (size_t)size + 1);
    (void)vsnprintf(text, (size_t)size + 1, format, again);
    va_end(again);
    return view_make(text, (size_t)size);
}

void arena_reset(struct arena *arena)
{
    if (arena->blocks == NULL)
        return;
    while (arena->blocks->next != NULL) { /* the newest block is the largest: keep that one */
        struct arena_block *older = arena->blocks->next;
        arena->blocks->next = older->next;
        free(older);
    }
    arena->blocks->used = 0;
}

void arena_destroy(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *block = arena->blocks;
        arena->blocks = block->next;
        free(block);
    }
}
