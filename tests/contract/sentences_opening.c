/* Sentences about opening: what stays, who may, and being killed. */
#include "tests/contract/contract.h"

#include "broker/base/memory.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

static void what_was_answered_is_there_after_reopening(void **state)
{
    struct world *world = *state;
    struct seen_list before = {0}, after = {0};
    char identity[64];
    world_open(world);
    (void)snprintf(identity, sizeof identity, "%s", log_identity(world->log));
    for (int i = 0; i < 20; i++)
        (void)append(world, TOPIC_ALERTS, i % PARTITIONS, "k", "v");
    struct log_reader *reader = reader_open(world, TOPIC_ALERTS, NULL, start_at_beginning, NULL);
    read_until(reader, 20, &before);
    log_reader_close(reader);
    world_close(world);
    world_open(world);
    assert_string_equal(log_identity(world->log), identity);
    int64_t next = append(world, TOPIC_ALERTS, 0, "k", "next");
    reader = reader_open(world, TOPIC_ALERTS, NULL, start_at_beginning, NULL);
    read_until(reader, 21, &after);
    int64_t last[PARTITIONS] = {-1, -1, -1, -1};
    for (size_t i = 0; i < after.count; i++) { /* the same offsets, and no offset twice */
        assert_true(after.items[i].offset > last[after.items[i].partition]);
        last[after.items[i].partition] = after.items[i].offset;
    }
    for (size_t i = 0; i < before.count; i++)
        if (before.items[i].partition == 0)
            assert_true(before.items[i].offset < next);
    log_reader_close(reader);
    seen_clear(&before);
    seen_clear(&after);
}

static void a_log_is_new_until_something_is_in_it(void **state)
{
    struct world *world = *state;
    world_open(world);
    assert_true(log_is_new(world->log));
    for (int i = 0; i < PARTITIONS; i++) {
        (void)append(world, TOPIC_EVENTS, i, "", "rules 1");
        (void)append(world, TOPIC_ALERTS, i, "", "rules 1");
    }
    world_close(world);
    world_open(world);
    assert_false(log_is_new(world->log));
}

static void another_number_of_partitions_is_refused(void **state)
{
    struct world *world = *state;
    struct log *log = NULL;
    world_open(world);
    assert_int_equal(log_partitions(world->log, TOPIC_EVENTS), PARTITIONS);
    assert_int_equal(log_partitions(world->log, TOPIC_ALERTS), PARTITIONS);
    assert_int_equal(log_partitions(world->log, TOPIC_KEYS), 1);
    world_close(world);
    assert_int_equal(world->contract->open(world->place, PARTITIONS + 1, false, &log, &world->err), REJECTED);
    assert_non_null(strstr(world->err.text, "partitions"));
    assert_int_equal(world->contract->open(world->place, 0, false, &log, &world->err), OK);
    assert_int_equal(log_partitions(log, TOPIC_EVENTS), PARTITIONS);
    log_close(log);
}

static void a_second_owner_is_refused(void **state)
{
    struct world *world = *state;
    struct log *second = NULL;
    if (!world->contract->has_one_owner)
        skip();
    world_open(world);
    assert_int_equal(world->contract->open(world->place, PARTITIONS, false, &second, &world->err), REJECTED);
    assert_int_not_equal(strlen(world->err.text), 0);
    (void)append(world, TOPIC_EVENTS, 0, "k", "v");
}

static void a_log_opened_for_reading_reads_beside_its_owner(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    struct log *beside = NULL;
    struct log_appender *appender = NULL;
    struct log_fetcher *fetcher = NULL;
    struct buffer value = {0};
    world_open(world);
    for (int i = 0; i < 10; i++)
        (void)append(world, TOPIC_EVENTS, 1, "k", "v");
    (void)append(world, TOPIC_KEYS, 0, "k", "key");
    assert_int_equal(world->contract->open(world->place, 0, true, &beside, &world->err), OK);
    assert_int_equal(log_appender_open(beside, &appender, &world->err), REJECTED);
    assert_string_equal(log_identity(beside), log_identity(world->log));
    (void)append(world, TOPIC_EVENTS, 1, "k", "later");
    struct log_reader *reader = NULL;
    struct log_reader_options options = {.topic = TOPIC_EVENTS, .start = start_at_beginning};
    assert_int_equal(log_reader_open(beside, &options, &reader, &world->err), OK);
    read_until(reader, 10, &list);
    assert_int_equal(log_fetcher_open(beside, &fetcher, &world->err), OK);
    assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err), OK);
    log_fetcher_close(fetcher);
    log_reader_close(reader);
    log_close(beside);
    buffer_destroy(&value);
    seen_clear(&list);
}

/* Appends numbers for ever, and says through the pipe which were answered. */
static _Noreturn void append_until_killed(struct world *world, int pipe_end)
{
    struct log_answer answer;
    uint64_t next = 0;
    size_t outstanding = 0;
    if (world->contract->open(world->place, PARTITIONS, false, &world->log, &world->err) != OK ||
        log_appender_open(world->log, &world->appender, &world->err) != OK)
        _exit(1);
    for (;;) {
        char value[24];
        (void)snprintf(value, sizeof value, "%llu", (unsigned long long)next);
        struct log_entry entry = entry_of(TOPIC_EVENTS, (int32_t)(next % PARTITIONS), "k", value);
        if (outstanding < 200 && log_append(world->appender, &entry, 1, next, &world->err) == OK) {
            next++;
            outstanding++;
        }
        while (log_collect(world->appender, outstanding < 200 ? 0 : 1000, &answer) == OK) {
            outstanding--;
            if (answer.result != OK || write(pipe_end, &answer.token, sizeof answer.token) != sizeof answer.token)
                _exit(1);
        }
    }
}

static uint64_t kill_after(struct world *world, uint64_t answers)
{
    int ends[2];
    uint64_t token = 0, last = 0;
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        append_until_killed(world, ends[1]);
    }
    (void)close(ends[1]);
    while (last < answers && read(ends[0], &token, sizeof token) == sizeof token)
        last = token;
    assert_int_equal(kill(child, SIGKILL), 0);
    while (read(ends[0], &token, sizeof token) == sizeof token) /* what it still said before it died */
        last = token;
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    assert_true(last >= answers);
    return last;
}

static void what_was_answered_is_there_after_kill_9(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    for (uint64_t round = 0; round < 5; round++) {
        size_t before = list.count;
        uint64_t last = kill_after(world, 50 + round * 333);
        world_open(world);
        struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
        seen_clear(&list);
        read_until(reader, before + last + 1, &list);
        read_all(reader, &list);
        /* What this round appended: 0, 1, 2 ... without a gap, at least up to the last answer. By partition, since
         * order over partitions is nobody's promise. */
        int64_t next[PARTITIONS] = {0, 1, 2, 3}, ordinary = 0;
        for (size_t i = 0; i < list.count; i++) {
            int64_t value = atoll(list.items[i].value);
            int32_t partition = list.items[i].partition;
            if (value < PARTITIONS)
                next[partition] = value; /* a round begins */
            assert_int_equal(value, next[partition]);
            next[partition] += PARTITIONS;
            ordinary++;
        }
        for (int i = 0; i < PARTITIONS; i++)
            assert_true(next[i] + PARTITIONS > (int64_t)last);
        assert_int_equal(ordinary, list.count);
        log_reader_close(reader);
        world_close(world);
    }
    seen_clear(&list);
}

static void what_was_answered_is_there_after_the_log_itself_was_killed(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    enum { COUNT = 2000 };
    size_t outstanding = 0;
    bool answered[COUNT] = {false};
    if (world->contract->restart == NULL)
        skip();
    world_open(world);
    for (uint64_t i = 0; i < COUNT;) {
        char value[24];
        struct log_answer answer;
        (void)snprintf(value, sizeof value, "%llu", (unsigned long long)i);
        struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", value);
        if (i == COUNT / 2 && outstanding > 0)
            world->contract->restart(world->place);
        if (log_append(world->appender, &entry, 1, i, &world->err) == OK) {
            outstanding++;
            i++;
        }
        while (log_collect(world->appender, outstanding < 100 ? 0 : DEADLINE_MS, &answer) == OK) {
            outstanding--;
            answered[answer.token] = answer.result == OK;
        }
    }
    for (; outstanding > 0; outstanding--) {
        struct log_answer answer = collect(world->appender);
        answered[answer.token] = answer.result == OK;
    }
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    (void)append(world, TOPIC_EVENTS, 0, "k", "last");
    while (list.count == 0 || !seen_is(&list.items[list.count - 1], "k", "last"))
        read_until(reader, list.count + 1, &list);
    bool seen[COUNT] = {false};
    for (size_t i = 0; i + 1 < list.count; i++)
        seen[atoi(list.items[i].value)] = true;
    for (int i = 0; i < COUNT; i++)
        assert_true(seen[i] || !answered[i]);
    log_reader_close(reader);
    seen_clear(&list);
}

SENTENCES(opening, SENTENCE(what_was_answered_is_there_after_reopening),
          SENTENCE(a_log_is_new_until_something_is_in_it), SENTENCE(another_number_of_partitions_is_refused),
          SENTENCE(a_second_owner_is_refused), SENTENCE(a_log_opened_for_reading_reads_beside_its_owner),
          SENTENCE(what_was_answered_is_there_after_kill_9),
          SENTENCE(what_was_answered_is_there_after_the_log_itself_was_killed));
