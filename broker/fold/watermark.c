/* Watermarks: what was seen of each source partition, so that an output that comes twice is dropped (design, section 3,
 * item 4). */
#include "broker/fold/inside.h"

#include <stdlib.h>

enum { FIRST_CAPACITY = 256 };

static uint64_t slot_hash(int32_t topic, int32_t partition, int32_t source_topic, int32_t source, uint64_t key_hash)
{
    uint64_t hash = key_hash;
    const int32_t parts[] = {topic, partition, source_topic, source};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++)
        hash = (hash ^ (uint32_t)parts[i]) * 0x9E3779B97F4A7C15ULL;
    return hash ^ hash >> 29;
}

static struct watermark *slot_find(struct watermarks *marks, const struct store_watermark *wanted, uint64_t key_hash)
{
    size_t mask = marks->capacity - 1;
    size_t at = slot_hash(wanted->topic, wanted->partition, wanted->source_topic, wanted->source, key_hash) & mask;
    for (;; at = (at + 1) & mask) {
        struct watermark *slot = &marks->slots[at];
        if (!slot->used)
            return slot;
        if (slot->mark.topic == wanted->topic && slot->mark.partition == wanted->partition &&
            slot->mark.source_topic == wanted->source_topic && slot->mark.source == wanted->source &&
            slot->key_hash == key_hash)
            return slot;
    }
}

static void grow(struct watermarks *marks)
{
    struct watermarks larger = {.capacity = marks->capacity == 0 ? FIRST_CAPACITY : marks->capacity * 2};
    larger.slots = memory_array(larger.capacity, sizeof *larger.slots);
    for (size_t i = 0; i < marks->capacity; i++) {
        if (!marks->slots[i].used)
            continue;
        *slot_find(&larger, &marks->slots[i].mark, marks->slots[i].key_hash) = marks->slots[i];
        larger.count++;
    }
    free(marks->slots);
    *marks = larger;
}

static struct watermark *slot_take(struct watermarks *marks, const struct store_watermark *wanted, uint64_t key_hash)
{
    if (marks->count * 2 >= marks->capacity)
        grow(marks);
    struct watermark *slot = slot_find(marks, wanted, key_hash);
    if (!slot->used) {
        *slot = (struct watermark){.mark = *wanted, .used = true, .key_hash = key_hash};
        slot->mark.offset = -1;
        slot->mark.index = -1;
        marks->count++;
    }
    return slot;
}

/* Only for the sabotage that keeps a watermark a key: what the harness must catch. */
static uint64_t sabotaged_hash(const struct runner *runner, struct view key)
{
    uint64_t hash = 0;
    if (runner->options.sabotage != SABOTAGE_WATERMARK_PER_KEY)
        return hash;
    for (size_t i = 0; i < key.size; i++)
        hash = hash * 31 + ((const unsigned char *)key.data)[i];
    return hash | 1;
}

static struct watermark *mark_of(struct runner *runner, int32_t partition, const struct cause *cause, struct view key)
{
    struct store_watermark wanted = {(int32_t)runner->fold.source, partition, cause->topic, cause->partition, 0, 0};
    return slot_take(&runner->watermarks, &wanted, sabotaged_hash(runner, key));
}

bool watermark_has_passed(struct runner *runner, int32_t partition, const struct cause *cause, struct view key)
{
    const struct store_watermark *mark = &mark_of(runner, partition, cause, key)->mark;
    if (runner->options.sabotage == SABOTAGE_WATERMARK_WITHOUT_INDEX)
        return cause->offset <= mark->offset;
    return cause->offset < mark->offset || (cause->offset == mark->offset && cause->index <= mark->index);
}

void watermark_move(struct runner *runner, int32_t partition, const struct cause *cause, struct view key)
{
    struct watermark *slot = mark_of(runner, partition, cause, key);
    slot->mark.offset = cause->offset;
    slot->mark.index = cause->index;
    slot->dirty = true;
}

static void load_one(void *context, const struct store_watermark *mark)
{
    struct watermark *slot = slot_take(context, mark, 0);
    slot->mark = *mark;
}

void watermarks_load(struct runner *runner)
{
    if (store_watermark_each(runner->store, load_one, &runner->watermarks) != OK)
        return; /* a store without watermarks yet */
}

void watermarks_store(struct runner *runner)
{
    for (size_t i = 0; i < runner->watermarks.capacity; i++) {
        struct watermark *slot = &runner->watermarks.slots[i];
        if (!slot->used || !slot->dirty)
            continue;
        store_watermark_put(runner->store, &slot->mark);
        slot->dirty = false;
    }
}

void watermarks_destroy(struct watermarks *marks)
{
    free(marks->slots);
    *marks = (struct watermarks){0};
}
