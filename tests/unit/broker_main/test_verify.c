/* Verify: a log that is right is found right, and every way in which it can be wrong is found, with its position. */
#include "broker/fold/replay.h"
#include "broker/main/scratch.h"
#include "broker/main/verify.h"
#include "consumers/match/match.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ANNE "9990000018"
#define BILL "9990000026"

enum { MOST = 32, AT_ONCE = 100 };

struct scene {
    struct lab lab;
    struct log_entry tellings[MOST]; /* what the events give, in order; views in the lab's arena */
    size_t count;
    atomic_bool stop;
    struct verify_counts counts;
    struct error err;
};

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static void telling_keep(void *context, const struct log_entry *output)
{
    struct scene *scene = context;
    if (output->topic != TOPIC_ALERTS)
        return;
    assert_true(scene->count < MOST);
    struct log_entry *kept = &scene->tellings[scene->count++];
    *kept = *output;
    kept->key = arena_copy(&scene->lab.arena, output->key);
    kept->value = arena_copy(&scene->lab.arena, output->value);
}

static int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

/* Takes what the events give, as match would append it. */
static void tellings_take(struct scene *scene)
{
    char scratch[SCRATCH_PATH_SIZE];
    struct runner *runner;
    struct log_reader *reader;
    const struct log_record *records;
    size_t count;
    struct fold match = match_fold();
    struct log_reader_options from = {.topic = TOPIC_EVENTS, .start = start_at_the_beginning};
    assert_int_equal(scratch_make(scratch, &scene->err), OK);
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scratch, .region = "test"};
    assert_int_equal(runner_open_replay(&match, &options, &runner, &scene->err), OK);
    assert_int_equal(log_reader_open(scene->lab.log, &from, &reader, &scene->err), OK);
    scene->count = 0;
    while (log_read(reader, AT_ONCE, 0, &records, &count, &scene->err) == OK)
        for (size_t i = 0; i < count; i++)
            assert_int_equal(runner_replay(runner, &records[i], telling_keep, scene, &scene->err), OK);
    log_reader_close(reader);
    runner_close(runner);
    scratch_remove(scratch);
}

static void telling_append(struct scene *scene, size_t place)
{
    const struct log_entry *entry = &scene->tellings[place];
    (void)lab_append_raw(&scene->lab, entry->topic, entry->partition, entry->key, entry->value);
}

/* The same, with something changed. */
static void telling_append_changed(struct scene *scene, size_t place, bool late, int32_t index)
{
    struct opened_record opened;
    struct buffer value = {0};
    struct log_entry entry = scene->tellings[place];
    assert_int_equal(record_open(entry.value, &scene->lab.arena, &opened, &scene->err), OK);
    opened.telling.late = late;
    opened.telling.cause.index += index;
    record_write_telling(&opened.telling, opened.sealed, &value);
    (void)lab_append_raw(&scene->lab, entry.topic, entry.partition, entry.key, buffer_view(&value));
    buffer_destroy(&value);
}

static enum result verify(struct scene *scene)
{
    char scratch[SCRATCH_PATH_SIZE];
    assert_int_equal(scratch_make(scratch, &scene->err), OK);
    struct verify_options options = {.log = scene->lab.log,
                                     .vault = scene->lab.vault,
                                     .data_folder = scene->lab.folder,
                                     .scratch = scratch,
                                     .one_stream = true,
                                     .stop = &scene->stop};
    enum result result = verify_log(&options, &scene->counts, &scene->err);
    scratch_remove(scratch);
    return result;
}

static void says(const struct scene *scene, const char *words)
{
    if (strstr(scene->err.text, words) == NULL)
        fail_msg("\"%s\" should say \"%s\"", scene->err.text, words);
}

/* Two practices are told of an admission and a discharge: four tellings. */
static void four_tellings(struct scene *scene)
{
    struct lab *lab = &scene->lab;
    (void)lab_register(lab, ANNE, "A81001", "gp");
    (void)lab_register(lab, ANNE, "VL001", "care-home");
    (void)lab_subscribe(lab, "A81001", "", "", false);
    struct care_event event = lab_event(lab, ANNE, "encounter-admitted-1", "V1");
    (void)lab_append(lab, &event);
    event = lab_event(lab, ANNE, "encounter-discharged-1", "V1");
    (void)lab_append(lab, &event);
    tellings_take(scene);
    assert_int_equal(scene->count, 4);
}

static void what_match_told_is_right(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    if (verify(scene) != OK)
        fail_msg("%s", scene->err.text);
    assert_int_equal(scene->counts.events, 4);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.numbered, 2);
    assert_int_equal(scene->counts.duplicates, 0);
    assert_int_equal(scene->counts.untold, 0);
    assert_int_equal(scene->counts.erased, 0);
}

static void what_is_not_told_yet_is_no_difference(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append(scene, 0);
    telling_append(scene, 1);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.untold, 2);
}

static void what_was_told_twice_is_dropped_and_counted(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    telling_append(scene, 2);
    telling_append(scene, 3);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.duplicates, 2);
    assert_int_equal(scene->counts.numbered, 2);
}

static void a_telling_that_was_left_out_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append(scene, 0);
    telling_append(scene, 1);
    telling_append(scene, 3); /* not 2: it went to another subscriber, perhaps in another partition */
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.events partition");
    says(scene, "is missing in tidings.alerts partition");
}

static void a_telling_that_nobody_decided_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    telling_append_changed(scene, 3, false, 7);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.alerts partition");
    says(scene, "which the events do not give");
}

static void a_telling_that_says_something_else_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append_changed(scene, 0, true, 0);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "is not the telling that tidings.events partition");
}

static void an_event_id_that_its_message_does_not_give_is_found(void **state)
{
    struct scene *scene = *state;
    struct lab *lab = &scene->lab;
    struct buffer value = {0};
    struct care_event event = lab_event(lab, ANNE, "encounter-admitted-1", "V1");
    (void)lab_append(lab, &event);
    event.header.id.bytes[15] ^= 1;
    assert_int_equal(record_seal_event(lab->keyring, &event.header, &event.body, &value, &scene->err), OK);
    (void)lab_append_raw(lab, TOPIC_EVENTS, log_partition_of(lab->log, TOPIC_EVENTS, event.header.patient),
                         event.header.patient, buffer_view(&value));
    buffer_destroy(&value);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "the event's id is not what its publisher and message id give");
}

static void bytes_that_are_no_record_are_found(void **state)
{
    struct scene *scene = *state;
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, 1, VIEW("x"), VIEW("no record"));
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.events partition 1, offset 0: ");
}

static void a_record_in_the_wrong_partition_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    struct log_entry *entry = &scene->tellings[0];
    (void)lab_append_raw(&scene->lab, TOPIC_ALERTS, (entry->partition + 1) % LAB_PARTITIONS, entry->key, entry->value);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "belongs to another partition");
}

static void an_erased_patient_is_no_difference(void **state)
{
    struct scene *scene = *state;
    struct lab *lab = &scene->lab;
    uint64_t id;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    struct view anne = lab_patient(lab, ANNE);
    assert_int_equal(keyring_find_any(lab->keyring, anne, &id, &scene->err), OK);
    struct view name = arena_format(&lab->arena, "%.*s/%016llx", VIEW_ARGS(anne), (unsigned long long)id);
    (void)lab_append_raw(lab, TOPIC_KEYS, 0, name, VIEW_NONE);
    struct care_event event = lab_event(lab, BILL, "encounter-admitted-1", "V2");
    (void)lab_append(lab, &event);
    if (verify(scene) != OK)
        fail_msg("%s", scene->err.text);
    assert_int_equal(scene->counts.erased, 8); /* four events, four tellings */
    assert_int_equal(scene->counts.events, 5);
    assert_int_equal(scene->counts.numbered, 2);
}

#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(what_match_told_is_right),
        SENTENCE(what_is_not_told_yet_is_no_difference),
        SENTENCE(what_was_told_twice_is_dropped_and_counted),
        SENTENCE(a_telling_that_was_left_out_is_found),
        SENTENCE(a_telling_that_nobody_decided_is_found),
        SENTENCE(a_telling_that_says_something_else_is_found),
        SENTENCE(an_event_id_that_its_message_does_not_give_is_found),
        SENTENCE(bytes_that_are_no_record_are_found),
        SENTENCE(a_record_in_the_wrong_partition_is_found),
        SENTENCE(an_erased_patient_is_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
