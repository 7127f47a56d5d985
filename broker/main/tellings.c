/* Two sequences of tellings, compared as they come. */
#include "broker/main/tellings.h"

#include "broker/base/memory.h"
#include "broker/main/bounded.h"

#include <inttypes.h>
#include <stdlib.h>

/* One that waits for its other half. */
struct half {
    int64_t cause_offset;
    int32_t cause_index;
    int64_t offset; /* in the alerts; -1: expected, not found yet */
    uint8_t content[HASH_SIZE];
};

/* Of one alerts partition and one source partition: all are expected, or all are found; the other kind is matched at
 * once. */
struct pair {
    struct half *halves;
    size_t first, count, capacity;
    int64_t mark_offset; /* watermark */
    int32_t mark_index;
    bool marked;
};

struct tellings {
    int32_t alerts, events;
    struct pair *pairs;
};

struct tellings *tellings_create(int32_t alerts_partitions, int32_t events_partitions)
{
    struct tellings *tellings = memory_take(sizeof *tellings);
    tellings->alerts = alerts_partitions;
    tellings->events = events_partitions;
    tellings->pairs = memory_array((size_t)alerts_partitions * (size_t)events_partitions, sizeof *tellings->pairs);
    return tellings;
}

static size_t pair_count(const struct tellings *tellings)
{
    return (size_t)tellings->alerts * (size_t)tellings->events;
}

void tellings_destroy(struct tellings *tellings)
{
    if (tellings == NULL)
        return;
    for (size_t i = 0; i < pair_count(tellings); i++)
        free(tellings->pairs[i].halves);
    free(tellings->pairs);
    free(tellings);
}

static struct pair *pair_of(struct tellings *tellings, int32_t partition, const struct cause *cause)
{
    return &tellings->pairs[(size_t)partition * (size_t)tellings->events + (size_t)cause->partition];
}

static int order_of(int64_t offset, int32_t index, int64_t other_offset, int32_t other_index)
{
    if (offset != other_offset)
        return offset < other_offset ? -1 : 1;
    return (index > other_index) - (index < other_index);
}

bool tellings_is_duplicate(struct tellings *tellings, int32_t partition, const struct cause *cause)
{
    struct pair *pair = pair_of(tellings, partition, cause);
    if (pair->marked && order_of(cause->offset, cause->index, pair->mark_offset, pair->mark_index) <= 0)
        return true;
    pair->marked = true;
    pair->mark_offset = cause->offset;
    pair->mark_index = cause->index;
    return false;
}

static void half_add(struct pair *pair, const struct half *half)
{
    if (pair->first + pair->count == pair->capacity && pair->first > pair->count) {
        memmove(pair->halves, pair->halves + pair->first, pair->count * sizeof *pair->halves);
        pair->first = 0;
    }
    if (pair->first + pair->count == pair->capacity) {
        pair->capacity = pair->capacity == 0 ? 16 : pair->capacity * 2;
        pair->halves = memory_grow(pair->halves, pair->capacity * sizeof *pair->halves);
    }
    pair->halves[pair->first + pair->count++] = *half;
}

static enum result is_missing(int32_t partition, int32_t source, const struct half *expected, struct error *err)
{
    char because[POSITION_WORDS_SIZE];
    return error_set(
        err, REJECTED, "%s: its telling (index %" PRId32 ") is missing in tidings.alerts partition %" PRId32,
        position_words(TOPIC_EVENTS, source, expected->cause_offset, because), expected->cause_index, partition);
}

static enum result is_extra(int32_t partition, int32_t source, const struct half *found, struct error *err)
{
    char where[POSITION_WORDS_SIZE], because[POSITION_WORDS_SIZE];
    return error_set(err, REJECTED, "%s: a telling because of %s (index %" PRId32 "), which the events do not give",
                     position_words(TOPIC_ALERTS, partition, found->offset, where),
                     position_words(TOPIC_EVENTS, source, found->cause_offset, because), found->cause_index);
}

static enum result compare(int32_t partition, int32_t source, const struct half *expected, const struct half *found,
                           struct error *err)
{
    int order = order_of(expected->cause_offset, expected->cause_index, found->cause_offset, found->cause_index);
    char where[POSITION_WORDS_SIZE];
    if (order < 0)
        return is_missing(partition, source, expected, err);
    if (order > 0)
        return is_extra(partition, source, found, err);
    if (memcmp(expected->content, found->content, HASH_SIZE) == 0)
        return OK;
    return error_set(err, REJECTED,
                     "%s: is not the telling that tidings.events partition %" PRId32 ", offset %" PRId64
                     " gives (index %" PRId32 ")",
                     position_words(TOPIC_ALERTS, partition, found->offset, where), source, found->cause_offset,
                     found->cause_index);
}

static enum result half_meet(struct tellings *tellings, int32_t partition, const struct cause *cause,
                             const struct half *half, struct error *err)
{
    struct pair *pair = pair_of(tellings, partition, cause);
    if (pair->count == 0 || (pair->halves[pair->first].offset < 0) == (half->offset < 0)) {
        half_add(pair, half);
        return OK;
    }
    const struct half *other = &pair->halves[pair->first];
    enum result result = half->offset < 0 ? compare(partition, cause->partition, half, other, err)
                                          : compare(partition, cause->partition, other, half, err);
    if (result == OK) {
        pair->count--;
        pair->first = pair->count == 0 ? 0 : pair->first + 1;
    }
    return result;
}

static struct half half_make(int64_t offset, const struct cause *cause, const uint8_t content[HASH_SIZE])
{
    struct half half = {.cause_offset = cause->offset, .cause_index = cause->index, .offset = offset};
    memcpy(half.content, content, HASH_SIZE);
    return half;
}

enum result tellings_expect(struct tellings *tellings, int32_t partition, const struct cause *cause,
                            const uint8_t content[HASH_SIZE], struct error *err)
{
    struct half half = half_make(-1, cause, content);
    return half_meet(tellings, partition, cause, &half, err);
}

enum result tellings_find(struct tellings *tellings, int32_t partition, int64_t offset, const struct cause *cause,
                          const uint8_t content[HASH_SIZE], struct error *err)
{
    struct half half = half_make(offset, cause, content);
    return half_meet(tellings, partition, cause, &half, err);
}

enum result tellings_end(const struct tellings *tellings, const int64_t *settled, int64_t *ret_untold,
                         struct error *err)
{
    *ret_untold = 0;
    for (size_t i = 0; i < pair_count(tellings); i++) {
        const struct pair *pair = &tellings->pairs[i];
        int32_t partition = (int32_t)(i / (size_t)tellings->events), source = (int32_t)(i % (size_t)tellings->events);
        if (pair->count == 0)
            continue;
        const struct half *first = &pair->halves[pair->first];
        if (first->offset >= 0)
            return is_extra(partition, source, first, err);
        if (first->cause_offset < settled[source])
            return is_missing(partition, source, first, err);
        *ret_untold += (int64_t)pair->count;
    }
    return OK;
}
