/* A data folder of its own for each test of the embedded log. */
#pragma once

#include "broker/log/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { PARTITIONS = 4, DEADLINE_MS = 30 * 1000 };

struct place {
    char folder[64];
    const char *settings;
    struct log *log;
    struct log_appender *appender;
    struct error err;
};

static inline int place_set_up(void **state)
{
    struct place *place = calloc(1, sizeof *place);
    if (place == NULL)
        return -1;
    (void)snprintf(place->folder, sizeof place->folder, "/tmp/tidings-log-XXXXXX");
    *state = place;
    return mkdtemp(place->folder) == NULL ? -1 : 0;
}

static inline int place_remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static inline void place_close(struct place *place)
{
    log_appender_close(place->appender);
    log_close(place->log);
    place->appender = NULL;
    place->log = NULL;
}

static inline int place_tear_down(void **state)
{
    struct place *place = *state;
    place_close(place);
    (void)nftw(place->folder, place_remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(place);
    return 0;
}

static inline enum result place_try(struct place *place, bool read_only)
{
    struct log_options options = {.where = "embedded",
                                  .data_folder = place->folder,
                                  .partitions = PARTITIONS,
                                  .read_only = read_only,
                                  .settings = place->settings};
    return log_open(&options, &place->log, &place->err);
}

static inline void place_open(struct place *place)
{
    if (place_try(place, false) != OK || log_appender_open(place->log, &place->appender, &place->err) != OK)
        fail_msg("%s", place->err.text);
}

static inline struct log_entry place_entry(enum topic topic, int32_t partition, struct view value)
{
    return (struct log_entry){.topic = topic, .partition = partition, .key = VIEW("key"), .value = value};
}

/* Appends count records of this size, each by a commit of its own. */
static inline void place_append(struct place *place, enum topic topic, int count, size_t size, int64_t *ret_offsets)
{
    char *value = calloc(1, size + 16);
    assert_non_null(value);
    for (int i = 0; i < count; i++) {
        (void)snprintf(value, 16, "%d", i);
        struct log_entry entry = place_entry(topic, i % PARTITIONS, view_make(value, size));
        int64_t offset;
        if (log_append_and_wait(place->appender, &entry, 1, DEADLINE_MS, &offset, &place->err) != OK)
            fail_msg("%s", place->err.text);
        if (ret_offsets != NULL)
            ret_offsets[i] = offset;
    }
    free(value);
}

static inline int64_t place_start(void *context, int32_t partition, int64_t committed)
{
    (void)partition;
    (void)committed;
    return context == NULL ? LOG_START : *(const int64_t *)context;
}

static inline struct log_reader *place_reader(struct place *place, enum topic topic, const char *group, int64_t *start)
{
    struct log_reader *reader = NULL;
    struct log_reader_options options = {.topic = topic, .group = group, .start = place_start, .context = start};
    if (log_reader_open(place->log, &options, &reader, &place->err) != OK)
        fail_msg("%s", place->err.text);
    return reader;
}

/* How many records there are from start on, and the last result. ret_first: the first one's offset. */
static inline size_t place_count(struct place *place, enum topic topic, int64_t *start, int64_t *ret_first,
                                 enum result *ret_result)
{
    struct log_reader *reader = place_reader(place, topic, NULL, start);
    const struct log_record *records;
    size_t count, all = 0;
    enum result result;
    while ((result = log_read(reader, 1000, 0, &records, &count, &place->err)) == OK) {
        if (all == 0 && ret_first != NULL)
            *ret_first = records[0].offset;
        all += count;
    }
    log_reader_close(reader);
    if (ret_result != NULL)
        *ret_result = result;
    else
        assert_int_equal(result, NOTHING);
    return all;
}
