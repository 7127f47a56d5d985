/* Sentences about appending: order, answers, bounds. */
#include "tests/contract/contract.h"

#include "broker/event/limits.h"

#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { MANY = 2000 };

/* Each key's values count up in the order of the list. */
static void assert_counts_up(const struct seen_list *list, const char *key, int count)
{
    int next = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (strcmp(list->items[i].key, key) != 0)
            continue;
        assert_int_equal(atoi(list->items[i].value), next);
        next++;
    }
    assert_int_equal(next, count);
}

static void append_numbered(struct log_appender *appender, const char *key, int32_t partition, int count)
{
    struct error err = {0};
    struct log_answer answer;
    for (int i = 0; i < count; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%d", i);
        struct log_entry entry = entry_of(TOPIC_EVENTS, partition, key, value);
        enum result result;
        while ((result = log_append(appender, &entry, 1, (uint64_t)i, &err)) == AGAIN) {
            answer = collect(appender);
            assert_int_equal(answer.result, OK);
        }
        assert_int_equal(result, OK);
    }
}

static void records_of_a_key_stand_in_the_order_of_the_calls(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    append_numbered(world->appender, "one", 0, MANY);
    append_numbered(world->appender, "two", 1, MANY);
    append_numbered(world->appender, "three", 1, MANY);
    read_until(reader, 3 * MANY, &list);
    assert_counts_up(&list, "one", MANY);
    assert_counts_up(&list, "two", MANY);
    assert_counts_up(&list, "three", MANY);
    seen_clear(&list);
    log_reader_close(reader);
}

struct writer {
    struct world *world;
    pthread_t thread;
    char key[32];
};

static void *write_numbered(void *context)
{
    struct writer *writer = context;
    struct log_appender *appender;
    struct error err;
    if (log_appender_open(writer->world->log, &appender, &err) != OK)
        return NULL;
    append_numbered(appender, writer->key, 2, MANY);
    log_appender_close(appender);
    return NULL;
}

static void appenders_share_a_partition_and_each_keeps_its_order(void **state)
{
    struct world *world = *state;
    struct writer writers[4];
    struct seen_list list = {0};
    world_open(world);
    for (int i = 0; i < 4; i++) {
        writers[i].world = world;
        (void)snprintf(writers[i].key, sizeof writers[i].key, "writer-%d", i);
        assert_int_equal(pthread_create(&writers[i].thread, NULL, write_numbered, &writers[i]), 0);
    }
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, (size_t)4 * MANY, &list);
    for (int i = 0; i < 4; i++) {
        (void)pthread_join(writers[i].thread, NULL);
        assert_counts_up(&list, writers[i].key, MANY);
    }
    seen_clear(&list);
    log_reader_close(reader);
}

static void answers_come_in_the_order_of_the_calls_and_carry_their_tokens(void **state)
{
    struct world *world = *state;
    world_open(world);
    for (uint64_t i = 0; i < 100; i++) {
        struct log_entry entry =
            entry_of(i % 3 == 0 ? TOPIC_ALERTS : TOPIC_EVENTS, (int32_t)(i % PARTITIONS), "k", "v");
        assert_int_equal(log_append(world->appender, &entry, 1, 1000 + i, &world->err), OK);
    }
    for (uint64_t i = 0; i < 100; i++) {
        struct log_answer answer = collect(world->appender);
        assert_int_equal(answer.result, OK);
        assert_int_equal(answer.token, 1000 + i);
        assert_int_equal(answer.count, 1);
    }
    struct log_answer none;
    assert_int_equal(log_collect(world->appender, 0, &none), NOTHING);
}

static void an_answer_says_where_each_record_is(void **state)
{
    struct world *world = *state;
    struct log_entry entries[] = {entry_of(TOPIC_EVENTS, 0, "a", "first"), entry_of(TOPIC_ALERTS, 3, "b", "second"),
                                  entry_of(TOPIC_EVENTS, 1, "c", "third"), entry_of(TOPIC_QUARANTINE, 0, "d", "fourth"),
                                  entry_of(TOPIC_KEYS, 0, "e", "fifth")};
    enum { COUNT = sizeof entries / sizeof *entries };
    int64_t offsets[COUNT];
    struct log_fetcher *fetcher = NULL;
    world_open(world);
    assert_int_equal(log_append_and_wait(world->appender, entries, COUNT, DEADLINE_MS, offsets, &world->err), OK);
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    for (int i = 0; i < COUNT; i++) {
        struct log_record record;
        assert_int_equal(log_fetch(fetcher, entries[i].topic, entries[i].partition, offsets[i], &record, &world->err),
                         OK);
        assert_true(view_is(record.key, entries[i].key));
        assert_true(view_is(record.value, entries[i].value));
        assert_int_equal(record.offset, offsets[i]);
    }
    log_fetcher_close(fetcher);
}

static void offsets_of_a_partition_grow(void **state)
{
    struct world *world = *state;
    int64_t last = -1;
    world_open(world);
    for (int i = 0; i < 20; i++) {
        int64_t offset = append(world, TOPIC_EVENTS, 1, "k", "v");
        assert_true(offset > last);
        last = offset;
        (void)append(world, TOPIC_EVENTS, 2, "k", "v");
    }
}

static void the_appenders_descriptor_is_readable_while_an_answer_waits(void **state)
{
    struct world *world = *state;
    world_open(world);
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "v");
    struct pollfd file = {.fd = log_appender_fd(world->appender), .events = POLLIN};
    assert_int_equal(poll(&file, 1, 0), 0);
    assert_int_equal(log_append(world->appender, &entry, 1, 1, &world->err), OK);
    assert_int_equal(log_append(world->appender, &entry, 1, 2, &world->err), OK);
    for (int i = 0; i < 2; i++) {
        struct log_answer answer;
        do
            assert_int_equal(poll(&file, 1, DEADLINE_MS), 1);
        while (log_collect(world->appender, 0, &answer) == NOTHING);
        assert_int_equal(answer.token, i + 1);
    }
    assert_int_equal(poll(&file, 1, 0), 0);
}

static void the_largest_record_goes_in_and_a_larger_one_is_refused(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    char *value = malloc(LIMIT_RECORD_BYTES + 1);
    assert_non_null(value);
    memset(value, 'x', LIMIT_RECORD_BYTES + 1);
    world_open(world);
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "");
    entry.value = view_make(value, LIMIT_RECORD_BYTES + 1);
    assert_int_equal(log_append(world->appender, &entry, 1, 1, &world->err), REJECTED);
    entry.value.size--;
    for (int i = 0; i < 3; i++)
        append_surely(world, &entry, 1);
    entry.topic = TOPIC_DIRECTORY;
    append_surely(world, &entry, 1);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, 3, &list);
    for (int i = 0; i < 3; i++)
        assert_int_equal(list.items[i].value_size, LIMIT_RECORD_BYTES);
    log_reader_close(reader);
    seen_clear(&list);
    free(value);
}

static void an_empty_value_is_a_value(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    world_open(world);
    (void)append(world, TOPIC_EVENTS, 0, "", "");
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, 1, &list);
    assert_int_equal(list.items[0].value_size, 0);
    assert_false(list.items[0].is_tombstone);
    log_reader_close(reader);
    seen_clear(&list);
}

static void a_full_queue_says_collect_first(void **state)
{
    struct world *world = *state;
    enum { SIZE = 100 * 1000, MOST = 20000 };
    char *value = malloc(SIZE);
    assert_non_null(value);
    memset(value, 'x', SIZE);
    world_open(world);
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "");
    entry.value = view_make(value, SIZE);
    size_t queued = 0;
    enum result result = OK;
    while (result == OK && queued < MOST) {
        result = log_append(world->appender, &entry, 1, queued, &world->err);
        queued += result == OK;
    }
    assert_int_equal(result, AGAIN);
    for (size_t i = 0; i < queued; i++)
        assert_int_equal(collect(world->appender).result, OK);
    assert_int_equal(log_append(world->appender, &entry, 1, 0, &world->err), OK);
    assert_int_equal(collect(world->appender).result, OK);
    free(value);
}

static void what_cannot_be_is_refused(void **state)
{
    struct world *world = *state;
    world_open(world);
    struct log_entry wrong[] = {entry_of(TOPIC_EVENTS, PARTITIONS, "k", "v"), entry_of(TOPIC_EVENTS, -1, "k", "v"),
                                entry_of(TOPIC_EVENTS, 0, "k", NULL), entry_of(TOPIC_KEYS, 1, "k", "v")};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(log_append(world->appender, &wrong[i], 1, 1, &world->err), REJECTED);
    (void)append(world, TOPIC_EVENTS, 0, "k", "v"); /* and nothing is the worse for it */
}

SENTENCES(appending, SENTENCE(records_of_a_key_stand_in_the_order_of_the_calls),
          SENTENCE(appenders_share_a_partition_and_each_keeps_its_order),
          SENTENCE(answers_come_in_the_order_of_the_calls_and_carry_their_tokens),
          SENTENCE(an_answer_says_where_each_record_is), SENTENCE(offsets_of_a_partition_grow),
          SENTENCE(the_appenders_descriptor_is_readable_while_an_answer_waits),
          SENTENCE(the_largest_record_goes_in_and_a_larger_one_is_refused), SENTENCE(an_empty_value_is_a_value),
          SENTENCE(a_full_queue_says_collect_first), SENTENCE(what_cannot_be_is_refused));
