/* A ring, and a table of places in it with twice as many slots; what leaves the ring is taken out of the table by
 * moving up what was pushed aside by it (Knuth, 6.4, algorithm R). */
#include "producers/simulator/recent.h"

#include "broker/base/memory.h"

#include <stdlib.h>

enum { KEPT = 1 << 18, SLOTS = KEPT * 2 };

void recent_open(struct recent *recent)
{
    recent->ring = memory_array(KEPT, sizeof *recent->ring);
    recent->table = memory_array(SLOTS, sizeof *recent->table);
    recent->count = 0;
}

void recent_close(struct recent *recent)
{
    free(recent->ring);
    free(recent->table);
}

static size_t home_of(uint64_t hash)
{
    return (size_t)(hash >> 20) % SLOTS;
}

static uint64_t hash_in(const struct recent *recent, size_t slot)
{
    return recent->ring[recent->table[slot] - 1];
}

/* The slot of the hash, or the free one where it would stand. */
static size_t slot_find(const struct recent *recent, uint64_t hash)
{
    size_t slot = home_of(hash);
    while (recent->table[slot] != 0 && hash_in(recent, slot) != hash)
        slot = (slot + 1) % SLOTS;
    return slot;
}

static void slot_free(struct recent *recent, size_t hole)
{
    for (size_t slot = (hole + 1) % SLOTS; recent->table[slot] != 0; slot = (slot + 1) % SLOTS) {
        size_t home = home_of(hash_in(recent, slot));
        bool reaches = hole <= slot ? home <= hole || home > slot : home <= hole && home > slot;
        if (!reaches)
            continue;
        recent->table[hole] = recent->table[slot];
        hole = slot;
    }
    recent->table[hole] = 0;
}

void recent_add(struct recent *recent, uint64_t hash)
{
    size_t place = recent->count % KEPT;
    if (recent_has(recent, hash))
        return;
    if (recent->count >= KEPT)
        slot_free(recent, slot_find(recent, recent->ring[place]));
    recent->ring[place] = hash;
    recent->table[slot_find(recent, hash)] = (uint32_t)place + 1;
    recent->count++;
}

bool recent_has(const struct recent *recent, uint64_t hash)
{
    return recent->table[slot_find(recent, hash)] != 0;
}

bool recent_has_forgotten(const struct recent *recent)
{
    return recent->count > KEPT;
}
