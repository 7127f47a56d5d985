/* The runner, with a fold of the test's own: it counts a patient's events, tells one subscriber of each, and sets
 * deadlines. */
#include "broker/base/time.h"
#include "broker/fold/fold.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ANNE "9990000018"
#define BILL "9990000026"

enum { MOST = 64 };

struct scene {
    struct lab lab;
    struct runner *runner;
    struct fold fold;
    int64_t wakes, wake_ms;
    int64_t deadline_ms; /* set by each event; 0: none */
    bool reject;         /* the next event can never succeed */
    bool wakes_emit;     /* a wake puts an item on the work list */
    int64_t stop_at;     /* this wake cannot be done now, once; 0: all can */
    bool reject_wakes;   /* a wake can never succeed */
    int live, silent;    /* calls of applied */
    struct telling tellings[MOST];
};

static enum result count_apply(void *context, const struct fold_input *input, struct fold_output *output,
                               struct error *err)
{
    struct scene *scene = context;
    uint8_t count = input->state.data == NULL ? 0 : *(const uint8_t *)input->state.data;
    if (input->wake) {
        if (scene->reject_wakes)
            return error_set(err, REJECTED, "the test says so");
        if (scene->stop_at == scene->wakes + 1) {
            scene->stop_at = 0;
            return error_set(err, AGAIN, "the test says so");
        }
        if (scene->wakes_emit)
            fold_emit_work_item(output, &(struct work_item){.kind = VIEW("woken")});
        scene->wakes++;
        scene->wake_ms = input->now_ms;
        fold_put_deadline(output, 0);
        return OK;
    }
    if (input->opened->kind != SCHEMA_EVENT_HEADER)
        return OK;
    struct telling telling = {.subscriber = VIEW("A81001"), .place = ++count};
    fold_tell(output, &telling);
    if (scene->reject)
        return error_set(err, REJECTED, "the test says so");
    fold_put_state(output, view_make(&count, 1));
    if (scene->deadline_ms != 0)
        fold_put_deadline(output, scene->deadline_ms);
    return OK;
}

static void count_applied(void *context, const struct fold_input *input, bool live)
{
    struct scene *scene = context;
    (void)input;
    if (live)
        scene->live++;
    else
        scene->silent++;
}

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    scene->fold = (struct fold){.name = "count",
                                .source = TOPIC_EVENTS,
                                .owner = true,
                                .states_sealed = true,
                                .unseal = true,
                                .shape = 1,
                                .rules_newest = 1,
                                .context = scene,
                                .apply = count_apply,
                                .applied = count_applied,
                                .applied_context = scene};
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    runner_close(scene->runner);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static enum result start(struct scene *scene, struct error *err)
{
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    scene->live = scene->silent = 0;
    return runner_open(&scene->fold, &options, &scene->runner, err);
}

static enum result run_dry(struct scene *scene, struct error *err)
{
    enum result result;
    while ((result = runner_step(scene->runner, 0, err)) == OK)
        ;
    return result;
}

static void fold_all(struct scene *scene)
{
    struct error err = {0};
    if (scene->runner == NULL)
        assert_int_equal(start(scene, &err), OK);
    if (run_dry(scene, &err) != NOTHING)
        fail_msg("%s", err.text);
}

static void stop(struct scene *scene)
{
    runner_close(scene->runner);
    scene->runner = NULL;
}

static void say(struct scene *scene, const char *nhs_number)
{
    struct care_event event = lab_event(&scene->lab, nhs_number, "encounter-admitted-1", "V1");
    (void)lab_append(&scene->lab, &event);
}

/* Until nothing is left to do, also past the pauses of what cannot be done now. */
static void fold_all_patiently(struct scene *scene)
{
    struct error err = {0};
    enum result result = AGAIN;
    int64_t give_up_ms = time_monotonic_ms() + 10000;
    if (scene->runner == NULL)
        assert_int_equal(start(scene, &err), OK);
    while (result != NOTHING && time_monotonic_ms() < give_up_ms) {
        result = runner_step(scene->runner, 10, &err);
        if (result == FATAL)
            fail_msg("%s", err.text);
    }
    assert_int_equal(result, NOTHING);
}

static void remove_file(struct scene *scene, const char *pattern)
{
    char command[160];
    (void)snprintf(command, sizeof command, "rm -rf %s/%s", scene->lab.folder, pattern);
    assert_int_equal(system(command), 0);
}

static void an_output_names_the_record_that_made_it(void **state)
{
    struct scene *scene = *state;
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-admitted-1", "V1");
    struct log_position position = lab_append(&scene->lab, &event);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 1);
    assert_int_equal(scene->tellings[0].cause.topic, TOPIC_EVENTS);
    assert_int_equal(scene->tellings[0].cause.partition, position.partition);
    assert_int_equal(scene->tellings[0].cause.offset, position.offset);
    assert_int_equal(scene->tellings[0].cause.index, 0);
}

static void a_state_goes_on_after_a_restart_and_nothing_is_emitted_again(void **state)
{
    struct scene *scene = *state;
    say(scene, ANNE);
    say(scene, ANNE);
    fold_all(scene);
    stop(scene);
    lab_reopen(&scene->lab);
    say(scene, ANNE);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 3);
    assert_int_equal(scene->tellings[2].place, 3);
    assert_int_equal(scene->live, 1);
}

static void without_its_store_it_folds_silently_up_to_the_groups_offset(void **state)
{
    struct scene *scene = *state;
    say(scene, ANNE);
    say(scene, ANNE);
    fold_all(scene);
    stop(scene);
    remove_file(scene, "count.store*");
    say(scene, ANNE);
    fold_all(scene);
    assert_int_equal(scene->silent, 2);
    assert_int_equal(scene->live, 1);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 3);
    assert_int_equal(scene->tellings[2].place, 3);
}

static void with_neither_store_nor_offset_it_refuses_where_people_were_told(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    say(scene, ANNE);
    fold_all(scene);
    stop(scene);
    remove_file(scene, "count.store*");
    lab_close_keeping_files(&scene->lab);
    remove_file(scene, "log/groups.db*");
    lab_open_again(&scene->lab);
    assert_int_equal(start(scene, &err), OK);
    assert_int_equal(run_dry(scene, &err), FATAL);
    assert_non_null(strstr(err.text, "tidings recover"));
}

static void a_truncated_log_is_an_incident_not_a_start(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    say(scene, ANNE);
    fold_all(scene);
    stop(scene);
    lab_close_keeping_files(&scene->lab);
    remove_file(scene, "log/events/*");
    remove_file(scene, "log/tidings.events/*");
    lab_open_again(&scene->lab);
    say(scene, BILL);
    assert_int_equal(start(scene, &err), OK);
    assert_int_equal(run_dry(scene, &err), FATAL);
    assert_non_null(strstr(err.text, "not the one that was folded"));
}

static void a_group_offset_beyond_the_end_of_the_log_is_an_incident(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    for (int i = 0; i < 3; i++)
        say(scene, ANNE);
    fold_all(scene);
    stop(scene);
    lab_close_keeping_files(&scene->lab);
    remove_file(scene, "log/tidings.events/*");
    remove_file(scene, "log/events/*");
    remove_file(scene, "count.store*"); /* so that the store does not notice first */
    lab_open_again(&scene->lab);
    say(scene, ANNE);
    assert_int_equal(start(scene, &err), OK);
    assert_int_equal(run_dry(scene, &err), FATAL);
    assert_non_null(strstr(err.text, "beyond the end"));
}

static void rules_it_does_not_know_stop_it(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct rules rules = {2};
    struct buffer value = {0};
    record_write_plain(SCHEMA_RULES, &rules, &value);
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, 0, VIEW("rules"), buffer_view(&value));
    buffer_destroy(&value);
    assert_int_equal(start(scene, &err), OK);
    assert_int_equal(run_dry(scene, &err), FATAL);
    assert_non_null(strstr(err.text, "rules 2"));
}

static void bytes_that_are_no_record_go_to_quarantine_and_the_rest_goes_on(void **state)
{
    struct scene *scene = *state;
    struct work_item items[2];
    say(scene, ANNE);
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, 0, VIEW("x"), VIEW("\0\0\0\0\x01garbage"));
    say(scene, ANNE);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 2);
    assert_int_equal(lab_work_items(&scene->lab, items, 2), 1);
    assert_true(view_is_text(items[0].kind, "quarantined"));
    assert_int_equal(items[0].source_topic, TOPIC_EVENTS);
}

static void what_is_rejected_tells_nobody_and_changes_nothing(void **state)
{
    struct scene *scene = *state;
    struct work_item items[2];
    say(scene, ANNE);
    fold_all(scene);
    scene->reject = true;
    say(scene, ANNE);
    fold_all(scene);
    scene->reject = false;
    say(scene, ANNE);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 2);
    assert_int_equal(scene->tellings[1].place, 2);
    assert_int_equal(lab_work_items(&scene->lab, items, 2), 1);
    assert_true(view_is_text(items[0].organisation, "R0A"));
}

static void a_record_that_our_keys_did_not_seal_is_quarantined(void **state)
{
    struct scene *scene = *state;
    struct work_item items[2];
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-admitted-1", "V1");
    struct buffer value = {0};
    struct error err = {0};
    assert_int_equal(keyring_find_any(scene->lab.keyring, event.header.patient, &event.header.key_id, &err), OK);
    assert_int_equal(record_seal_event(scene->lab.keyring, &event.header, &event.body, &value, &err), OK);
    value.data[value.size - 1] ^= 1;
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, 0, event.header.patient, buffer_view(&value));
    buffer_destroy(&value);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 0);
    assert_int_equal(lab_work_items(&scene->lab, items, 2), 1);
}

static void tick_append(struct scene *scene, int32_t partition, int64_t utc_ms)
{
    struct tick tick = {.utc_ms = utc_ms};
    struct buffer value = {0};
    record_write_plain(SCHEMA_TICK, &tick, &value);
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, partition, VIEW("tick"), buffer_view(&value));
    buffer_destroy(&value);
}

static void a_deadline_wakes_its_key_when_a_tick_passes_it_once(void **state)
{
    struct scene *scene = *state;
    struct view patient = lab_patient(&scene->lab, ANNE);
    int32_t partition = log_partition_of(scene->lab.log, TOPIC_EVENTS, patient);
    scene->deadline_ms = 4000000000000; /* far ahead: the runner's own ticks do not reach it */
    say(scene, ANNE);
    tick_append(scene, partition, scene->deadline_ms - 1);
    fold_all(scene);
    assert_int_equal(scene->wakes, 0);
    stop(scene); /* deadlines survive a restart */
    tick_append(scene, partition, scene->deadline_ms);
    fold_all(scene);
    assert_int_equal(scene->wakes, 1);
    assert_int_equal(scene->wake_ms, scene->deadline_ms);
    tick_append(scene, partition, scene->deadline_ms + 5);
    fold_all(scene);
    assert_int_equal(scene->wakes, 1);
}

static void a_due_deadline_makes_the_owner_append_a_tick(void **state)
{
    struct scene *scene = *state;
    scene->deadline_ms = 1; /* long due */
    say(scene, ANNE);
    fold_all(scene);
    int64_t give_up_ms = time_monotonic_ms() + 10000;
    while (scene->wakes == 0 && time_monotonic_ms() < give_up_ms) {
        struct error err = {0};
        assert_int_not_equal(runner_step(scene->runner, 100, &err), FATAL);
    }
    assert_int_equal(scene->wakes, 1);
}

/* Another patient of the same partition. */
static const char *neighbour_of(struct scene *scene, const char *nhs_number)
{
    enum { ENOUGH = 500 }; /* one in four is a neighbour */
    int32_t wanted = log_partition_of(scene->lab.log, TOPIC_EVENTS, lab_patient(&scene->lab, nhs_number));
    for (int i = 0; i < ENOUGH; i++) {
        const char *number = arena_format(&scene->lab.arena, "99901%05d", i).data;
        if (log_partition_of(scene->lab.log, TOPIC_EVENTS, lab_patient(&scene->lab, number)) == wanted)
            return number;
    }
    fail_msg("no neighbour");
    return NULL;
}

/* Two keys of one partition are due, and the second cannot be woken at once. */
static void half_a_tick(struct scene *scene)
{
    struct view patient = lab_patient(&scene->lab, ANNE);
    scene->deadline_ms = 4000000000000;
    scene->wakes_emit = true;
    scene->stop_at = 2;
    say(scene, ANNE);
    say(scene, neighbour_of(scene, ANNE));
    tick_append(scene, log_partition_of(scene->lab.log, TOPIC_EVENTS, patient), scene->deadline_ms);
}

static void a_wake_that_is_tried_again_goes_on_with_the_index_it_had(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    half_a_tick(scene);
    fold_all_patiently(scene);
    assert_int_equal(scene->wakes, 2);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 2);
    assert_int_equal(items[0].source_index, 0);
    assert_int_equal(items[1].source_index, 1);
}

static void after_a_stop_amid_a_tick_all_of_it_is_woken_again_under_the_same_causes(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    struct error err = {0};
    half_a_tick(scene);
    assert_int_equal(start(scene, &err), OK);
    while (scene->wakes == 0)
        assert_int_not_equal(runner_step(scene->runner, 10, &err), FATAL);
    stop(scene);
    fold_all_patiently(scene);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 3);
    assert_int_equal(items[0].source_index, 0);
    assert_int_equal(items[1].source_index, 0); /* the same again, which counts once */
    assert_int_equal(items[2].source_index, 1);
}

static void a_wake_that_can_never_succeed_does_not_hold_up_the_others(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    half_a_tick(scene);
    scene->stop_at = 0;
    scene->reject_wakes = true;
    fold_all_patiently(scene);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 2);
    assert_true(view_is_text(items[0].kind, "quarantined"));
    assert_int_not_equal(items[0].source_index, items[1].source_index);
    scene->reject_wakes = false;
    tick_append(scene, log_partition_of(scene->lab.log, TOPIC_EVENTS, lab_patient(&scene->lab, ANNE)),
                scene->deadline_ms + 1);
    fold_all_patiently(scene);
    assert_int_equal(scene->wakes, 0);
}

static void a_record_copied_under_another_patients_key_is_quarantined(void **state)
{
    struct scene *scene = *state;
    struct work_item items[2];
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-admitted-1", "V1");
    struct buffer value = {0};
    struct error err = {0};
    struct view other = lab_patient(&scene->lab, BILL);
    assert_int_equal(keyring_find_any(scene->lab.keyring, event.header.patient, &event.header.key_id, &err), OK);
    assert_int_equal(record_seal_event(scene->lab.keyring, &event.header, &event.body, &value, &err), OK);
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, log_partition_of(scene->lab.log, TOPIC_EVENTS, other), other,
                         buffer_view(&value));
    buffer_destroy(&value);
    fold_all(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 0);
    assert_int_equal(lab_work_items(&scene->lab, items, 2), 1);
}

static void a_damaged_state_stops_the_fold_and_quarantines_nothing(void **state)
{
    struct scene *scene = *state;
    struct work_item items[2];
    struct error err = {0};
    uint8_t damaged[64] = {0};
    say(scene, ANNE);
    fold_all(scene);
    struct view patient = lab_patient(&scene->lab, ANNE);
    struct buffer envelope = {0};
    assert_int_equal(store_find(runner_store(scene->runner), 's', patient, &envelope), OK);
    memcpy(damaged, envelope.data, 16);
    buffer_destroy(&envelope);
    store_put(runner_store(scene->runner), 's', patient, VIEW_OF(damaged));
    say(scene, ANNE);
    assert_int_equal(run_dry(scene, &err), FATAL);
    assert_non_null(strstr(err.text, "damaged"));
    assert_int_equal(lab_work_items(&scene->lab, items, 2), 0);
}

/* The log inside takes all; the faulty one around it answers as the script says. */
static void with_script(struct scene *scene, const char *script)
{
    struct error err = {0};
    struct runner_options options = {.vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    lab_wrap(&scene->lab, script);
    options.log = scene->lab.log;
    assert_int_equal(runner_open(&scene->fold, &options, &scene->runner, &err), OK);
}

static void outputs_that_the_log_refuses_for_a_while_are_there_once_and_in_order(void **state)
{
    struct scene *scene = *state;
    for (int i = 0; i < 5; i++)
        say(scene, ANNE);
    with_script(scene, "append alerts * fail-until 4");
    fold_all_patiently(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 5);
    for (int i = 0; i < 5; i++)
        assert_int_equal(scene->tellings[i].place, i + 1);
}

static void an_answer_that_comes_after_seconds_is_waited_for(void **state)
{
    struct scene *scene = *state;
    say(scene, ANNE);
    with_script(scene, "append alerts 1 delay 2500");
    fold_all_patiently(scene);
    assert_int_equal(lab_tellings(&scene->lab, scene->tellings, NULL, MOST), 1);
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(an_output_names_the_record_that_made_it),
        SENTENCE(a_state_goes_on_after_a_restart_and_nothing_is_emitted_again),
        SENTENCE(without_its_store_it_folds_silently_up_to_the_groups_offset),
        SENTENCE(with_neither_store_nor_offset_it_refuses_where_people_were_told),
        SENTENCE(a_truncated_log_is_an_incident_not_a_start),
        SENTENCE(a_group_offset_beyond_the_end_of_the_log_is_an_incident),
        SENTENCE(rules_it_does_not_know_stop_it),
        SENTENCE(bytes_that_are_no_record_go_to_quarantine_and_the_rest_goes_on),
        SENTENCE(what_is_rejected_tells_nobody_and_changes_nothing),
        SENTENCE(a_record_that_our_keys_did_not_seal_is_quarantined),
        SENTENCE(a_deadline_wakes_its_key_when_a_tick_passes_it_once),
        SENTENCE(a_due_deadline_makes_the_owner_append_a_tick),
        SENTENCE(a_wake_that_is_tried_again_goes_on_with_the_index_it_had),
        SENTENCE(after_a_stop_amid_a_tick_all_of_it_is_woken_again_under_the_same_causes),
        SENTENCE(a_wake_that_can_never_succeed_does_not_hold_up_the_others),
        SENTENCE(a_record_copied_under_another_patients_key_is_quarantined),
        SENTENCE(a_damaged_state_stops_the_fold_and_quarantines_nothing),
        SENTENCE(outputs_that_the_log_refuses_for_a_while_are_there_once_and_in_order),
        SENTENCE(an_answer_that_comes_after_seconds_is_waited_for),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
