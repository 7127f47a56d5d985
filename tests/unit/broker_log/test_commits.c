/* Commits of the embedded log: what fails with what, and for how long. */
#include "embedded_place.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>

static atomic_int syncs_to_fail;

/* Stands in for the C library's, so that a disk fails when a test says so. */
int fdatasync(int file)
{
    if (atomic_load(&syncs_to_fail) > 0) {
        atomic_fetch_sub(&syncs_to_fail, 1);
        errno = EIO;
        return -1;
    }
    return (int)syscall(SYS_fdatasync, file);
}

static void files_may_not_grow_beyond(rlim_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void a_failed_fdatasync_is_never_tried_again(void **state)
{
    struct place *place = *state;
    struct log_entry entry = place_entry(TOPIC_EVENTS, 0, VIEW("value"));
    struct log_appender *other = NULL;
    place_open(place);
    place_append(place, TOPIC_EVENTS, 3, 100, NULL);
    atomic_store(&syncs_to_fail, 1);
    assert_int_equal(log_append_and_wait(place->appender, &entry, 1, DEADLINE_MS, NULL, &place->err), FATAL);
    assert_non_null(strstr(place->err.text, "fdatasync"));
    assert_false(log_is_healthy(place->log));
    for (int i = 0; i < 3; i++) /* the disk works again, and what it holds is still not known */
        assert_int_equal(log_append_and_wait(place->appender, &entry, 1, DEADLINE_MS, NULL, &place->err), FATAL);
    assert_int_equal(log_appender_open(place->log, &other, &place->err), OK);
    assert_int_equal(log_append_and_wait(other, &entry, 1, DEADLINE_MS, NULL, &place->err), FATAL);
    log_appender_close(other);
    assert_int_equal(place_count(place, TOPIC_EVENTS, NULL, NULL, NULL), 3); /* nobody saw what may not be there */
    place_close(place);
    place_open(place);
    place_append(place, TOPIC_EVENTS, 1, 100, NULL);
    size_t count = place_count(place, TOPIC_EVENTS, NULL, NULL, NULL);
    assert_in_range(count, 4, 5);
}

/* One topic fails, another works: only together would it be OK. */
static void a_call_that_is_half_appended_is_uncertain(void **state)
{
    struct place *place = *state;
    place_open(place);
    place_append(place, TOPIC_ALERTS, 60, 1000, NULL);
    files_may_not_grow_beyond(60 * 1000);
    struct log_entry entries[] = {place_entry(TOPIC_EVENTS, 0, VIEW("both")),
                                  place_entry(TOPIC_ALERTS, 0, VIEW("both"))};
    struct log_entry behind = place_entry(TOPIC_EVENTS, 0, VIEW("behind"));
    struct log_answer answer;
    assert_int_equal(log_append(place->appender, entries, 2, 1, &place->err), OK);
    bool was_queued = log_append(place->appender, &behind, 1, 2, &place->err) == OK;
    assert_int_equal(log_collect(place->appender, DEADLINE_MS, &answer), OK);
    assert_int_equal(answer.result, UNCERTAIN);
    if (was_queued) {
        assert_int_equal(log_collect(place->appender, DEADLINE_MS, &answer), OK);
        assert_true(answer.result == UNCERTAIN || answer.result == AGAIN);
    }
    files_may_not_grow_beyond(RLIM_INFINITY);
    assert_int_equal(log_append_and_wait(place->appender, entries, 2, DEADLINE_MS, NULL, &place->err), OK);
    assert_int_equal(place_count(place, TOPIC_ALERTS, NULL, NULL, NULL), 61);
}

static void an_appender_that_failed_takes_nothing_before_all_answers_are_collected(void **state)
{
    struct place *place = *state;
    struct log_answer answer;
    char value[5000] = "large";
    struct log_entry large = place_entry(TOPIC_EVENTS, 0, VIEW_OF(value));
    place_open(place);
    files_may_not_grow_beyond(1000);
    assert_int_equal(log_append(place->appender, &large, 1, 1, &place->err), OK);
    struct pollfd file = {.fd = log_appender_fd(place->appender), .events = POLLIN};
    assert_int_equal(poll(&file, 1, DEADLINE_MS), 1);
    files_may_not_grow_beyond(RLIM_INFINITY);
    assert_int_equal(log_append(place->appender, &large, 1, 2, &place->err), AGAIN);
    assert_int_equal(log_collect(place->appender, 0, &answer), OK);
    assert_int_equal(answer.result, AGAIN);
    assert_int_equal(log_append(place->appender, &large, 1, 3, &place->err), OK);
    assert_int_equal(log_collect(place->appender, DEADLINE_MS, &answer), OK);
    assert_int_equal(answer.token, 3);
    assert_int_equal(answer.result, OK);
}

static void a_call_without_entries_is_answered(void **state)
{
    struct place *place = *state;
    place_open(place);
    assert_int_equal(log_append_and_wait(place->appender, NULL, 0, DEADLINE_MS, NULL, &place->err), OK);
}

static void an_appender_closes_with_answers_outstanding(void **state)
{
    struct place *place = *state;
    struct log_entry entry = place_entry(TOPIC_EVENTS, 0, VIEW("value"));
    place_open(place);
    for (uint64_t i = 0; i < 500; i++)
        assert_int_equal(log_append(place->appender, &entry, 1, i, &place->err), OK);
    log_appender_close(place->appender);
    place->appender = NULL;
}

static void the_second_of_a_group_stands_by_and_takes_over(void **state)
{
    struct place *place = *state;
    const struct log_record *records;
    size_t count = 0;
    place_open(place);
    struct log_reader *first = place_reader(place, TOPIC_EVENTS, "group", NULL);
    struct log_reader *second = place_reader(place, TOPIC_EVENTS, "group", NULL);
    struct log_reader *other = place_reader(place, TOPIC_EVENTS, "other-group", NULL);
    place_append(place, TOPIC_EVENTS, 5, 10, NULL);
    assert_int_equal(log_read(second, 10, 0, &records, &count, &place->err), NOTHING);
    assert_int_equal(log_read(first, 10, 0, &records, &count, &place->err), OK);
    assert_int_equal(log_read(other, 10, 0, &records, &count, &place->err), OK);
    assert_int_equal(log_read(second, 10, 0, &records, &count, &place->err), NOTHING);
    log_reader_close(first);
    struct pollfd file = {.fd = log_reader_fd(second), .events = POLLIN};
    assert_int_equal(poll(&file, 1, DEADLINE_MS), 1);
    assert_int_equal(log_read(second, 10, 0, &records, &count, &place->err), OK);
    assert_int_equal(count, 5);
    log_reader_close(second);
    log_reader_close(other);
}

static bool file_holds(const struct place *place, const char *name, const char *text)
{
    char path[256];
    struct stat facts;
    (void)snprintf(path, sizeof path, "%s/%s", place->folder, name);
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0)
        return false;
    assert_int_equal(fstat(file, &facts), 0);
    char *bytes = calloc(1, (size_t)facts.st_size + 1);
    assert_non_null(bytes);
    assert_int_equal(read(file, bytes, (size_t)facts.st_size), facts.st_size);
    bool found = memmem(bytes, (size_t)facts.st_size, text, strlen(text)) != NULL;
    free(bytes);
    (void)close(file);
    return found;
}

static void an_erased_key_leaves_the_files(void **state)
{
    struct place *place = *state;
    static const char secret[] = "the bytes of a wrapped key, long enough to be found";
    struct log_entry entry = place_entry(TOPIC_KEYS, 0, view_of_text(secret));
    place_open(place);
    assert_int_equal(log_append_and_wait(place->appender, &entry, 1, DEADLINE_MS, NULL, &place->err), OK);
    assert_true(file_holds(place, "keys.db", secret) || file_holds(place, "keys.db-wal", secret));
    entry.value = VIEW_NONE;
    assert_int_equal(log_append_and_wait(place->appender, &entry, 1, DEADLINE_MS, NULL, &place->err), OK);
    assert_false(file_holds(place, "keys.db", secret)); /* and the log is still open */
    assert_false(file_holds(place, "keys.db-wal", secret));
}

static void an_unknown_setting_is_refused(void **state)
{
    struct place *place = *state;
    static const char *const wrong[] = {"segment.bytes=x", "linger.ms=5", "segment.bytes=1000\nlinger.ms=5"};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        place->settings = wrong[i];
        assert_int_equal(place_try(place, false), REJECTED);
    }
    place->settings = NULL;
    assert_int_equal(place_try(place, true), REJECTED);
    assert_non_null(strstr(place->err.text, "no log"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, place_set_up, place_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_failed_fdatasync_is_never_tried_again),
        TEST(a_call_that_is_half_appended_is_uncertain),
        TEST(an_appender_that_failed_takes_nothing_before_all_answers_are_collected),
        TEST(a_call_without_entries_is_answered),
        TEST(an_appender_closes_with_answers_outstanding),
        TEST(the_second_of_a_group_stands_by_and_takes_over),
        TEST(an_erased_key_leaves_the_files),
        TEST(an_unknown_setting_is_refused),
    };
    (void)signal(SIGXFSZ, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
