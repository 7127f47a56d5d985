/* Sentences about what goes wrong on the way: a faulty log around the one under test. */
#include "tests/contract/contract.h"

#include <poll.h>
#include <stdio.h>

static void open_with_script(struct world *world, const char *script)
{
    struct log *faulty = NULL;
    world_open(world);
    log_appender_close(world->appender);
    world->appender = NULL;
    assert_int_equal(log_faulty_open(world->log, script, &faulty, &world->err), OK);
    world->log = faulty;
    assert_int_equal(log_appender_open(world->log, &world->appender, &world->err), OK);
}

/* Queues count appends "0", "1" ... without collecting. */
static void queue(struct world *world, int count)
{
    for (int i = 0; i < count; i++) {
        char value[32];
        (void)snprintf(value, sizeof value, "%d", i);
        struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", value);
        assert_int_equal(log_append(world->appender, &entry, 1, (uint64_t)i, &world->err), OK);
    }
}

/* What the topic has is exactly these values. */
static void assert_log_is(struct world *world, const char *const *values, size_t count)
{
    struct seen_list list = {0};
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, count, &list);
    read_all(reader, &list);
    assert_int_equal(list.count, count);
    for (size_t i = 0; i < count; i++)
        assert_string_equal(list.items[i].value, values[i]);
    log_reader_close(reader);
    seen_clear(&list);
}

static void a_lost_answer_is_uncertain_and_the_second_append_harmless(void **state)
{
    struct world *world = *state;
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "once");
    open_with_script(world, "append events 1 lose-answer");
    assert_int_equal(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err), UNCERTAIN);
    assert_int_equal(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err), OK);
    (void)append(world, TOPIC_EVENTS, 0, "k", "after");
    /* The same bytes twice, in the order of the calls: readers drop the second by what it names as its cause. */
    assert_log_is(world, (const char *const[]){"once", "once", "after"}, 3);
}

static void nothing_overtakes_an_append_that_failed(void **state)
{
    struct world *world = *state;
    open_with_script(world, "append events 2 fail");
    queue(world, 4);
    assert_int_equal(collect(world->appender).result, OK);
    for (int i = 1; i < 4; i++) {
        struct log_answer answer = collect(world->appender);
        assert_int_equal(answer.token, i);
        assert_int_equal(answer.result, AGAIN);
        assert_int_not_equal(strlen(answer.why.text), 0);
    }
    (void)append(world, TOPIC_EVENTS, 0, "k", "1"); /* all answers collected: usable again */
    (void)append(world, TOPIC_EVENTS, 0, "k", "2");
    assert_log_is(world, (const char *const[]){"0", "1", "2"}, 3);
}

static void what_was_queued_behind_a_lost_answer_is_uncertain(void **state)
{
    struct world *world = *state;
    open_with_script(world, "append events 2 lose-answer");
    queue(world, 4);
    assert_int_equal(collect(world->appender).result, OK);
    for (int i = 1; i < 4; i++)
        assert_int_equal(collect(world->appender).result, UNCERTAIN);
    assert_log_is(world, (const char *const[]){"0", "1", "2", "3"}, 4);
}

static void a_script_skips_doubles_and_fails_until(void **state)
{
    struct world *world = *state;
    open_with_script(world, "append any * fail-until 3\nappend events 4 skip\n\nappend events 5 twice\n");
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "early");
    for (int i = 1; i < 3; i++)
        assert_int_equal(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err), AGAIN);
    (void)append(world, TOPIC_EVENTS, 0, "k", "third");
    (void)append(world, TOPIC_EVENTS, 0, "k", "skipped");
    (void)append(world, TOPIC_EVENTS, 0, "k", "doubled");
    (void)append(world, TOPIC_EVENTS, 0, "k", "sixth");
    assert_log_is(world, (const char *const[]){"third", "doubled", "doubled", "sixth"}, 4);
}

static void a_delayed_answer_comes_late_and_wakes(void **state)
{
    struct world *world = *state;
    struct log_answer answer;
    open_with_script(world, "append events 1 delay 100");
    queue(world, 2);
    struct pollfd file = {.fd = log_appender_fd(world->appender), .events = POLLIN};
    for (uint64_t i = 0; i < 2; i++) {
        do
            assert_int_equal(poll(&file, 1, DEADLINE_MS), 1);
        while (log_collect(world->appender, 0, &answer) == NOTHING);
        assert_int_equal(answer.token, i);
        assert_int_equal(answer.result, OK);
    }
    assert_log_is(world, (const char *const[]){"0", "1"}, 2);
}

static void a_read_that_fails_misses_nothing(void **state)
{
    struct world *world = *state;
    const struct log_record *records;
    size_t count = 0, failed = 0, got = 0;
    open_with_script(world, "read events 2 fail\nread events 3 fail\nread alerts 1 fail");
    queue(world, 4);
    for (int i = 0; i < 4; i++)
        assert_int_equal(collect(world->appender).result, OK);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    while (got < 4) {
        enum result result = log_read(reader, 1, DEADLINE_MS, &records, &count, &world->err);
        failed += result == AGAIN;
        if (result != OK)
            continue;
        assert_int_equal(count, 1);
        int64_t number = -1;
        assert_true(view_to_number(records[0].value, &number));
        assert_int_equal(number, got);
        got++;
    }
    assert_int_equal(failed, 2);
    log_reader_close(reader);
}

static void a_script_that_is_not_one_is_refused(void **state)
{
    struct world *world = *state;
    struct log *faulty = NULL;
    static const char *const wrong[] = {"append",
                                        "append events 3",
                                        "append events x fail",
                                        "append events 0 fail",
                                        "write events 1 fail",
                                        "append nowhere 1 fail",
                                        "append events 1 fail 3",
                                        "append events 1 delay",
                                        "read events 1 twice",
                                        "append events 1 explode"};
    world_open(world);
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        assert_int_equal(log_faulty_open(world->log, wrong[i], &faulty, &world->err), REJECTED);
}

SENTENCES(failing, SENTENCE(a_lost_answer_is_uncertain_and_the_second_append_harmless),
          SENTENCE(nothing_overtakes_an_append_that_failed),
          SENTENCE(what_was_queued_behind_a_lost_answer_is_uncertain), SENTENCE(a_script_skips_doubles_and_fails_until),
          SENTENCE(a_delayed_answer_comes_late_and_wakes), SENTENCE(a_read_that_fails_misses_nothing),
          SENTENCE(a_script_that_is_not_one_is_refused));
