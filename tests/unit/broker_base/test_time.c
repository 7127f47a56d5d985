/* RFC 3339, calendars and clocks. The times written here were computed with Python's datetime. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/time.h"

static void a_time_is_read_to_the_millisecond(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } rows[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"2026-11-23T10:15:30.000Z", 1795428930000},
        {"2026-11-23T10:15:30Z", 1795428930000},
        {"2026-11-23T10:15:30.1Z", 1795428930100},
        {"2026-11-23T10:15:30.12Z", 1795428930120},
        {"2026-11-23T10:15:30.1239999Z", 1795428930123},
        {"2026-11-23T10:15:30.123456789012345678901234567890Z", 1795428930123},
        {"2026-11-23t10:15:30z", 1795428930000},
        {"2026-11-23T10:15:30+00:00", 1795428930000},
        {"2026-11-23T10:15:30-00:00", 1795428930000},
        {"2026-11-23T11:15:30+01:00", 1795428930000},
        {"2026-11-23T04:45:30-05:30", 1795428930000},
        {"2026-11-24T10:14:30+23:59", 1795428930000},
        {"2024-02-29T23:59:59.999Z", 1709251199999},
        {"2000-02-29T00:00:00Z", 951782400000},
        {"1969-12-31T23:59:59.999Z", -1},
        {"1900-01-01T00:00:00Z", -2208988800000},
        {"9999-12-31T23:59:59.999Z", 253402300799999},
        {"2016-12-31T23:59:60Z", 1483228799000}, /* a leap second is the second before */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 7;
        if (!time_from_rfc3339(view_of_text(rows[i].text), &ms) || ms != rows[i].ms)
            fail_msg("%s: %lld", rows[i].text, (long long)ms);
    }
}

static void what_is_no_time_is_not_read(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "2026",
                                       "2026-11-23",
                                       "2026-11-23T10:15:30",
                                       "2026-11-23T10:15Z",
                                       "2026-11-23 10:15:30Z",
                                       "2026-11-23T10:15:30.Z",
                                       "2026-11-23T10:15:30,5Z",
                                       "2026-11-23T10:15:30+01",
                                       "2026-11-23T10:15:30+0100",
                                       "2026-11-23T10:15:30+01:0",
                                       "2026-11-23T10:15:30+24:00",
                                       "2026-11-23T10:15:30+01:60",
                                       "2026-11-23T10:15:30*01:00",
                                       "2026-11-23T10:15:30ZZ",
                                       "2026-11-23T10:15:30Z ",
                                       " 2026-11-23T10:15:30Z",
                                       "2026-00-23T10:15:30Z",
                                       "2026-13-23T10:15:30Z",
                                       "2026-11-00T10:15:30Z",
                                       "2026-11-31T10:15:30Z",
                                       "2026-02-29T10:15:30Z",
                                       "1900-02-29T10:15:30Z",
                                       "2026-11-23T24:00:00Z",
                                       "2026-11-23T10:60:30Z",
                                       "2026-11-23T10:15:61Z",
                                       "1899-12-31T23:59:59Z",
                                       "12026-11-23T10:15:30Z",
                                       "2O26-11-23T10:15:30Z",
                                       "-026-11-23T10:15:30Z",
                                       "+026-11-23T10:15:30Z",
                                       "2026-11-23T10:15:3 Z",
                                       "2026-11-23T10:15:30.12345678901234567890123456789012345678901234567890Z"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int64_t ms = 7;
        if (time_from_rfc3339(view_of_text(rows[i]), &ms))
            fail_msg("%s", rows[i]);
        assert_true(ms == 7);
    }
    int64_t ms;
    assert_false(time_from_rfc3339(VIEW_NONE, &ms));
}

static void a_time_is_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } rows[] = {{0, "1970-01-01T00:00:00.000Z"},
                {-1, "1969-12-31T23:59:59.999Z"},
                {1795428930007, "2026-11-23T10:15:30.007Z"},
                {-2208988800000, "1900-01-01T00:00:00.000Z"},
                {253402300799999, "9999-12-31T23:59:59.999Z"},
                {253402300800000, "9999-12-31T23:59:59.999Z"},
                {INT64_MAX, "9999-12-31T23:59:59.999Z"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[TIME_TEXT_SIZE];
        struct view view = time_to_rfc3339(rows[i].ms, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(view.size, TIME_TEXT_SIZE - 1);
    }
}

static void every_day_of_four_centuries_goes_there_and_back(void **state)
{
    (void)state;
    struct time_fields before = {.year = 1899, .month = 12, .day = 31};
    struct time_fields first = {.year = 1900, .month = 1, .day = 1};
    int64_t ms = time_from_fields_utc(&first);
    for (; before.year < 2300; ms += 86400000) {
        struct time_fields fields = time_to_fields_utc(ms + 86399999);
        assert_true(time_fields_are_valid(&fields));
        assert_true(time_from_fields_utc(&fields) == ms + 86399999);
        bool next_day = fields.day == before.day + 1 && fields.month == before.month && fields.year == before.year;
        bool next_month = fields.day == 1 && (fields.month == before.month + 1 || fields.year == before.year + 1);
        assert_true(next_day || next_month);
        before = fields;
    }
}

static void the_steady_clock_does_not_go_back(void **state)
{
    (void)state;
    int64_t before = time_monotonic_us();
    for (int i = 0; i < 1000; i++) {
        int64_t now = time_monotonic_us();
        assert_true(now >= before);
        before = now;
    }
    assert_true(time_monotonic_ms() >= before / 1000);
    assert_true(time_now_ms() > 1700000000000);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_is_read_to_the_millisecond),
        cmocka_unit_test(what_is_no_time_is_not_read),
        cmocka_unit_test(a_time_is_written_in_utc_with_milliseconds),
        cmocka_unit_test(every_day_of_four_centuries_goes_there_and_back),
        cmocka_unit_test(the_steady_clock_does_not_go_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
