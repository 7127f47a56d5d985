/* What the region sends: the same each time, whole, and as often as real feeds do. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "producers/simulator/feed.h"

#include "broker/base/time.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum { MESSAGES = 20000, HOSPITALS = 5, PATIENTS = 1000 };

static const struct feed_options usual = {
    .seed = 7, .hospitals = HOSPITALS, .patients = PATIENTS, .rate = 20, .start_ms = 1795510500000};

static struct feed *feed_of(const struct feed_options *options)
{
    struct feed *feed;
    struct error err;
    assert_int_equal(feed_open(options, &feed, &err), OK);
    return feed;
}

static void two_feeds_of_one_seed_send_the_same_bytes(void **state)
{
    struct feed *a = feed_of(&usual), *b = feed_of(&usual);
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing one, other;
        feed_take(a, &one);
        feed_take(b, &other);
        assert_int_equal(one.hospital, other.hospital);
        assert_string_equal(one.id, other.id);
        assert_true(view_is(buffer_view(&one.bytes), buffer_view(&other.bytes)));
        buffer_destroy(&one.bytes);
        buffer_destroy(&other.bytes);
    }
    feed_close(a);
    feed_close(b);
}

static void runs_that_differ_in_anything_share_no_id(void **state)
{
    struct feed_options others[] = {usual, usual, usual, usual, usual};
    struct feed *feed = feed_of(&usual);
    (void)state;
    others[0].seed++;
    others[1].start_ms++;
    others[2].rate = 21;
    others[3].hospitals++;
    others[4].patients++;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
        struct feed *other = feed_of(&others[i]);
        assert_string_not_equal(feed_tag(feed), feed_tag(other));
        feed_close(other);
    }
    feed_close(feed);
}

/* ---- a reading of our own: segments and fields of one message, nothing shared with the simulator or the broker ----
 */

struct lines {
    char text[2048];
    char *fields[8][64]; /* of each segment; MSH-1 is not counted, so MSH-n stands at n - 1 */
    int count;
};

static void lines_cut(const struct outgoing *message, struct lines *ret)
{
    *ret = (struct lines){0};
    assert_true(message->bytes.size < sizeof ret->text && message->bytes.size > 0);
    memcpy(ret->text, message->bytes.data, message->bytes.size);
    assert_int_equal(ret->text[message->bytes.size - 1], '\r');
    for (char *at = ret->text; *at != '\0';) {
        int field = 0;
        ret->fields[ret->count][field++] = at;
        for (; *at != '\r'; at++) {
            assert_true(isprint((unsigned char)*at));
            if (*at == '|') {
                *at = '\0';
                assert_true(field < 64);
                ret->fields[ret->count][field++] = at + 1;
            }
        }
        *at++ = '\0';
        assert_true(++ret->count < 8);
    }
}

static const char *field(const struct lines *lines, const char *segment, int place)
{
    for (int i = 0; i < lines->count; i++)
        if (strcmp(lines->fields[i][0], segment) == 0)
            return lines->fields[i][place] == NULL ? "" : lines->fields[i][place];
    return "";
}

static bool is_time(const char *text)
{
    return strlen(text) == 14 && strspn(text, "0123456789") == 14 && memcmp(text, "20", 2) == 0;
}

static void every_message_is_whole(void **state)
{
    struct feed *feed = feed_of(&usual);
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing message;
        struct lines lines;
        char type[16];
        feed_take(feed, &message);
        if (message.hospital == OVER_HTTP) {
            assert_true(message.bytes.data[0] == '{');
            buffer_destroy(&message.bytes);
            continue;
        }
        lines_cut(&message, &lines);
        const char *trigger = field(&lines, "EVN", 1);
        assert_string_equal(lines.fields[0][0], "MSH");
        assert_string_equal(lines.fields[0][1], "^~\\&");
        assert_string_equal(field(&lines, "MSH", 9), message.id); /* MSH-10 */
        (void)snprintf(type, sizeof type, "ADT^%s^", trigger);
        assert_memory_equal(field(&lines, "MSH", 8), type, 8);
        assert_string_equal(field(&lines, "MSH", 10), "P");
        assert_true(is_time(field(&lines, "MSH", 6)) && is_time(field(&lines, "EVN", 2)));
        assert_true(is_time(field(&lines, "PV1", 44)));
        assert_int_equal(field(&lines, "PV1", 19)[0], 'V');
        assert_int_equal(is_time(field(&lines, "PV1", 45)), strcmp(trigger, "A03") == 0);
        assert_int_equal(field(&lines, "PV1", 36)[0] != '\0', strcmp(trigger, "A03") == 0);
        assert_int_equal(field(&lines, "PV1", 6)[0] != '\0', strcmp(trigger, "A02") == 0);
        assert_int_equal(field(&lines, "PID", 30)[0] == 'Y', field(&lines, "PV1", 36)[0] == '4');
        assert_non_null(strstr(field(&lines, "PID", 3), "^MR"));
        assert_int_equal(strlen(field(&lines, "PID", 7)), 8);
        buffer_destroy(&message.bytes);
    }
    feed_close(feed);
}

/* ---- stays ---- */

struct seen_visit {
    char visit[32];
    bool open, ended;
};

/* What may come after what: of one visit, in the order sent. */
static void visit_look(struct seen_visit *seen, const char *visit, const char *trigger)
{
    bool starts = strcmp(trigger, "A01") == 0 || strcmp(trigger, "A04") == 0;
    if (strcmp(seen->visit, visit) != 0) {
        assert_true(starts);
        *seen = (struct seen_visit){.open = true};
        (void)snprintf(seen->visit, sizeof seen->visit, "%s", visit);
        return;
    }
    assert_int_equal(seen->ended, strcmp(trigger, "A13") == 0);
    seen->ended = strcmp(trigger, "A03") == 0;
}

static void stays_begin_before_they_go_on_and_end_once(void **state)
{
    struct feed *feed = feed_of(&usual);
    struct seen_visit *seen = calloc(PATIENTS, sizeof *seen);
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing message;
        struct lines lines;
        feed_take(feed, &message);
        if (message.hospital != OVER_HTTP && !message.duplicate) {
            lines_cut(&message, &lines);
            visit_look(&seen[message.patient], field(&lines, "PV1", 19), field(&lines, "EVN", 1));
        }
        buffer_destroy(&message.bytes);
    }
    free(seen);
    feed_close(feed);
}

static void things_happen_as_often_as_in_real_feeds(void **state)
{
    struct feed *feed = feed_of(&usual);
    int cancellations = 0, duplicates = 0, changes = 0, without = 0, wrong = 0, died = 0, transfers = 0, adt = 0;
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing message;
        struct lines lines;
        feed_take(feed, &message);
        if (message.hospital == OVER_HTTP) {
            changes++;
        } else if (message.duplicate) {
            duplicates++;
        } else {
            lines_cut(&message, &lines);
            const char *trigger = field(&lines, "EVN", 1), *numbers = field(&lines, "PID", 3);
            adt++;
            cancellations += strcmp(trigger, "A11") == 0 || strcmp(trigger, "A13") == 0;
            transfers += strcmp(trigger, "A02") == 0;
            died += field(&lines, "PV1", 36)[0] == '4';
            without += strchr(numbers, '~') == NULL;
            wrong += numbers[0] == '9' && strstr(numbers, "~T") != NULL;
        }
        buffer_destroy(&message.bytes);
    }
    assert_in_range(cancellations * 1000 / adt, 10, 30);
    assert_in_range(duplicates * 1000 / MESSAGES, 5, 15);
    assert_in_range(changes * 1000 / MESSAGES, 60, 100);
    assert_in_range(without * 1000 / adt, 15, 45);
    assert_in_range(wrong * 1000 / adt, 3, 25);
    assert_in_range(transfers * 1000 / adt, 80, 300);
    assert_in_range(died * 1000 / adt, 2, 20);
    feed_close(feed);
}

static void a_duplicate_is_the_hospitals_last_message_to_the_byte(void **state)
{
    struct feed *feed = feed_of(&usual);
    struct buffer last[HOSPITALS] = {0};
    int duplicates = 0;
    (void)state;
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing message;
        feed_take(feed, &message);
        if (message.duplicate) {
            assert_true(view_is(buffer_view(&message.bytes), buffer_view(&last[message.hospital])));
            duplicates++;
        }
        if (message.hospital != OVER_HTTP) {
            buffer_destroy(&last[message.hospital]);
            last[message.hospital] = message.bytes;
        } else {
            buffer_destroy(&message.bytes);
        }
    }
    assert_true(duplicates > 0);
    for (int i = 0; i < HOSPITALS; i++)
        buffer_destroy(&last[i]);
    feed_close(feed);
}

static void the_clock_goes_by_the_rate(void **state)
{
    struct feed *feed = feed_of(&usual);
    (void)state;
    for (int i = 0; i < 100; i++) {
        struct outgoing message;
        feed_take(feed, &message);
        assert_int_equal(message.time_ms, usual.start_ms + i * 50);
        buffer_destroy(&message.bytes);
    }
    feed_close(feed);
}

static void a_region_of_one_lives_on(void **state)
{
    struct feed_options alone = usual;
    (void)state;
    alone.patients = alone.hospitals = 1;
    struct feed *feed = feed_of(&alone);
    for (int i = 0; i < MESSAGES; i++) {
        struct outgoing message;
        feed_take(feed, &message);
        buffer_destroy(&message.bytes);
    }
    feed_close(feed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_feeds_of_one_seed_send_the_same_bytes),
        cmocka_unit_test(runs_that_differ_in_anything_share_no_id),
        cmocka_unit_test(every_message_is_whole),
        cmocka_unit_test(stays_begin_before_they_go_on_and_end_once),
        cmocka_unit_test(things_happen_as_often_as_in_real_feeds),
        cmocka_unit_test(a_duplicate_is_the_hospitals_last_message_to_the_byte),
        cmocka_unit_test(the_clock_goes_by_the_rate),
        cmocka_unit_test(a_region_of_one_lives_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
