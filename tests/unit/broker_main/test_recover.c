/* Recover: with stores and offsets gone, matching goes on where it told last, and tells nobody twice. */
#include "tests/unit/broker_main/told_scene.h"

#include "broker/base/time.h"
#include "broker/main/recover.h"

enum { PATIENCE_MS = 10 * 1000 };

static enum result recover(struct scene *scene, struct recovered **ret, int32_t *ret_count)
{
    struct recover_options options = {.log = scene->lab.log, .one_stream = true, .stop = &scene->stop};
    return recover_log(&options, ret, ret_count, &scene->err);
}

/* Matches what there is to match, as `serve` would. */
static enum result match_run(struct scene *scene)
{
    struct runner *runner;
    struct fold match = match_fold();
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "test"};
    int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;
    enum result result = runner_open(&match, &options, &runner, &scene->err);
    while (result == OK || result == AGAIN) {
        assert_true(time_monotonic_ms() < until_ms);
        result = runner_step(runner, 10, &scene->err);
    }
    runner_close(runner);
    return result;
}

static void without_store_and_offset_matching_goes_on_only_after_recovery(void **state)
{
    struct scene *scene = *state;
    struct recovered *recovered;
    int32_t count, partition;
    four_tellings(scene);
    telling_append(scene, 0);
    telling_append(scene, 1); /* the admission is told, the discharge is not */
    assert_int_equal(match_run(scene), FATAL);
    says(scene, "tidings recover");

    assert_int_equal(recover(scene, &recovered, &count), OK);
    assert_int_equal(count, LAB_PARTITIONS);
    partition = log_partition_of(scene->lab.log, TOPIC_EVENTS, lab_patient(&scene->lab, ANNE));
    for (int32_t i = 0; i < count; i++)
        assert_true((recovered[i].next >= 0) == (i == partition));
    assert_int_equal(recovered[partition].next, recovered[partition].last_told);
    free(recovered);

    assert_int_equal(match_run(scene), NOTHING);
    if (verify(scene) != OK)
        fail_msg("%s", scene->err.text);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.duplicates, 2); /* the last record that was told of is told again */
    assert_int_equal(scene->counts.numbered, 2);
    assert_int_equal(scene->counts.untold, 0);
}

static void a_record_half_told_is_told_whole(void **state)
{
    struct scene *scene = *state;
    struct recovered *recovered;
    int32_t count;
    four_tellings(scene);
    for (size_t i = 0; i < 3; i++)
        telling_append(scene, i); /* one of the two tellings of the discharge was lost */
    assert_int_equal(recover(scene, &recovered, &count), OK);
    free(recovered);
    assert_int_equal(match_run(scene), NOTHING);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.untold, 0);
}

static void where_nobody_was_told_nothing_is_set(void **state)
{
    struct scene *scene = *state;
    struct recovered *recovered;
    int32_t count;
    four_tellings(scene);
    assert_int_equal(recover(scene, &recovered, &count), OK);
    for (int32_t i = 0; i < count; i++)
        assert_int_equal(recovered[i].next, -1);
    free(recovered);
    assert_int_equal(match_run(scene), NOTHING);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.tellings, 4);
}

static void alerts_of_events_that_are_not_there_are_an_incident(void **state)
{
    struct scene *scene = *state;
    struct recovered *recovered;
    struct opened_record opened;
    struct buffer value = {0};
    int32_t count;
    four_tellings(scene);
    struct log_entry *entry = &scene->tellings[3];
    assert_int_equal(record_open(entry->value, &scene->lab.arena, &opened, &scene->err), OK);
    opened.telling.cause.offset += 1000 * 1000;
    record_write_telling(&opened.telling, opened.sealed, &value);
    (void)lab_append_raw(&scene->lab, TOPIC_ALERTS, entry->partition, entry->key, buffer_view(&value));
    buffer_destroy(&value);
    assert_int_equal(recover(scene, &recovered, &count), REJECTED);
    says(scene, "which is not there: the events were restored to an earlier time");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(without_store_and_offset_matching_goes_on_only_after_recovery),
        SENTENCE(a_record_half_told_is_told_whole),
        SENTENCE(where_nobody_was_told_nothing_is_set),
        SENTENCE(alerts_of_events_that_are_not_there_are_an_incident),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
