/* Sentences about reading: positions, groups, waking, lag. */
#include "tests/contract/contract.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static void fill(struct world *world, int64_t *ret_offsets, int count)
{
    for (int i = 0; i < count; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%d", i);
        ret_offsets[i] = append(world, TOPIC_EVENTS, i % PARTITIONS, "k", value);
    }
}

static void a_reader_starts_at_the_beginning_or_at_the_end(void **state)
{
    struct world *world = *state;
    int64_t offsets[8];
    struct seen_list all = {0}, fresh = {0};
    world_open(world);
    fill(world, offsets, 8);
    struct log_reader *from_start = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    struct log_reader *from_end = reader_open(world, TOPIC_EVENTS, NULL, start_at_end, NULL);
    read_all(from_end, &fresh);
    assert_int_equal(fresh.count, 0);
    (void)append(world, TOPIC_EVENTS, 3, "k", "fresh");
    read_until(from_start, 9, &all);
    read_until(from_end, 1, &fresh);
    assert_true(seen_is(&fresh.items[0], "k", "fresh"));
    log_reader_close(from_start);
    log_reader_close(from_end);
    seen_clear(&all);
    seen_clear(&fresh);
}

static void a_reader_starts_at_any_position_of_each_partition(void **state)
{
    struct world *world = *state;
    enum { COUNT = 12 };
    int64_t offsets[COUNT];
    world_open(world);
    fill(world, offsets, COUNT);
    /* Partition p has the records p, p + 4, p + 8. Every place of one partition, with the others one past their last.
     */
    for (int first = 0; first < COUNT; first++) {
        struct seen_list list = {0};
        int64_t starts[PARTITIONS];
        for (int i = 0; i < PARTITIONS; i++)
            starts[i] = offsets[8 + i] + 1;
        starts[first % PARTITIONS] = offsets[first];
        struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at, starts);
        read_all(reader, &list);
        assert_int_equal(list.count, 3 - first / PARTITIONS);
        for (size_t i = 0; i < list.count; i++) {
            assert_int_equal(list.items[i].partition, first % PARTITIONS);
            assert_int_equal(atoi(list.items[i].value), first + (int)i * PARTITIONS);
        }
        log_reader_close(reader);
        seen_clear(&list);
    }
}

static void a_position_beyond_the_end_is_for_a_person(void **state)
{
    struct world *world = *state;
    int64_t offsets[4];
    world_open(world);
    fill(world, offsets, 4);
    int64_t starts[PARTITIONS] = {LOG_START, LOG_START, offsets[3] + 1000000, LOG_START};
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at, starts);
    struct error err = {0};
    assert_int_equal(read_result(reader, &err), FATAL);
    assert_int_not_equal(strlen(err.text), 0);
    log_reader_close(reader);
}

static int64_t not_mine(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)committed;
    return partition == 2 ? LOG_NOT_MINE : LOG_START;
}

static void a_reader_that_cannot_say_where_to_start_stops(void **state)
{
    struct world *world = *state;
    int64_t offsets[4];
    struct error err = {0};
    world_open(world);
    fill(world, offsets, 4);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, "group", not_mine, NULL);
    assert_int_equal(read_result(reader, &err), FATAL);
    log_reader_close(reader);
}

static void group_offsets_survive_reopening(void **state)
{
    struct world *world = *state;
    int64_t offsets[8];
    struct seen_list list = {0};
    world_open(world);
    fill(world, offsets, 8);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, "group", start_at_committed, NULL);
    read_until(reader, 8, &list);
    for (int i = 0; i < PARTITIONS; i++)
        assert_int_equal(log_reader_commit(reader, i, offsets[4 + i] + (i != 1), &world->err), OK);
    log_reader_close(reader);
    seen_clear(&list);
    world_close(world);
    world_open(world);
    reader = reader_open(world, TOPIC_EVENTS, "group", start_at_committed, NULL);
    read_until(reader, 1, &list);
    read_all(reader, &list);
    assert_int_equal(list.count, 1);
    assert_int_equal(list.items[0].offset, offsets[5]);
    log_reader_close(reader);
    seen_clear(&list);
    struct log_reader *other = reader_open(world, TOPIC_EVENTS, "other-group", start_at_committed, NULL);
    read_until(other, 8, &list);
    log_reader_close(other);
    seen_clear(&list);
}

static void a_slow_reader_misses_nothing(void **state)
{
    struct world *world = *state;
    enum { COUNT = 3000, SIZE = 1500 };
    char value[SIZE];
    size_t got = 0, outstanding = 0;
    struct log_answer answer;
    const struct log_record *records;
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    memset(value, '-', sizeof value);
    for (int i = 0; i < COUNT; i++) {
        struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "");
        (void)snprintf(value, sizeof value, "%d", i);
        entry.value = view_make(value, sizeof value);
        while (log_append(world->appender, &entry, 1, 0, &world->err) == AGAIN) {
            answer = collect(world->appender);
            assert_int_equal(answer.result, OK);
            outstanding--;
        }
        outstanding++;
        if (i % 100 == 0) { /* far slower than the appends */
            size_t count = 0;
            if (log_read(reader, 7, 0, &records, &count, &world->err) == OK)
                for (size_t k = 0; k < count; k++, got++)
                    assert_int_equal(atoi(records[k].value.data), got);
        }
    }
    for (; outstanding > 0; outstanding--)
        assert_int_equal(collect(world->appender).result, OK);
    while (got < COUNT) {
        size_t count = 0;
        enum result result = log_read(reader, 7, DEADLINE_MS, &records, &count, &world->err);
        assert_int_equal(result, OK);
        assert_in_range(count, 1, 7);
        for (size_t k = 0; k < count; k++, got++)
            assert_int_equal(atoi(records[k].value.data), got);
    }
    log_reader_close(reader);
}

static void *append_one_later(void *context)
{
    struct world *world = context;
    struct log_appender *appender;
    struct error err;
    struct log_entry entry = entry_of(TOPIC_EVENTS, 1, "k", "woken");
    if (log_appender_open(world->log, &appender, &err) != OK)
        return NULL;
    (void)!log_append_and_wait(appender, &entry, 1, DEADLINE_MS, NULL, &err);
    log_appender_close(appender);
    return NULL;
}

static void a_reader_that_sleeps_is_woken(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    pthread_t thread;
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    for (size_t round = 1; round <= 50; round++) {
        const struct log_record *records;
        size_t count = 0;
        struct pollfd file = {.fd = log_reader_fd(reader), .events = POLLIN};
        assert_int_equal(log_read(reader, 10, 0, &records, &count, &world->err), NOTHING);
        assert_int_equal(pthread_create(&thread, NULL, append_one_later, world), 0);
        do /* the descriptor alone says when to look */
            assert_int_equal(poll(&file, 1, DEADLINE_MS), 1);
        while (log_read(reader, 10, 0, &records, &count, &world->err) == NOTHING);
        assert_int_equal(count, 1);
        (void)pthread_join(thread, NULL);
    }
    read_all(reader, &list);
    assert_int_equal(list.count, 0);
    log_reader_close(reader);
    seen_clear(&list);
}

static void a_waiting_read_ends_when_a_record_comes(void **state)
{
    struct world *world = *state;
    pthread_t thread;
    const struct log_record *records;
    size_t count = 0;
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    (void)!log_read(reader, 10, 0, &records, &count, &world->err);
    assert_int_equal(pthread_create(&thread, NULL, append_one_later, world), 0);
    assert_int_equal(log_read(reader, 10, DEADLINE_MS, &records, &count, &world->err), OK);
    assert_int_equal(count, 1);
    (void)pthread_join(thread, NULL);
    log_reader_close(reader);
}

static void lag_counts_what_is_not_read(void **state)
{
    struct world *world = *state;
    int64_t offsets[8];
    struct seen_list list = {0};
    world_open(world);
    fill(world, offsets, 8);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, 8, &list);
    assert_int_equal(log_reader_lag(reader), 0);
    fill(world, offsets, 5);
    const struct log_record *records;
    size_t count = 0;
    assert_int_equal(log_read(reader, 1, DEADLINE_MS, &records, &count, &world->err), OK);
    assert_int_equal(log_reader_lag(reader), 4);
    log_reader_close(reader);
    seen_clear(&list);
}

static void bounds_say_what_is_there(void **state)
{
    struct world *world = *state;
    struct log_fetcher *fetcher = NULL;
    int64_t first = -1, end = -1, last = 0;
    world_open(world);
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    assert_int_equal(log_bounds(fetcher, TOPIC_EVENTS, 1, &first, &end, &world->err), OK);
    assert_int_equal(first, end);
    for (int i = 0; i < 3; i++) {
        last = append(world, TOPIC_EVENTS, 1, "k", "v");
        (void)append(world, TOPIC_EVENTS, 2, "k", "v");
    }
    assert_int_equal(log_bounds(fetcher, TOPIC_EVENTS, 1, &first, &end, &world->err), OK);
    assert_int_equal(end, last + 1);
    assert_true(first < end);
    log_fetcher_close(fetcher);
}

static void nothing_is_fetched_where_no_record_begins(void **state)
{
    struct world *world = *state;
    struct log_fetcher *fetcher = NULL;
    struct log_record record;
    world_open(world);
    int64_t one = append(world, TOPIC_EVENTS, 1, "k", "one");
    int64_t two = append(world, TOPIC_EVENTS, 1, "k", "two");
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, two + 1, &record, &world->err), NOTHING);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, two + 100000, &record, &world->err), NOTHING);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, -1, &record, &world->err), NOTHING);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 0, one, &record, &world->err), NOTHING);
    for (int64_t at = one + 1; at < two; at++)
        assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, at, &record, &world->err), NOTHING);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, two, &record, &world->err), OK);
    assert_true(view_is_text(record.value, "two"));
    log_fetcher_close(fetcher);
}

static void a_record_is_fetched_as_soon_as_it_is_durable(void **state)
{
    struct world *world = *state;
    struct log_fetcher *fetcher = NULL;
    struct log_record record;
    world_open(world);
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    for (int i = 0; i < 50; i++) { /* each behind what was the end when the one before was fetched */
        int64_t offset = append(world, TOPIC_EVENTS, 1, "k", "newest");
        assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 1, offset, &record, &world->err), OK);
        (void)append(world, TOPIC_EVENTS, 2, "k", "meanwhile");
    }
    log_fetcher_close(fetcher);
}

SENTENCES(reading, SENTENCE(a_reader_starts_at_the_beginning_or_at_the_end),
          SENTENCE(a_reader_starts_at_any_position_of_each_partition),
          SENTENCE(a_position_beyond_the_end_is_for_a_person), SENTENCE(a_reader_that_cannot_say_where_to_start_stops),
          SENTENCE(group_offsets_survive_reopening), SENTENCE(a_slow_reader_misses_nothing),
          SENTENCE(a_reader_that_sleeps_is_woken), SENTENCE(a_waiting_read_ends_when_a_record_comes),
          SENTENCE(lag_counts_what_is_not_read), SENTENCE(bounds_say_what_is_there),
          SENTENCE(nothing_is_fetched_where_no_record_begins), SENTENCE(a_record_is_fetched_as_soon_as_it_is_durable));
