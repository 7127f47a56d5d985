/* Killed at random, its end torn at random: what was answered is there, once, in order. By hand: TIDINGS_SEED=7 runs it
 * again. */
#include "broker/log/segment_mark.h"
#include "embedded_place.h"

#include "broker/base/time.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { MOST_ENTRIES = 20, MOST_VALUE = 3000, OUTSTANDING = 30 };

static uint64_t seed;

static uint32_t dice(uint32_t sides)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)(seed >> 20) % sides;
}

/* What the child says of each answer: all records up to this number are durable, and the last one ends here. */
struct report {
    int64_t number, end;
};

static _Noreturn void append_for_ever(struct place *place, int pipe_end)
{
    static char values[MOST_ENTRIES][MOST_VALUE];
    struct log_entry entries[MOST_ENTRIES];
    int64_t numbers[OUTSTANDING] = {0}, sizes[OUTSTANDING] = {0}, next = 0;
    uint64_t calls = 0, answered = 0;
    if (place_try(place, false) != OK || log_appender_open(place->log, &place->appender, &place->err) != OK)
        _exit(1);
    for (;;) {
        size_t count = 1 + dice(MOST_ENTRIES);
        for (size_t i = 0; i < count; i++) {
            size_t size = 24 + dice(MOST_VALUE - 24);
            (void)snprintf(values[i], 24, "%lld", (long long)next++);
            entries[i] = place_entry(TOPIC_EVENTS, (int32_t)dice(PARTITIONS), view_make(values[i], size));
        }
        numbers[calls % OUTSTANDING] = next - 1;
        sizes[calls % OUTSTANDING] = (int64_t)entries[count - 1].value.size;
        if (log_append(place->appender, entries, count, calls++, &place->err) != OK)
            _exit(1);
        struct log_answer answer;
        while (log_collect(place->appender, calls - answered < OUTSTANDING ? 0 : DEADLINE_MS, &answer) == OK) {
            struct report report = {.number = numbers[answer.token % OUTSTANDING],
                                    .end =
                                        answer.offsets[answer.count - 1] + 48 + 3 + sizes[answer.token % OUTSTANDING]};
            answered++;
            if (answer.result != OK || write(pipe_end, &report, sizeof report) != sizeof report)
                _exit(1);
        }
    }
}

static struct report run_and_kill(struct place *place, uint32_t answers)
{
    int ends[2];
    struct report report = {0}, last = {.number = -1};
    assert_int_equal(pipe(ends), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(ends[0]);
        append_for_ever(place, ends[1]);
    }
    (void)close(ends[1]);
    for (uint32_t i = 0; i < answers && read(ends[0], &report, sizeof report) == sizeof report; i++)
        last = report;
    (void)kill(child, SIGKILL);
    while (read(ends[0], &report, sizeof report) == sizeof report)
        last = report;
    assert_int_equal(waitpid(child, NULL, 0), child);
    (void)close(ends[0]);
    return last;
}

/* What is durable by the log's own word, though nobody was answered for it yet. */
static int64_t marked_end(const char *folder)
{
    int64_t partition_ends[PARTITIONS];
    struct segment_state state = {.partitions = PARTITIONS, .partition_ends = partition_ends};
    struct segment_mark mark;
    struct error err;
    if (segment_mark_open(&mark, folder, true, &state, &err) == OK)
        segment_mark_close(&mark);
    return state.address;
}

/* Does to the end of the last file what a torn write could, and leaves alone what was answered or marked as durable. */
static void tear(const struct place *place, int64_t durable)
{
    char folder[256], path[512], last[64] = "";
    struct stat facts;
    (void)snprintf(folder, sizeof folder, "%s/log/tidings.events", place->folder);
    DIR *entries = opendir(folder);
    assert_non_null(entries);
    if (marked_end(folder) > durable)
        durable = marked_end(folder);
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries))
        if (strstr(entry->d_name, ".segment") != NULL && strcmp(entry->d_name, last) > 0)
            (void)snprintf(last, sizeof last, "%.63s", entry->d_name);
    (void)closedir(entries);
    (void)snprintf(path, sizeof path, "%s/%s", folder, last);
    int64_t kept = 32 + durable - atoll(last);
    assert_int_equal(stat(path, &facts), 0);
    if (kept < 32) /* the last answer is in the file before: this one is only as good as its header */
        kept = 32;
    int64_t loose = facts.st_size - kept;
    int file = open(path, O_RDWR | O_CLOEXEC);
    assert_true(file >= 0);
    if (loose < 0) { /* killed while it made this file: not even its header is there */
        (void)close(file);
        return;
    }
    uint8_t junk[300];
    for (size_t i = 0; i < sizeof junk; i++)
        junk[i] = (uint8_t)dice(256);
    switch (dice(4)) {
    case 0: /* cut short */
        if (loose > 0)
            assert_int_equal(ftruncate(file, kept + dice((uint32_t)loose)), 0);
        break;
    case 1: /* something else behind it */
        assert_true(pwrite(file, junk, 1 + dice(sizeof junk - 1), facts.st_size) > 0);
        break;
    case 2: /* something else in it */
        if (loose > (int64_t)sizeof junk)
            assert_int_equal(pwrite(file, junk, sizeof junk, kept + dice((uint32_t)(loose - (int64_t)sizeof junk))),
                             sizeof junk);
        break;
    default: /* as the kill left it */
        break;
    }
    (void)close(file);
}

/* Every run's numbers are 0, 1, 2 ... ; returns how many the last run has. */
static int64_t check(struct place *place, int64_t runs)
{
    struct log_reader *reader = place_reader(place, TOPIC_EVENTS, NULL, NULL);
    const struct log_record *records;
    size_t count;
    int64_t next = 0, begun = 0, ordinal = 0, offset = -1;
    enum result result;
    while ((result = log_read(reader, 100, 0, &records, &count, &place->err)) == OK) {
        for (size_t i = 0; i < count; i++) {
            int64_t number = atoll(records[i].value.data);
            if (number == 0) {
                begun++;
                next = 0;
            }
            assert_int_equal(number, next);
            assert_int_equal(records[i].ordinal, ordinal);
            assert_true(records[i].offset > offset);
            offset = records[i].offset;
            next++;
            ordinal++;
        }
    }
    if (result != NOTHING)
        fail_msg("%s", place->err.text);
    assert_int_equal(log_reader_lag(reader), 0);
    assert_int_equal(begun, runs);
    log_reader_close(reader);
    return next;
}

static void what_was_answered_survives_kills_and_torn_ends(void **state)
{
    struct place *place = *state;
    const char *given = getenv("TIDINGS_SEED"), *is_long = getenv("TIDINGS_LONG");
    seed = given != NULL ? (uint64_t)atoll(given) : (uint64_t)time_now_ms();
    print_message("seed %llu\n", (unsigned long long)seed);
    seed |= 1;
    place->settings = "segment.bytes=150000";
    int rounds = is_long != NULL ? 200 : 25;
    int64_t runs = 0;
    for (int round = 0; round < rounds; round++) {
        struct report last = run_and_kill(place, 1 + dice(120));
        assert_true(last.number >= 0);
        runs++;
        (void)dice(1 + (uint32_t)last.number); /* the child's dice are a copy: go on with others */
        tear(place, last.end);
        if (place_try(place, true) != OK) /* who only reads sees the same */
            fail_msg("round %d: %s", round, place->err.text);
        int64_t seen = check(place, runs);
        place_close(place);
        if (place_try(place, false) != OK)
            fail_msg("round %d: %s", round, place->err.text);
        assert_int_equal(check(place, runs), seen);
        assert_true(seen > last.number);
        place_close(place);
    }
}

/* Half-written frames are seen all the time, and are the end, not damage. */
static void who_reads_beside_a_busy_owner_sees_no_damage(void **state)
{
    struct place *place = *state;
    place->settings = "segment.bytes=400000";
    seed = 11;
    place_open(place);
    place_close(place); /* the log is made */
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        append_for_ever(place, open("/dev/null", O_WRONLY | O_CLOEXEC));
    int64_t start = 0, first;
    for (int round = 0; round < 10; round++) {
        struct log_fetcher *fetcher = NULL;
        enum result result = place_try(place, true);
        if (result != OK)
            (void)kill(child, SIGKILL);
        if (result != OK)
            fail_msg("round %d: %s", round, place->err.text);
        (void)place_count(place, TOPIC_EVENTS, &start, NULL, NULL);
        assert_int_equal(log_fetcher_open(place->log, &fetcher, &place->err), OK);
        assert_int_equal(log_bounds(fetcher, TOPIC_EVENTS, 0, &first, &start, &place->err), OK); /* goes on from here */
        log_fetcher_close(fetcher);
        place_close(place);
    }
    assert_int_equal(waitpid(child, NULL, WNOHANG), 0); /* it was there all the time */
    (void)kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_true(start > 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_reads_beside_a_busy_owner_sees_no_damage, place_set_up, place_tear_down),
        cmocka_unit_test_setup_teardown(what_was_answered_survives_kills_and_torn_ends, place_set_up, place_tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
