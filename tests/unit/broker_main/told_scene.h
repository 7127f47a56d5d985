/* A log with events, and the tellings that they give, for a test to append as it likes. */
#pragma once

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

static inline int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    *state = scene;
    return 0;
}

static inline int scene_close(void **state)
{
    struct scene *scene = *state;
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static inline void telling_keep(void *context, const struct log_entry *output)
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

static inline int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

/* Takes what the events give, as match would append it. */
static inline void tellings_take(struct scene *scene)
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

static inline void telling_append(struct scene *scene, size_t place)
{
    const struct log_entry *entry = &scene->tellings[place];
    (void)lab_append_raw(&scene->lab, entry->topic, entry->partition, entry->key, entry->value);
}

/* The same, with something changed. */
static inline void telling_append_changed(struct scene *scene, size_t place, bool late, int32_t index)
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

static inline enum result verify(struct scene *scene)
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

static inline void says(const struct scene *scene, const char *words)
{
    if (strstr(scene->err.text, words) == NULL)
        fail_msg("\"%s\" should say \"%s\"", scene->err.text, words);
}

/* Two practices are told of an admission and a discharge: four tellings. */
static inline void four_tellings(struct scene *scene)
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

#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
