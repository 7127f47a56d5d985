/* Sentences about a log whose files are ours: full disks, torn ends, damage, restored copies. Skipped for others. */
#include "tests/contract/contract.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static void need_files(struct world *world)
{
    if (world->contract->folder == NULL)
        skip();
}

/* The last file of a topic; returns its size. */
static off_t last_segment(struct world *world, enum topic topic, char ret_path[512])
{
    char folder[256], last[128] = "";
    struct stat facts;
    (void)snprintf(folder, sizeof folder, "%s/log/%s", world->contract->folder(world->place), topic_name(topic));
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (strstr(entry->d_name, ".segment") != NULL && strcmp(entry->d_name, last) > 0)
            (void)snprintf(last, sizeof last, "%.127s", entry->d_name);
    (void)closedir(entries);
    assert_int_not_equal(strlen(last), 0);
    (void)snprintf(ret_path, 512, "%s/%s", folder, last);
    assert_int_equal(stat(ret_path, &facts), 0);
    return facts.st_size;
}

static void flip_byte(const char *path, off_t at)
{
    uint8_t byte;
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(pread(file, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(file, &byte, 1, at), 1);
    (void)close(file);
}

static void add_bytes(const char *path, const void *bytes, size_t size)
{
    int file = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), size);
    (void)close(file);
}

static void assert_there_are(struct world *world, size_t count)
{
    struct seen_list list = {0};
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    read_until(reader, count, &list);
    read_all(reader, &list);
    assert_int_equal(list.count, count);
    log_reader_close(reader);
    seen_clear(&list);
}

/* A child appends and dies without closing, as by kill -9. */
static void append_and_die(struct world *world, int count)
{
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        bool done = world->contract->open(world->place, PARTITIONS, false, &world->log, &world->err) == OK &&
                    log_appender_open(world->log, &world->appender, &world->err) == OK;
        for (int i = 0; i < count && done; i++) {
            struct log_entry entry = entry_of(TOPIC_EVENTS, i % PARTITIONS, "k", "a value of some length");
            done = log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err) == OK;
        }
        _exit(done ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void a_torn_tail_is_cut(void **state)
{
    struct world *world = *state;
    char path[512], half[60];
    need_files(world);
    append_and_die(world, 10);
    off_t size = last_segment(world, TOPIC_EVENTS, path);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    assert_int_equal(pread(file, half, sizeof half, 32), sizeof half); /* looks like a frame, and is not at its place */
    (void)close(file);
    add_bytes(path, half, sizeof half);
    world_open(world);
    assert_int_equal(log_cut_bytes(world->log), sizeof half);
    assert_there_are(world, 10);
    (void)append(world, TOPIC_EVENTS, 0, "k", "after");
    assert_there_are(world, 11);
    world_close(world);
    assert_true(last_segment(world, TOPIC_EVENTS, path) > size);
    world_open(world);
    assert_int_equal(log_cut_bytes(world->log), 0);
    assert_there_are(world, 11);
}

static void a_last_record_that_is_torn_anywhere_is_cut(void **state)
{
    struct world *world = *state;
    char path[512];
    need_files(world);
    append_and_die(world, 5);
    off_t whole = last_segment(world, TOPIC_EVENTS, path);
    append_and_die(world, 1);
    off_t size = last_segment(world, TOPIC_EVENTS, path);
    for (off_t to = size - 1; to > whole; to -= 7) { /* never closed, so nothing says that it was durable */
        assert_int_equal(truncate(path, to), 0);
        struct log *log = NULL;
        assert_int_equal(world->contract->open(world->place, PARTITIONS, true, &log, &world->err), OK);
        log_close(log); /* who only reads takes a torn end for the end, and cuts nothing */
        assert_int_equal(last_segment(world, TOPIC_EVENTS, path), to);
    }
    world_open(world);
    assert_true(log_cut_bytes(world->log) > 0);
    assert_there_are(world, 5);
}

static void a_flipped_byte_in_the_middle_is_found(void **state)
{
    struct world *world = *state;
    char path[512];
    need_files(world);
    append_and_die(world, 10);
    off_t size = last_segment(world, TOPIC_EVENTS, path);
    for (int part = 0; part < 3; part++) { /* in the first records, and in the last but one */
        struct log *log = NULL;
        off_t at = part == 0 ? 32 + 5 : part == 1 ? size / 2 : size - size / 10 - 20;
        flip_byte(path, at);
        assert_int_equal(world->contract->open(world->place, PARTITIONS, false, &log, &world->err), FATAL);
        assert_non_null(strstr(world->err.text, "damaged at position"));
        flip_byte(path, at);
    }
    world_open(world);
    assert_there_are(world, 10);
    /* Now all of it is known to be durable, and not read again at the start: then its readers find it. */
    world_close(world);
    flip_byte(path, size / 2);
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at_beginning, NULL);
    assert_int_equal(read_result(reader, &world->err), OK);
    assert_int_equal(read_result(reader, &world->err), FATAL);
    assert_non_null(strstr(world->err.text, "damaged at position"));
    log_reader_close(reader);
}

static void a_log_that_lost_what_was_durable_is_noticed(void **state)
{
    struct world *world = *state;
    char path[512];
    struct log *log = NULL;
    need_files(world);
    world_open(world);
    for (int i = 0; i < 10; i++)
        (void)append(world, TOPIC_EVENTS, 0, "k", "v");
    world_close(world);
    assert_int_equal(truncate(path, last_segment(world, TOPIC_EVENTS, path) - 10), 0);
    assert_int_equal(world->contract->open(world->place, PARTITIONS, false, &log, &world->err), FATAL);
    assert_non_null(strstr(world->err.text, "was durable up to"));
}

static void copy_folder(const char *from, const char *to)
{
    char command[2048];
    (void)snprintf(command, sizeof command, "rm -rf '%s' && cp -a '%s' '%s'", to, from, to);
    assert_int_equal(system(command), 0);
}

static void a_restored_log_is_noticed_by_a_position_beyond_its_end(void **state)
{
    struct world *world = *state;
    char copy[512], log_folder[512];
    struct seen_list list = {0};
    int64_t starts[PARTITIONS] = {LOG_START, LOG_START, LOG_START, LOG_START};
    need_files(world);
    (void)snprintf(copy, sizeof copy, "%s/copy", world->contract->folder(world->place));
    (void)snprintf(log_folder, sizeof log_folder, "%s/log", world->contract->folder(world->place));
    world_open(world);
    (void)append(world, TOPIC_EVENTS, 0, "k", "in the copy");
    world_close(world);
    copy_folder(log_folder, copy);
    world_open(world);
    starts[0] = append(world, TOPIC_EVENTS, 0, "k", "not in the copy") + 1; /* what a store remembers */
    world_close(world);
    copy_folder(copy, log_folder);
    world_open(world);
    struct log_reader *reader = reader_open(world, TOPIC_EVENTS, NULL, start_at, starts);
    assert_int_equal(read_result(reader, &world->err), FATAL);
    assert_non_null(strstr(world->err.text, "restored"));
    log_reader_close(reader);
    seen_clear(&list);
}

static void files_may_not_grow_beyond(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_full_disk_is_answered_again_and_heals(void **state)
{
    struct world *world = *state;
    char value[1000];
    size_t stored = 0;
    enum result result = OK;
    need_files(world);
    world_open(world);
    memset(value, 'x', sizeof value);
    struct log_entry entry = entry_of(TOPIC_EVENTS, 0, "k", "");
    entry.value = VIEW_OF(value);
    assert_true(log_is_healthy(world->log));
    files_may_not_grow_beyond(64 * 1024);
    while (result == OK && stored < 1000) {
        result = log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err);
        stored += result == OK;
    }
    assert_int_equal(result, AGAIN);
    assert_false(log_is_healthy(world->log));
    for (int i = 0; i < 3; i++)
        assert_int_equal(log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err), AGAIN);
    assert_there_are(world, stored); /* reading goes on */
    files_may_not_grow_beyond(RLIM_INFINITY);
    append_surely(world, &entry, 1);
    assert_true(log_is_healthy(world->log));
    assert_there_are(world, stored + 1);
    world_close(world);
    world_open(world);
    assert_int_equal(log_cut_bytes(world->log), 0);
    assert_there_are(world, stored + 1);
}

static void a_full_disk_under_a_compacted_topic_heals_too(void **state)
{
    struct world *world = *state;
    char value[4000];
    int stored = 0;
    enum result result = OK;
    struct log_fetcher *fetcher = NULL;
    struct buffer found = {0};
    need_files(world);
    world_open(world);
    memset(value, 'x', sizeof value);
    files_may_not_grow_beyond(256 * 1024);
    for (; result == OK && stored < 1000; stored += result == OK) {
        char key[32];
        (void)snprintf(key, sizeof key, "%d", stored);
        struct log_entry entry = {.topic = TOPIC_KEYS, .key = view_of_text(key), .value = VIEW_OF(value)};
        result = log_append_and_wait(world->appender, &entry, 1, DEADLINE_MS, NULL, &world->err);
    }
    files_may_not_grow_beyond(RLIM_INFINITY);
    assert_int_equal(result, AGAIN);
    (void)append(world, TOPIC_KEYS, 0, "healed", "yes");
    assert_int_equal(log_fetcher_open(world->log, &fetcher, &world->err), OK);
    for (int i = 0; i <= stored; i++) {
        char key[32];
        (void)snprintf(key, sizeof key, "%d", i);
        enum result wanted = i < stored ? OK : NOTHING;
        assert_int_equal(log_find(fetcher, TOPIC_KEYS, view_of_text(key), &found, &world->err), wanted);
    }
    assert_int_equal(log_find(fetcher, TOPIC_KEYS, VIEW("healed"), &found, &world->err), OK);
    buffer_destroy(&found);
    log_fetcher_close(fetcher);
}

SENTENCES(file, SENTENCE(a_torn_tail_is_cut), SENTENCE(a_last_record_that_is_torn_anywhere_is_cut),
          SENTENCE(a_flipped_byte_in_the_middle_is_found), SENTENCE(a_log_that_lost_what_was_durable_is_noticed),
          SENTENCE(a_restored_log_is_noticed_by_a_position_beyond_its_end),
          SENTENCE(a_full_disk_is_answered_again_and_heals), SENTENCE(a_full_disk_under_a_compacted_topic_heals_too));
