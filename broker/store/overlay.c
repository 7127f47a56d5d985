/* Dirty keys in an open-addressing hash table, their bytes in chunks. */
#include "broker/store/overlay.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <stdlib.h>

enum {
    FIRST_CHUNK = 64 * 1024,
    LARGEST_CHUNK = 1024 * 1024,
    FIRST_SLOTS = 512,
    ALIGNMENT = 8,
};

struct overlay_slot {
    struct overlay_entry *entry; /* NULL: empty */
    uint32_t hash;
};

struct overlay_chunk {
    struct overlay_chunk *next;
    size_t size, used;
    uint8_t bytes[];
};

void overlay_clear(struct overlay *overlay)
{
    while (overlay->chunks != NULL) {
        struct overlay_chunk *chunk = overlay->chunks;
        overlay->chunks = chunk->next;
        free(chunk);
    }
    free(overlay->slots);
    *overlay = (struct overlay){0};
}

size_t overlay_bytes(const struct overlay *overlay)
{
    return overlay->chunk_bytes + overlay->slot_count * sizeof *overlay->slots;
}

static void *bytes_take(struct overlay *overlay, size_t size)
{
    size = (size + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    struct overlay_chunk *chunk = overlay->chunks;
    if (chunk == NULL || chunk->size - chunk->used < size) {
        size_t room = chunk == NULL ? FIRST_CHUNK : chunk->size * 2;
        room = room > LARGEST_CHUNK ? LARGEST_CHUNK : room;
        room = room < size ? size : room;
        chunk = memory_grow(NULL, sizeof *chunk + room);
        *chunk = (struct overlay_chunk){.next = overlay->chunks, .size = room};
        overlay->chunks = chunk;
        overlay->chunk_bytes += sizeof *chunk + room;
    }
    uint8_t *piece = chunk->bytes + chunk->used;
    chunk->used += size;
    return piece;
}

static uint32_t hash_of(uint8_t space, struct view key)
{
    const uint64_t odd = 0x9E3779B97F4A7C15U;
    const uint8_t *at = key.data;
    uint64_t hash = (space + ((uint64_t)key.size << 8)) * odd;
    size_t left = key.size;
    for (; left >= 8; left -= 8, at += 8) {
        uint64_t word;
        memcpy(&word, at, sizeof word);
        hash = (hash ^ word) * odd;
        hash ^= hash >> 29;
    }
    uint64_t word = 0;
    if (left > 0)
        memcpy(&word, at, left);
    hash = (hash ^ word) * odd;
    hash ^= hash >> 29;
    return (uint32_t)(hash * odd >> 32);
}

/* The slot that holds the key, or the empty one where it would stand. */
static struct overlay_slot *slot_find(const struct overlay *overlay, uint8_t space, struct view key, uint32_t hash)
{
    size_t mask = overlay->slot_count - 1;
    for (size_t at = hash & mask;; at = (at + 1) & mask) { /* ends: half of the slots are empty */
        struct overlay_slot *slot = &overlay->slots[at];
        const struct overlay_entry *entry = slot->entry;
        if (entry == NULL || (slot->hash == hash && entry->space == space && view_is(overlay_key(entry), key)))
            return slot;
    }
}

static void grow(struct overlay *overlay)
{
    struct overlay_slot *old = overlay->slots;
    size_t old_count = overlay->slot_count;
    overlay->slot_count = old_count == 0 ? FIRST_SLOTS : old_count * 2;
    overlay->slots = memory_array(overlay->slot_count, sizeof *overlay->slots);
    size_t mask = overlay->slot_count - 1;
    for (size_t i = 0; i < old_count; i++) {
        if (old[i].entry == NULL)
            continue;
        size_t at = old[i].hash & mask;
        while (overlay->slots[at].entry != NULL)
            at = (at + 1) & mask;
        overlay->slots[at] = old[i];
    }
    free(old);
}

const struct overlay_entry *overlay_find(const struct overlay *overlay, uint8_t space, struct view key)
{
    if (overlay->count == 0)
        return NULL;
    return slot_find(overlay, space, key, hash_of(space, key))->entry;
}

static void value_copy(struct overlay_entry *entry, struct view value)
{
    if (value.size > 0)
        memcpy(entry->value, value.data, value.size);
    entry->value_size = (uint32_t)value.size;
}

/* Finds the entry, or makes one with room for the value. */
static struct overlay_entry *entry_of(struct overlay *overlay, uint8_t space, struct view key, size_t value_size)
{
    if (overlay->count * 2 >= overlay->slot_count)
        grow(overlay);
    uint32_t hash = hash_of(space, key);
    struct overlay_slot *slot = slot_find(overlay, space, key, hash);
    if (slot->entry != NULL)
        return slot->entry;
    struct overlay_entry *entry = bytes_take(overlay, sizeof *entry + key.size + value_size);
    entry->sibling = overlay->newest[space];
    entry->value = entry->key + key.size;
    entry->value_size = 0;
    entry->value_capacity = (uint32_t)value_size;
    entry->key_size = (uint32_t)key.size;
    entry->space = space;
    entry->removed = true;
    if (key.size > 0)
        memcpy(entry->key, key.data, key.size);
    *slot = (struct overlay_slot){.hash = hash, .entry = entry};
    overlay->newest[space] = entry;
    overlay->count++;
    return entry;
}

void overlay_put(struct overlay *overlay, uint8_t space, struct view key, struct view value)
{
    struct overlay_entry *entry = entry_of(overlay, space, key, value.size);
    if (entry->value_capacity < value.size) {
        /* A value that grows again and again leaves at most three times its size behind. */
        entry->value_capacity = (uint32_t)(value.size + value.size / 2);
        entry->value = bytes_take(overlay, entry->value_capacity);
    }
    value_copy(entry, value);
    entry->removed = false;
}

void overlay_remove(struct overlay *overlay, uint8_t space, struct view key)
{
    entry_of(overlay, space, key, 0)->removed = true;
}

static int place_compare(const void *a, const void *b)
{
    const struct overlay_place *left = a, *right = b;
    if (left->prefix != right->prefix)
        return left->prefix < right->prefix ? -1 : 1;
    return view_compare(overlay_key(left->entry), overlay_key(right->entry));
}

static uint64_t prefix_of(struct view key)
{
    uint8_t first[8] = {0};
    if (key.size > 0)
        memcpy(first, key.data, key.size < sizeof first ? key.size : sizeof first);
    return bytes_get_u64(first);
}

struct overlay_place *overlay_sorted(const struct overlay *overlay, uint8_t space, struct view from, struct view to,
                                     size_t *ret_count)
{
    struct overlay_place *places = NULL;
    size_t count = 0, capacity = 0;
    for (const struct overlay_entry *entry = overlay->newest[space]; entry != NULL; entry = entry->sibling) {
        struct view key = overlay_key(entry);
        if (view_compare(key, from) < 0 || (to.data != NULL && view_compare(key, to) >= 0))
            continue;
        if (count == capacity) {
            capacity = capacity == 0 ? 64 : capacity * 2;
            places = memory_grow(places, capacity * sizeof *places);
        }
        places[count++] = (struct overlay_place){.prefix = prefix_of(key), .entry = entry};
    }
    if (count > 1)
        qsort(places, count, sizeof *places, place_compare);
    *ret_count = count;
    return places;
}
