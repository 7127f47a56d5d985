/*
 * Rows of the crash table about ticks. No rule of today's sets a deadline, so a fold of the test's own does: each event
 * sets one, each wake puts an item on the work list. The owner is a child that kills itself at its point.
 *
 *   waking [ROW]     one row, or all
 */
#include "broker/base/time.h"
#include "broker/fold/fold.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

enum { MOST_ITEMS = 16, PATIENTS = 3, GIVE_UP_MS = 20 * 1000 };
static const int64_t far_ms = 4000000000000; /* the owner's own ticks do not reach it */

struct scene {
    struct lab lab;
    struct fold fold;
    const char *patients[PATIENTS]; /* of one partition */
    int32_t partition;
    int64_t deadline_ms;  /* of the next event */
    int64_t wakes;        /* in this process */
    int64_t stop_at_wake; /* this one cannot be done now; 0: all can */
    int64_t last_wake_ms; /* time as the last wake saw it */
    int points_left;      /* passings of outputs-appended until death; 0: none */
};

static enum result wake_apply(void *context, const struct fold_input *input, struct fold_output *output,
                              struct error *err)
{
    struct scene *scene = context;
    if (input->wake) {
        if (scene->stop_at_wake == scene->wakes + 1)
            return error_set(err, AGAIN, "the test says so");
        assert_true(input->now_ms >= scene->last_wake_ms);
        scene->last_wake_ms = input->now_ms;
        scene->wakes++;
        fold_emit_work_item(output, &(struct work_item){.kind = VIEW("woken"), .message_id = input->key});
        fold_put_deadline(output, 0);
    } else if (input->opened->kind == SCHEMA_EVENT_HEADER) {
        fold_put_state(output, VIEW("seen"));
        fold_put_deadline(output, input->body->happened_at_ms);
    }
    return OK;
}

static void die_at_outputs(void *context, const char *who, const char *point)
{
    struct scene *scene = context;
    (void)who;
    if (strcmp(point, "outputs-appended") == 0 && scene->points_left > 0 && --scene->points_left == 0)
        (void)raise(SIGKILL);
}

/* Folds until nothing is left, or until this many wakes. */
static void fold_until(struct scene *scene, int64_t wakes)
{
    struct runner_options options = {.log = scene->lab.log,
                                     .vault = scene->lab.vault,
                                     .data_folder = scene->lab.folder,
                                     .region = "lab",
                                     .at_point = die_at_outputs,
                                     .context = scene};
    struct runner *runner = NULL;
    struct error err = {0};
    if (runner_open(&scene->fold, &options, &runner, &err) != OK)
        fail_msg("%s", err.text);
    int64_t give_up_ms = time_monotonic_ms() + GIVE_UP_MS;
    enum result result = OK;
    while ((result = runner_step(runner, 20, &err)) != FATAL && time_monotonic_ms() < give_up_ms)
        if (result == NOTHING && scene->wakes >= wakes)
            break;
    assert_int_equal(result, NOTHING);
    assert_int_equal(scene->wakes, wakes);
    runner_close(runner);
}

/* The same in a child, which dies at its point. */
static void owner_dies(struct scene *scene, int points, int64_t stop_at_wake)
{
    lab_close_keeping_files(&scene->lab);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)alarm(2 * GIVE_UP_MS / 1000);
        lab_open_again(&scene->lab);
        scene->points_left = points;
        scene->stop_at_wake = stop_at_wake;
        fold_until(scene, INT64_MAX);
        _exit(1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    lab_open_again(&scene->lab);
}

static void say(struct scene *scene, size_t patient, int64_t deadline_ms)
{
    struct care_event event = lab_event(&scene->lab, scene->patients[patient], "encounter-admitted-1", "V1");
    event.body.happened_at_ms = deadline_ms;
    (void)lab_append(&scene->lab, &event);
}

static void tick_append(struct scene *scene, int64_t utc_ms)
{
    struct tick tick = {.utc_ms = utc_ms};
    struct buffer value = {0};
    record_write_plain(SCHEMA_TICK, &tick, &value);
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, scene->partition, VIEW("tick"), buffer_view(&value));
    buffer_destroy(&value);
}

/* Items by their causes, the first of each: those that come again count once. Checks that causes do not go back but to
 * repeat. */
static size_t items_counted(struct scene *scene, struct work_item counted[MOST_ITEMS])
{
    struct work_item items[MOST_ITEMS];
    size_t count = 0, there = lab_work_items(&scene->lab, items, MOST_ITEMS);
    for (size_t i = 0; i < there; i++) {
        size_t at = 0;
        while (at < count && (counted[at].source_offset != items[i].source_offset ||
                              counted[at].source_index != items[i].source_index))
            at++;
        if (at < count) {
            assert_true(
                view_is(counted[at].message_id, items[i].message_id)); /* the same output under the same cause */
            continue;
        }
        if (count > 0)
            assert_true(items[i].source_offset > counted[count - 1].source_offset ||
                        items[i].source_index > counted[count - 1].source_index);
        counted[count++] = items[i];
    }
    return count;
}

static void assert_woken(struct scene *scene, const struct work_item *item, size_t patient)
{
    assert_true(view_is(item->message_id, lab_patient(&scene->lab, scene->patients[patient])));
}

static void wake_half_done(void **state)
{
    struct scene *scene = *state;
    struct work_item items[MOST_ITEMS];
    for (size_t i = 0; i < PATIENTS; i++)
        say(scene, i, far_ms + (int64_t)i);
    tick_append(scene, far_ms + PATIENTS);
    owner_dies(scene, 1, 3); /* two are woken, and appended; the third cannot be */
    assert_int_equal(items_counted(scene, items), 2);
    fold_until(scene, PATIENTS); /* all are woken again */
    assert_int_equal(items_counted(scene, items), PATIENTS);
    for (size_t i = 0; i < PATIENTS; i++)
        assert_woken(scene, &items[i], i);
}

static void tick_appended(void **state)
{
    struct scene *scene = *state;
    struct work_item items[MOST_ITEMS];
    for (size_t i = 0; i < PATIENTS; i++)
        say(scene, i, (int64_t)(PATIENTS - i)); /* long due, the last first */
    owner_dies(scene, 1, 0);                    /* its tick is durable, and nothing else */
    assert_int_equal(items_counted(scene, items), 0);
    fold_until(scene, PATIENTS);
    assert_int_equal(items_counted(scene, items), PATIENTS);
    for (size_t i = 0; i < PATIENTS; i++)
        assert_woken(scene, &items[i], PATIENTS - 1 - i);
}

static void two_ticks(void **state)
{
    struct scene *scene = *state;
    struct work_item items[MOST_ITEMS];
    say(scene, 0, far_ms + 10);
    say(scene, 1, far_ms + 20);
    tick_append(scene, far_ms + 20);
    owner_dies(scene, 1, 0);         /* the first owner's tick, and what it wakes, are durable */
    tick_append(scene, far_ms + 10); /* the next owner's clock is behind */
    say(scene, 2, far_ms + 15);
    fold_until(scene, 2);
    assert_int_equal(items_counted(scene, items), 2);
    tick_append(scene, far_ms + 30);
    fold_until(scene, 3);
    assert_int_equal(items_counted(scene, items), 3);
}

static int scene_open(void **state)
{
    static const char *const numbers[] = {"9990000018", "9990000026", "9990000034", "9990000042", "9990000050",
                                          "9990000069", "9990000077", "9990000085", "9990000093", "9990000107",
                                          "9990000115", "9990000123", "9990000131", "9990000158", "9990000166"};
    struct scene *scene = memory_take(sizeof *scene);
    const char *there[LAB_PARTITIONS][sizeof numbers / sizeof numbers[0]];
    size_t counts[LAB_PARTITIONS] = {0};
    lab_open(&scene->lab);
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        int32_t partition = log_partition_of(scene->lab.log, TOPIC_EVENTS, lab_patient(&scene->lab, numbers[i]));
        there[partition][counts[partition]++] = numbers[i];
    }
    while (counts[scene->partition] < PATIENTS) /* fifteen patients in four partitions: one has enough */
        scene->partition++;
    memcpy(scene->patients, there[scene->partition], sizeof scene->patients);
    scene->fold = (struct fold){.name = "wakes",
                                .source = TOPIC_EVENTS,
                                .owner = true,
                                .states_sealed = true,
                                .unseal = true,
                                .shape = 1,
                                .rules_newest = 1,
                                .context = scene,
                                .apply = wake_apply};
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

int main(int count, char **words)
{
#define ROW(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest rows[] = {ROW(wake_half_done), ROW(tick_appended), ROW(two_ticks)};
    if (count > 1)
        cmocka_set_test_filter(words[1]);
    return cmocka_run_group_tests(rows, NULL, NULL);
}
