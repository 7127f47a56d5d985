/* What the sentences share: a place with a log in it, appending, and keeping what was read. */
#include "tests/contract/contract.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <stdio.h>
#include <stdlib.h>

static const struct contract *chosen;

void world_choose(const struct contract *contract)
{
    chosen = contract;
}

int world_set_up(void **state)
{
    struct world *world = memory_take(sizeof *world);
    world->contract = chosen;
    world->place = chosen->make(&world->err);
    if (world->place == NULL) {
        print_error("%s\n", world->err.text);
        free(world);
        return -1;
    }
    *state = world;
    return 0;
}

int world_tear_down(void **state)
{
    struct world *world = *state;
    world_close(world);
    world->contract->remove(world->place);
    free(world);
    return 0;
}

static void assert_ok(enum result result, const struct error *err)
{
    if (result != OK)
        fail_msg("%s: %s", result_name(result), err->text);
}

void world_open(struct world *world)
{
    assert_ok(world->contract->open(world->place, PARTITIONS, false, &world->log, &world->err), &world->err);
    assert_ok(log_appender_open(world->log, &world->appender, &world->err), &world->err);
}

void world_close(struct world *world)
{
    log_appender_close(world->appender);
    log_close(world->log);
    world->appender = NULL;
    world->log = NULL;
}

struct log_entry entry_of(enum topic topic, int32_t partition, const char *key, const char *value)
{
    return (struct log_entry){
        .topic = topic, .partition = partition, .key = view_of_text(key), .value = view_of_text(value)};
}

int64_t append(struct world *world, enum topic topic, int32_t partition, const char *key, const char *value)
{
    int64_t offset = -1;
    struct log_entry entry = entry_of(topic, partition, key, value);
    assert_ok(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, &offset, &world->err), &world->err);
    return offset;
}

void append_surely(struct world *world, const struct log_entry *entries, size_t count)
{
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    enum result result = AGAIN;
    while ((result == AGAIN || result == UNCERTAIN) && time_monotonic_ms() < deadline)
        result = log_append_and_wait(world->appender, entries, count, DEADLINE_MS, NULL, &world->err);
    assert_ok(result, &world->err);
}

struct log_answer collect(struct log_appender *appender)
{
    struct log_answer answer = {0};
    assert_int_equal(log_collect(appender, DEADLINE_MS, &answer), OK);
    return answer;
}

int64_t start_at_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

int64_t start_at_end(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_END;
}

int64_t start_at_committed(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    return committed < 0 ? LOG_START : committed;
}

int64_t start_at(void *positions, int32_t partition, int64_t committed)
{
    (void)committed;
    return ((const int64_t *)positions)[partition];
}

struct log_reader *reader_open(struct world *world, enum topic topic, const char *group, start_function *start,
                               void *context)
{
    struct log_reader *reader = NULL;
    struct log_reader_options options = {.topic = topic, .group = group, .start = start, .context = context};
    assert_ok(log_reader_open(world->log, &options, &reader, &world->err), &world->err);
    return reader;
}

static void copy_start(char ret[64], struct view view)
{
    size_t size = view.size < 63 ? view.size : 63;
    if (size > 0)
        memcpy(ret, view.data, size);
    ret[size] = '\0';
}

static void seen_add(struct seen_list *list, const struct log_record *record)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = memory_grow(list->items, list->capacity * sizeof *list->items);
    }
    struct seen *seen = &list->items[list->count++];
    *seen = (struct seen){.partition = record->partition,
                          .offset = record->offset,
                          .ordinal = record->ordinal,
                          .value_size = record->value.size,
                          .is_tombstone = record->value.data == NULL};
    copy_start(seen->key, record->key);
    copy_start(seen->value, record->value);
}

static enum result read_some(struct log_reader *reader, int timeout_ms, struct seen_list *list, struct error *err)
{
    const struct log_record *records;
    size_t count;
    enum result result = log_read(reader, 100, timeout_ms, &records, &count, err);
    for (size_t i = 0; result == OK && i < count; i++)
        seen_add(list, &records[i]);
    return result;
}

void read_until(struct log_reader *reader, size_t count, struct seen_list *list)
{
    struct error err = {0};
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while (list->count < count) {
        enum result result = read_some(reader, 1000, list, &err);
        if ((result != OK && result != NOTHING && result != AGAIN) || time_monotonic_ms() > deadline)
            fail_msg("read %zu of %zu records: %s %s", list->count, count, result_name(result), err.text);
    }
}

void read_all(struct log_reader *reader, struct seen_list *list)
{
    struct error err = {0};
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while (log_reader_lag(reader) > 0 && time_monotonic_ms() < deadline)
        (void)!read_some(reader, 1000, list, &err);
    enum result result = OK;
    while (result == OK)
        result = read_some(reader, 0, list, &err);
    assert_int_equal(result, NOTHING);
}

enum result read_result(struct log_reader *reader, struct error *err)
{
    const struct log_record *records;
    size_t count;
    enum result result = NOTHING;
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while ((result == NOTHING || result == AGAIN) && time_monotonic_ms() < deadline)
        result = log_read(reader, 100, 1000, &records, &count, err);
    return result;
}

void seen_clear(struct seen_list *list)
{
    free(list->items);
    *list = (struct seen_list){0};
}

bool seen_is(const struct seen *seen, const char *key, const char *value)
{
    return strcmp(seen->key, key) == 0 && strcmp(seen->value, value) == 0;
}
