/* Times as feeds send them. */
#include "message_help.h"

static struct time_zone *london;

static void assert_moment(const char *text, const char *expected)
{
    int64_t ms = 0;
    assert_int_equal(moment_read(view_of_text(text), london, &ms), MOMENT_READ);
    assert_time(ms, expected);
}

static void what_is_left_out_is_the_earliest(void **state)
{
    (void)state;
    assert_moment("2026", "2026-01-01T00:00:00.000Z");
    assert_moment("202602", "2026-02-01T00:00:00.000Z");
    assert_moment("20260203", "2026-02-03T00:00:00.000Z");
    assert_moment("2026020304", "2026-02-03T04:00:00.000Z");
    assert_moment("202602030405", "2026-02-03T04:05:00.000Z");
    assert_moment("20260203040506", "2026-02-03T04:05:06.000Z");
    assert_moment("20260203040506.7", "2026-02-03T04:05:06.700Z");
    assert_moment("20260203040506.1239999", "2026-02-03T04:05:06.123Z");
}

static void an_offset_decides_where_there_is_one(void **state)
{
    (void)state;
    assert_moment("20260203040506+0100", "2026-02-03T03:05:06.000Z");
    assert_moment("20260203040506.5-0530", "2026-02-03T09:35:06.500Z");
    assert_moment("202607030405+0000", "2026-07-03T04:05:00.000Z");
    assert_moment("20260703-0000", "2026-07-03T00:00:00.000Z");
}

static void without_an_offset_it_is_the_publishers_clock(void **state)
{
    (void)state;
    assert_moment("20260703120000", "2026-07-03T11:00:00.000Z");
    assert_moment("20261025003000", "2026-10-24T23:30:00.000Z");
    assert_moment("20261025013000", "2026-10-25T00:30:00.000Z"); /* comes twice: the first, still summer time */
    assert_moment("20261025020000", "2026-10-25T02:00:00.000Z");
    assert_moment("20260329013000", "2026-03-29T01:30:00.000Z"); /* skipped: as if it were not */
}

static void bad_dates_are_bad(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "yesterday",
        "00000000",
        "20260230",
        "20261301",
        "202",
        "20260",
        "2026020",
        "20260203250000",
        "20260203040560",
        "20260203040506.",
        "202602030405.5",
        "2026-02-03",
        "20260203 0405",
        "20260203040506Z",
        "20260203040506+1",
        "20260203040506+01000",
        "20260203040506+1500",
        "20260203040506+0160",
        "20260203040506++100",
        "+0100",
        "2026020304050607",
        "18990101",
        "20260203040506+0100 ",
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int64_t ms = 7;
        assert_int_equal(moment_read(view_of_text(bad[i]), london, &ms), MOMENT_BAD);
        assert_int_equal(ms, 7);
    }
}

static void empty_and_deleted_are_not_said(void **state)
{
    (void)state;
    int64_t ms;
    char day[11];
    assert_int_equal(moment_read(VIEW(""), london, &ms), MOMENT_NOT_SAID);
    assert_int_equal(moment_read(VIEW_NONE, london, &ms), MOMENT_NOT_SAID);
    assert_int_equal(moment_read(VIEW("\"\""), london, &ms), MOMENT_NOT_SAID);
    assert_int_equal(moment_read_day(VIEW_NONE, day), MOMENT_NOT_SAID);
}

static void a_day_is_a_day_only_when_it_is_all_there(void **state)
{
    (void)state;
    char day[11];
    assert_int_equal(moment_read_day(VIEW("19500201000000"), day), MOMENT_READ);
    assert_string_equal(day, "1950-02-01");
    assert_int_equal(moment_read_day(VIEW("195002"), day), MOMENT_NOT_SAID);
    assert_int_equal(moment_read_day(VIEW("19500231"), day), MOMENT_BAD);
    assert_int_equal(moment_read_day(VIEW("1 Feb 1950"), day), MOMENT_BAD);
}

static void our_own_times_are_in_utc(void **state)
{
    (void)state;
    char text[MOMENT_TEXT_SIZE];
    assert_view(moment_write(1795428000123, text), "20261123100000+0000");
}

static int open_london(void **state)
{
    (void)state;
    london = time_zone_open("Europe/London");
    return london == NULL;
}

static int close_london(void **state)
{
    (void)state;
    time_zone_close(london);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_is_the_earliest),
        cmocka_unit_test(an_offset_decides_where_there_is_one),
        cmocka_unit_test(without_an_offset_it_is_the_publishers_clock),
        cmocka_unit_test(bad_dates_are_bad),
        cmocka_unit_test(empty_and_deleted_are_not_said),
        cmocka_unit_test(a_day_is_a_day_only_when_it_is_all_there),
        cmocka_unit_test(our_own_times_are_in_utc),
    };
    return cmocka_run_group_tests(tests, open_london, close_london);
}
