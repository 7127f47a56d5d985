/* Sentences about Kafka alone: brokers that die, topics that do not fit, machines that share the work. */
#include "tests/contract/fixture_kafka.h"

#include "broker/base/time.h"

#include <stdio.h>
#include <stdlib.h>

static struct world *kafka_only(void **state)
{
    struct world *world = *state;
    if (strcmp(world->contract->name, "kafka") != 0)
        skip();
    return world;
}

static void wait_for_health(struct world *world, bool healthy)
{
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while (log_is_healthy(world->log) != healthy && time_monotonic_ms() < deadline) {
        struct log_answer none; /* waits a little, and takes nothing: nothing is outstanding */
        (void)!log_collect(world->appender, 20, &none);
    }
    assert_int_equal(log_is_healthy(world->log), healthy);
}

/* ---- brokers that die ---- */

static void a_killed_broker_loses_doubles_and_reorders_nothing(void **state)
{
    struct world *world = kafka_only(state);
    enum { COUNT = 6000 };
    struct seen_list list = {0};
    int next = 0;
    size_t outstanding = 0;
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    while (next < COUNT || outstanding > 0) {
        char value[16];
        struct log_answer answer;
        (void)snprintf(value, sizeof value, "%d", next);
        struct log_entry entry = entry_of(TOPIC_EVENTS, next % PARTITIONS, "k", value);
        if (next < COUNT && log_append(world->appender, &entry, 1, (uint64_t)next, &world->err) == OK) {
            outstanding++;
            next++;
            if (next == 3000)
                world->contract->restart(world->place);
        }
        while (outstanding > 0 && log_collect(world->appender, next < COUNT ? 0 : DEADLINE_MS, &answer) == OK) {
            assert_int_equal(answer.result, OK); /* it is tried until it is durable */
            outstanding--;
        }
    }
    read_until(reader, COUNT, &list);
    read_all(reader, &list);
    assert_int_equal(list.count, COUNT);
    int expected[PARTITIONS] = {0, 1, 2, 3};
    for (size_t i = 0; i < list.count; i++) {
        assert_int_equal(atoi(list.items[i].value), expected[list.items[i].partition]);
        expected[list.items[i].partition] += PARTITIONS;
    }
    log_reader_close(reader);
    seen_clear(&list);
}

static void a_stopped_broker_shows_in_health_and_loses_nothing(void **state)
{
    struct world *world = kafka_only(state);
    struct seen_list list = {0};
    struct error err = {0};
    const struct log_record *records;
    size_t count;
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "while it was away");
    world_open(world);
    (void)append(world, TOPIC_EVENTS, 0, "k", "before");
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, 1, &list);
    kafka_broker_tell("stop");
    wait_for_health(world, false);
    assert_int_equal(log_append_and_wait(world->appender, &entry, 1, 200, NULL, &err), UNCERTAIN);
    assert_int_equal(log_read(reader, 10, 50, &records, &count, &err), AGAIN);
    kafka_broker_tell("start");
    read_until(reader, 2, &list);
    assert_true(seen_is(&list.items[1], "k", "while it was away"));
    struct log_answer late = collect(world->appender); /* the call did not wait for it, the log did */
    assert_int_equal(late.result, OK);
    wait_for_health(world, true);
    (void)append(world, TOPIC_EVENTS, 0, "k", "after");
    read_until(reader, 3, &list);
    assert_true(seen_is(&list.items[2], "k", "after"));
    log_reader_close(reader);
    seen_clear(&list);
}

static void a_late_answer_is_not_taken_for_the_next_ones(void **state)
{
    struct world *world = kafka_only(state);
    struct error err = {0};
    int64_t first = -1, second = -1;
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "slow");
    world_open(world);
    kafka_broker_tell("freeze");
    assert_int_equal(log_append_and_wait(world->appender, &entry, 1, 100, &first, &err), UNCERTAIN);
    kafka_broker_tell("thaw");
    entry.value = VIEW("quick");
    assert_int_equal(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, &second, &err), OK);
    struct log_fetcher *fetcher = NULL;
    struct log_record record;
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &err), OK);
    assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, 0, second, &record, &err), OK);
    assert_true(view_is_text(record.value, "quick"));
    log_fetcher_close(fetcher);
}

static void a_broker_that_says_nothing_shows_in_health(void **state)
{
    struct world *world = kafka_only(state);
    world_open(world);
    kafka_broker_tell("freeze");
    wait_for_health(world, false);
    kafka_broker_tell("thaw");
    wait_for_health(world, true);
}

static void where_nobody_listens_is_tried_again(void **state)
{
    struct world *world = kafka_only(state);
    struct log *log = NULL;
    struct log_options options = {.where = "kafka://127.0.0.1:1", .client_id = "contract"};
    assert_int_equal(kafka_open_as(world->place, &options, &log, &world->err), AGAIN);
    assert_non_null(strstr(world->err.text, "does not answer"));
}

/* ---- topics that do not fit ---- */

static void assert_refused(struct world *world, const char *word)
{
    struct log *log = NULL;
    assert_int_equal(world->contract->open(world->place, PARTITIONS, false, &log, &world->err), REJECTED);
    if (strstr(world->err.text, word) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", world->err.text, word);
}

static void a_topic_with_other_settings_is_refused_with_what_to_do(void **state)
{
    struct world *world = kafka_only(state);
    const struct {
        const char *topic, *settings[5], *word;
    } wrong[] = {
        {"tidings.events", {"retention.ms", "604800000"}, "retention.ms=-1"},
        {"tidings.audit", {"cleanup.policy", "compact", "retention.ms", "-1"}, "cleanup.policy=delete"},
        {"tidings.keys", {"cleanup.policy", "delete"}, "cleanup.policy=compact"},
        {"tidings.keys", {"cleanup.policy", "compact"}, "max.compaction.lag.ms"},
        {"tidings.quarantine", {"retention.ms", "1000"}, "at least 7776000000"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        kafka_topic_make(wrong[i].topic, strcmp(wrong[i].topic, "tidings.events") == 0 ? PARTITIONS : 1,
                         wrong[i].settings);
        assert_refused(world, wrong[i].word);
        assert_non_null(strstr(world->err.text, wrong[i].topic));
        assert_true(kafka_topics_delete("tidings."));
    }
}

static void topics_that_were_there_and_fit_are_taken(void **state)
{
    struct world *world = kafka_only(state);
    kafka_topic_make("tidings.events", PARTITIONS, (const char *const[]){"retention.ms", "-1", NULL});
    world_open(world);
    assert_true(log_is_new(world->log));
    (void)append(world, TOPIC_EVENTS, 0, "k", "v");
}

static void one_partition_too_many_is_refused(void **state)
{
    struct world *world = kafka_only(state);
    kafka_topic_make("tidings.audit", 2, (const char *const[]){"retention.ms", "-1", NULL});
    assert_refused(world, "must have one");
    assert_true(kafka_topics_delete("tidings."));
    kafka_topic_make("tidings.alerts", 3, (const char *const[]){"retention.ms", "-1", NULL});
    assert_refused(world, "--partitions 3");
}

static void a_topic_that_was_made_anew_is_noticed(void **state)
{
    struct world *world = kafka_only(state);
    static const char *const names[] = {"tidings.alerts", "tidings.audit", "tidings.events"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        world_open(world);
        for (int p = 0; p < PARTITIONS; p++)
            (void)append(world, TOPIC_ALERTS, p, "k", "v");
        world_close(world);
        assert_true(kafka_topics_delete(names[i]));
        assert_refused(world, "deleted");
        assert_true(kafka_topics_delete("tidings."));
    }
}

static void keys_that_were_made_anew_are_noticed(void **state)
{
    struct world *world = kafka_only(state);
    struct log_fetcher *fetcher = NULL;
    struct buffer value = {0};
    world_open(world);
    (void)append(world, TOPIC_KEYS, 0, "k", "secret");
    world_close(world);
    assert_true(kafka_topics_delete("tidings.keys"));
    world_open(world);
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err), FATAL);
    assert_non_null(strstr(world->err.text, "made anew"));
    log_fetcher_close(fetcher);
    buffer_destroy(&value);
}

static void a_topic_that_is_gone_does_not_make_itself_again(void **state)
{
    struct world *world = kafka_only(state);
    struct log_answer none;
    world_open(world);
    (void)append(world, TOPIC_EVENTS, 0, "k", "v");
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "v");
    assert_true(kafka_topics_delete("tidings.events"));
    wait_for_health(world, false);
    (void)!log_append(world->appender, &entry, 1, 1, &world->err);
    (void)!log_collect(world->appender, 2000, &none);
    if (kafka_topic_is_there("tidings.events"))
        fail_msg("it did");
    log_reader_close(reader);
}

/* ---- who writes where ---- */

static void a_foreign_producer_chooses_the_same_partitions(void **state)
{
    struct world *world = kafka_only(state);
    enum { COUNT = 500 };
    struct seen_list list = {0};
    world_open(world);
    rd_kafka_t *foreign = kafka_client(RD_KAFKA_PRODUCER, "partitioner", "murmur2");
    for (int i = 0; i < COUNT; i++) {
        char key[64];
        int size = snprintf(key, sizeof key, "%.*s%d", i % 9, "\xe2\x82\xac-longer", i * 7919);
        rd_kafka_vu_t parts[] = {
            {.vtype = RD_KAFKA_VTYPE_TOPIC, .u.cstr = "tidings.events"},
            {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
            {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {key, (size_t)size}},
            {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(char[]){"v"}, 1}},
        };
        assert_null(rd_kafka_produceva(foreign, parts, sizeof parts / sizeof *parts));
    }
    assert_int_equal(rd_kafka_flush(foreign, DEADLINE_MS), 0);
    rd_kafka_destroy(foreign);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, COUNT, &list);
    for (size_t i = 0; i < list.count; i++)
        assert_int_equal(list.items[i].partition,
                         log_partition_of(world->log, TOPIC_EVENTS, view_of_text(list.items[i].key)));
    log_reader_close(reader);
    seen_clear(&list);
}

static void the_logs_own_marks_are_no_records(void **state)
{
    struct world *world = kafka_only(state);
    struct seen_list list = {0};
    struct log_fetcher *fetcher = NULL;
    struct log_record record;
    struct buffer value = {0};
    world_open(world);
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        struct log_reader *reader = reader_open(world, topic, NULL, start_at_beginning, NULL);
        read_all(reader, &list);
        assert_int_equal(list.count, 0);
        assert_int_equal(log_fetch(fetcher, topic, 0, 0, &record, &world->err), NOTHING);
        log_reader_close(reader);
    }
    assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("log/identity"), &value, &world->err), NOTHING);
    log_fetcher_close(fetcher);
    buffer_destroy(&value);
}

/* ---- machines that share the work ---- */

struct member {
    struct log *log;
    struct log_reader *reader;
    bool has[PARTITIONS];
    size_t read;
};

static int64_t member_start(void *context, int32_t partition, int64_t committed)
{
    ((struct member *)context)->has[partition] = true;
    return committed < 0 ? LOG_START : committed;
}

static void member_revoked(void *context, int32_t partition)
{
    ((struct member *)context)->has[partition] = false;
}

static void member_open(struct world *world, struct member *member, const char *name)
{
    *member = (struct member){0};
    struct log_options options = {.client_id = name};
    assert_int_equal(kafka_open_as(world->place, &options, &member->log, &world->err), OK);
    struct log_reader_options reading = {
        .topic = TOPIC_EVENTS, .group = "shared", .start = member_start, .revoked = member_revoked, .context = member};
    assert_int_equal(log_reader_open(member->log, &reading, &member->reader, &world->err), OK);
}

static void member_close(struct member *member)
{
    log_reader_close(member->reader);
    log_close(member->log);
}

static int member_count(const struct member *member)
{
    int count = 0;
    for (int p = 0; p < PARTITIONS; p++)
        count += member->has[p];
    return count;
}

static void member_read(struct member *member)
{
    const struct log_record *records;
    size_t count = 0;
    struct error err = {0};
    enum result result = log_read(member->reader, 100, 20, &records, &count, &err);
    assert_true(result == OK || result == NOTHING || result == AGAIN);
    for (size_t i = 0; result == OK && i < count; i++) {
        assert_true(member->has[records[i].partition]);
        assert_int_equal(log_reader_commit(member->reader, records[i].partition, records[i].offset + 1, &err), OK);
        member->read++;
    }
}

static void wait_for_shares(struct member *one, int ones, struct member *two, int twos)
{
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while ((member_count(one) != ones || (two != NULL && member_count(two) != twos)) &&
           time_monotonic_ms() < deadline) {
        member_read(one);
        if (two != NULL)
            member_read(two);
    }
    assert_int_equal(member_count(one), ones);
    if (two != NULL)
        assert_int_equal(member_count(two), twos);
}

static void members_share_the_partitions_and_take_over(void **state)
{
    struct world *world = kafka_only(state);
    struct member one, two;
    world_open(world);
    member_open(world, &one, "machine-1");
    wait_for_shares(&one, PARTITIONS, NULL, 0);
    for (int i = 0; i < 40; i++)
        (void)append(world, TOPIC_EVENTS, i % PARTITIONS, "k", "v");
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while (one.read < 40 && time_monotonic_ms() < deadline)
        member_read(&one);
    member_open(world, &two, "machine-2");
    wait_for_shares(&one, PARTITIONS / 2, &two, PARTITIONS / 2);
    for (int i = 0; i < 40; i++)
        (void)append(world, TOPIC_EVENTS, i % PARTITIONS, "k", "v");
    while (one.read + two.read < 80 && time_monotonic_ms() < deadline) {
        member_read(&one);
        member_read(&two);
    }
    assert_int_equal(one.read, 60); /* what was committed is not read again */
    assert_int_equal(two.read, 20);
    member_close(&two); /* a static member: its share waits until its session is over */
    wait_for_shares(&one, PARTITIONS, NULL, 0);
    member_close(&one);
}

static void two_machines_of_one_name_are_told_so(void **state)
{
    struct world *world = kafka_only(state);
    struct member one, two;
    struct error err = {0};
    const struct log_record *records;
    size_t count;
    world_open(world);
    member_open(world, &one, "twin");
    wait_for_shares(&one, PARTITIONS, NULL, 0);
    member_open(world, &two, "twin");
    wait_for_shares(&two, PARTITIONS, NULL, 0);
    enum result result = NOTHING;
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    for (int turn = 0; result != FATAL && time_monotonic_ms() < deadline; turn++) /* each joins again, once */
        result = log_read((turn % 2 == 0 ? &one : &two)->reader, 10, 100, &records, &count, &err);
    assert_int_equal(result, FATAL);
    assert_non_null(strstr(err.text, "name"));
    member_close(&one);
    member_close(&two);
}

/* ---- copies of compacted topics ---- */

static void a_copy_of_another_log_is_thrown_away(void **state)
{
    struct world *world = kafka_only(state);
    struct log_fetcher *fetcher = NULL;
    struct buffer value = {0};
    char identity[64];
    for (int round = 0; round < 2; round++) {
        world_open(world);
        assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
        assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err), NOTHING);
        if (round == 1)
            assert_string_not_equal(log_identity(world->log), identity);
        (void)snprintf(identity, sizeof identity, "%s", log_identity(world->log));
        (void)append(world, TOPIC_KEYS, 0, "k", "secret");
        assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err), OK);
        log_fetcher_close(fetcher);
        world_close(world);
        assert_true(kafka_topics_delete("tidings."));
    }
    buffer_destroy(&value);
}

static void what_another_machine_erased_is_not_found(void **state)
{
    struct world *world = kafka_only(state);
    struct log *other = NULL;
    struct log_fetcher *fetcher = NULL;
    struct buffer value = {0};
    struct log_entry tombstone = entry_of(TOPIC_KEYS, 0, "k", NULL);
    world_open(world);
    (void)append(world, TOPIC_KEYS, 0, "k", "secret");
    assert_int_equal(kafka_open_as(world->place, &(struct log_options){.client_id = "other"}, &other, &world->err), OK);
    assert_int_equal(log_fetcher_open(other, &fetcher, &world->err), OK);
    assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err), OK);
    append_surely(world, &tombstone, 1);
    enum result result = OK; /* within moments: a hit is answered from the copy, which follows the topic */
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    while (result == OK && time_monotonic_ms() < deadline)
        result = log_find(fetcher, TOPIC_KEYS, VIEW("k"), &value, &world->err);
    assert_int_equal(result, NOTHING);
    log_fetcher_close(fetcher);
    log_close(other);
    buffer_destroy(&value);
}

static void what_another_machine_wrote_is_found(void **state)
{
    struct world *world = kafka_only(state);
    struct log *other = NULL;
    struct log_fetcher *fetcher = NULL;
    struct buffer value = {0};
    world_open(world);
    assert_int_equal(kafka_open_as(world->place, &(struct log_options){.client_id = "other"}, &other, &world->err), OK);
    assert_int_equal(log_fetcher_open(other, &fetcher, &world->err), OK);
    for (int i = 0; i < 20; i++) {
        char text[16];
        (void)snprintf(text, sizeof text, "%d", i);
        (void)append(world, TOPIC_KEYS, 0, text, "v");
        assert_int_equal(log_find(fetcher, TOPIC_KEYS, view_of_text(text), &value, &world->err), OK);
        (void)append(world, TOPIC_DIRECTORY, 0, "changing", text);
        assert_int_equal(log_find(fetcher, TOPIC_DIRECTORY, VIEW("changing"), &value, &world->err), OK);
        assert_true(view_is_text(buffer_view(&value), text));
    }
    log_fetcher_close(fetcher);
    log_close(other);
    buffer_destroy(&value);
}

/* ---- settings ---- */

static void settings_are_passed_on_but_for_those_the_log_stands_on(void **state)
{
    struct world *world = kafka_only(state);
    struct log *log = NULL;
    struct log_options options = {.client_id = "contract", .partitions = PARTITIONS, .settings = "acks=0"};
    assert_int_equal(kafka_open_as(world->place, &options, &log, &world->err), REJECTED);
    assert_non_null(strstr(world->err.text, "acks"));
    options.settings = "linger.ms=2\nsasl.passwort=hunter2";
    assert_int_equal(kafka_open_as(world->place, &options, &log, &world->err), REJECTED);
    assert_non_null(strstr(world->err.text, "sasl.passwort"));
    assert_null(strstr(world->err.text, "hunter2"));
    options.settings = "linger.ms=2\ncompression.type=zstd\n";
    assert_int_equal(kafka_open_as(world->place, &options, &log, &world->err), OK);
    log_close(log);
}

/* A loop that does other things beside reading must not be held up by a fetch that waits at the end. */
static void a_reader_that_need_not_wait_does_not(void **state)
{
    struct world *world = kafka_only(state);
    struct seen_list list = {0};
    const struct log_record *records;
    int64_t longest_ms = 0;
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    (void)append(world, TOPIC_EVENTS, 0, "k", "first");
    read_until(reader, 1, &list); /* all partitions are being fetched */
    for (int i = 0; i < 300; i++) {
        size_t read = 0, count;
        (void)append(world, TOPIC_EVENTS, i % PARTITIONS, "k", "v");
        for (int64_t start_ms = time_monotonic_ms(); read == 0 && time_monotonic_ms() - start_ms < DEADLINE_MS;) {
            int64_t before_ms = time_monotonic_ms();
            enum result result = log_read(reader, 10, 0, &records, &count, &world->err);
            int64_t took_ms = time_monotonic_ms() - before_ms;
            longest_ms = took_ms > longest_ms ? took_ms : longest_ms;
            read = result == OK ? count : 0;
        }
        assert_true(read > 0);
    }
    log_reader_close(reader);
    seen_clear(&list);
    assert_true(longest_ms < 300);
}

SENTENCES(kafka, SENTENCE(a_killed_broker_loses_doubles_and_reorders_nothing),
          SENTENCE(a_stopped_broker_shows_in_health_and_loses_nothing),
          SENTENCE(a_late_answer_is_not_taken_for_the_next_ones), SENTENCE(a_broker_that_says_nothing_shows_in_health),
          SENTENCE(where_nobody_listens_is_tried_again),
          SENTENCE(a_topic_with_other_settings_is_refused_with_what_to_do),
          SENTENCE(topics_that_were_there_and_fit_are_taken), SENTENCE(one_partition_too_many_is_refused),
          SENTENCE(a_topic_that_was_made_anew_is_noticed), SENTENCE(keys_that_were_made_anew_are_noticed),
          SENTENCE(a_topic_that_is_gone_does_not_make_itself_again),
          SENTENCE(a_foreign_producer_chooses_the_same_partitions), SENTENCE(the_logs_own_marks_are_no_records),
          SENTENCE(members_share_the_partitions_and_take_over), SENTENCE(two_machines_of_one_name_are_told_so),
          SENTENCE(a_copy_of_another_log_is_thrown_away), SENTENCE(what_another_machine_erased_is_not_found),
          SENTENCE(what_another_machine_wrote_is_found),
          SENTENCE(settings_are_passed_on_but_for_those_the_log_stands_on),
          SENTENCE(a_reader_that_need_not_wait_does_not));
