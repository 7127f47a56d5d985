/*
 * What was written since the last commit: keys and values of all spaces, in memory. Private to the store.
 *
 * Views given out live until the next write or clear. Memory grows with what is written and goes back at overlay_clear.
 */
#pragma once

#include "broker/base/view.h"

enum { SPACES = 256 };

/* Stands in a chunk with its key behind it, and its first value behind that; never moves. */
struct overlay_entry {
    struct overlay_entry *sibling; /* the entry of the same space that came before */
    uint8_t *value;
    uint32_t value_size, value_capacity;
    uint32_t key_size;
    uint8_t space;
    bool removed; /* to be taken out of the table */
    uint8_t key[];
};

struct overlay {
    struct overlay_slot *slots; /* open addressing, at most half full */
    size_t slot_count;          /* a power of two; 0: none yet */
    size_t count;
    struct overlay_chunk *chunks;
    size_t chunk_bytes;
    struct overlay_entry *newest[SPACES];
};

/* Zero-initialised is empty and valid. */
void overlay_clear(struct overlay *overlay); /* gives the memory back */
size_t overlay_bytes(const struct overlay *overlay);

/* NULL: nothing was written under this key. */
const struct overlay_entry *overlay_find(const struct overlay *overlay, uint8_t space, struct view key);
void overlay_put(struct overlay *overlay, uint8_t space, struct view key, struct view value);
void overlay_remove(struct overlay *overlay, uint8_t space, struct view key);

/* The entries of the space whose keys are in [from, to), in order of key; to with NULL data: to the end. The array is
 * the caller's to free; NULL when there are none. */
struct overlay_place {
    uint64_t prefix; /* the key's first eight bytes, big-endian: most keys differ there */
    const struct overlay_entry *entry;
};
struct overlay_place *overlay_sorted(const struct overlay *overlay, uint8_t space, struct view from, struct view to,
                                     size_t *ret_count);

static inline struct view overlay_key(const struct overlay_entry *entry)
{
    return view_make(entry->key, entry->key_size);
}

static inline struct view overlay_value(const struct overlay_entry *entry)
{
    return view_make(entry->value, entry->value_size);
}
