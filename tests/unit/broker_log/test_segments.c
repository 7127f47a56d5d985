/* Segment files of the embedded log: rolling, recovery, damage. */
#include "embedded_place.h"

#include "broker/base/bytes.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { RECORD = 500, FRAME = RECORD + 3 + 48 };

static void path_in(const struct place *place, const char *name, char ret[256])
{
    (void)snprintf(ret, 256, "%s/log/tidings.events/%s", place->folder, name);
}

static void segment_path(const struct place *place, int64_t first, char ret[256])
{
    char name[64];
    (void)snprintf(name, sizeof name, "%020lld.segment", (long long)first);
    path_in(place, name, ret);
}

static void overwrite(const char *path, off_t at, size_t size)
{
    uint8_t other[4096];
    memset(other, 0xa5, sizeof other);
    int file = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pwrite(file, other, size, at), size);
    (void)close(file);
}

static int segments(const struct place *place)
{
    char folder[256];
    int count = 0;
    path_in(place, "", folder);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        count += strstr(entry->d_name, ".segment") != NULL;
    (void)closedir(entries);
    return count;
}

/* In a child that ends without closing: one call of `count` records. */
static void append_together_and_die(struct place *place, int count)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        char value[RECORD] = "together";
        struct log_entry entries[16];
        for (int i = 0; i < count; i++)
            entries[i] = place_entry(TOPIC_EVENTS, i % PARTITIONS, VIEW_OF(value));
        bool done = place_try(place, false) == OK &&
                    log_appender_open(place->log, &place->appender, &place->err) == OK &&
                    log_append_and_wait(place->appender, entries, (size_t)count, DEADLINE_MS, NULL, &place->err) == OK;
        _exit(done ? 0 : 1);
    }
    int status = 1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_stream_goes_on_in_a_new_segment(void **state)
{
    struct place *place = *state;
    int64_t offsets[40];
    place->settings = "segment.bytes=5000";
    place_open(place);
    struct log_reader *reader = place_reader(place, TOPIC_EVENTS, NULL, NULL);
    place_append(place, TOPIC_EVENTS, 40, RECORD, offsets);
    assert_true(segments(place) >= 5);
    for (int i = 0; i < 40; i++) /* the address counts frames, whatever file they stand in */
        assert_int_equal(offsets[i], (int64_t)i * FRAME);
    const struct log_record *records;
    size_t count, all = 0;
    while (log_read(reader, 7, 0, &records, &count, &place->err) == OK)
        for (size_t i = 0; i < count; i++, all++)
            assert_int_equal(records[i].offset, offsets[all]);
    assert_int_equal(all, 40);
    log_reader_close(reader);
    place_close(place);
    place_open(place);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 40);
    int64_t next;
    place_append(place, TOPIC_EVENTS, 1, RECORD, &next);
    assert_int_equal(next, 40 * FRAME);
    struct log_fetcher *fetcher = NULL;
    struct log_record record;
    assert_int_equal(log_fetcher_open(place->log, &fetcher, &place->err), OK);
    for (int i = 39; i >= 0; i--)
        assert_int_equal(log_fetch(fetcher, TOPIC_EVENTS, i % PARTITIONS, offsets[i], &record, &place->err), OK);
    log_fetcher_close(fetcher);
}

static void a_reader_starts_at_the_first_record_at_or_after_its_position(void **state)
{
    struct place *place = *state;
    place->settings = "segment.bytes=3000";
    place_open(place);
    place_append(place, TOPIC_EVENTS, 20, RECORD, NULL);
    for (int64_t at = 0; at <= 20 * FRAME; at += at % FRAME < 2 || at % FRAME > FRAME - 3 ? 1 : 61) {
        int64_t position = at, first = -1;
        size_t wanted = (size_t)(20 - (at + FRAME - 1) / FRAME);
        assert_int_equal(place_count(place, TOPIC_EVENTS, &position, &first, NULL), wanted);
        if (wanted > 0)
            assert_int_equal(first, (at + FRAME - 1) / FRAME * FRAME);
    }
    enum result result;
    int64_t beyond = 20 * FRAME + 1;
    (void)place_count(place, TOPIC_EVENTS, &beyond, NULL, &result);
    assert_int_equal(result, FATAL);
}

static void a_torn_commit_is_cut_also_where_its_later_part_reached_the_disk(void **state)
{
    struct place *place = *state;
    char path[256];
    append_together_and_die(place, 4);
    append_together_and_die(place, 8);
    segment_path(place, 0, path);
    overwrite(path, 32 + 6 * FRAME + 100, 200); /* the third record of the second commit; five whole ones follow */
    place_open(place);
    assert_int_equal(log_cut_bytes(place->log), 6 * FRAME);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 6);
}

static void damage_before_the_last_commit_is_not_cut(void **state)
{
    struct place *place = *state;
    char path[256];
    append_together_and_die(place, 4);
    append_together_and_die(place, 8);
    segment_path(place, 0, path);
    overwrite(path, 32 + 3 * FRAME + 100, 200); /* the last record of the first commit */
    path_in(place, "mark", path);
    assert_int_equal(unlink(path), 0); /* so that all of it is looked at */
    assert_int_equal(place_try(place, false), FATAL);
    assert_non_null(strstr(place->err.text, "damaged at position 1653"));
    assert_int_equal(place_try(place, true), FATAL);
}

static void damage_in_an_old_segment_is_found_by_who_reads_it(void **state)
{
    struct place *place = *state;
    char path[256];
    enum result result;
    int64_t behind = 6 * FRAME;
    place->settings = "segment.bytes=3000";
    place_open(place);
    place_append(place, TOPIC_EVENTS, 20, RECORD, NULL);
    place_close(place);
    segment_path(place, 0, path);
    overwrite(path, 32 + 2 * FRAME, 4); /* not even the beginning of a frame */
    place_open(place);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, &result), 2);
    assert_int_equal(result, FATAL);
    assert_int_equal(place_count(place, TOPIC_EVENTS, &behind, NULL, NULL), 14);
}

static void a_missing_segment_is_noticed(void **state)
{
    struct place *place = *state;
    char path[256];
    place->settings = "segment.bytes=3000";
    place_open(place);
    place_append(place, TOPIC_EVENTS, 20, RECORD, NULL);
    place_close(place);
    segment_path(place, 5 * FRAME, path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(place_try(place, false), FATAL);
    assert_non_null(strstr(place->err.text, "gap"));
}

static void a_segment_whose_making_was_interrupted_is_made_again(void **state)
{
    struct place *place = *state;
    char path[256];
    place_open(place);
    place_append(place, TOPIC_EVENTS, 5, RECORD, NULL);
    place_close(place);
    segment_path(place, 5 * FRAME, path);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    assert_int_equal(write(file, "TDSEG", 5), 5);
    (void)close(file);
    assert_int_equal(place_try(place, true), OK);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 5);
    place_close(place);
    place->settings = "segment.bytes=1000";
    place_open(place);
    place_append(place, TOPIC_EVENTS, 5, RECORD, NULL);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 10);
}

static void a_lost_mark_costs_time_and_nothing_else(void **state)
{
    struct place *place = *state;
    char path[256];
    struct log_fetcher *fetcher = NULL;
    int64_t first, end;
    place->settings = "segment.bytes=3000";
    place_open(place);
    place_append(place, TOPIC_EVENTS, 19, RECORD, NULL);
    for (int round = 0; round < 2; round++) {
        place_close(place);
        path_in(place, "mark", path);
        if (round == 0)
            assert_int_equal(unlink(path), 0);
        else
            overwrite(path, 0, 4096); /* one of its two places, perhaps the newer */
        place_open(place);
        assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 19 + round);
        assert_int_equal(log_fetcher_open(place->log, &fetcher, &place->err), OK);
        assert_int_equal(log_bounds(fetcher, TOPIC_EVENTS, 3, &first, &end, &place->err), OK);
        assert_int_equal(first, 0);
        assert_int_equal(end, 15 * FRAME + 1);
        log_fetcher_close(fetcher);
        place_append(place, TOPIC_EVENTS, 1, RECORD, NULL);
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_goes_on_in_a_new_segment),
        TEST(a_reader_starts_at_the_first_record_at_or_after_its_position),
        TEST(a_torn_commit_is_cut_also_where_its_later_part_reached_the_disk),
        TEST(damage_before_the_last_commit_is_not_cut),
        TEST(damage_in_an_old_segment_is_found_by_who_reads_it),
        TEST(a_missing_segment_is_noticed),
        TEST(a_segment_whose_making_was_interrupted_is_made_again),
        TEST(a_lost_mark_costs_time_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
