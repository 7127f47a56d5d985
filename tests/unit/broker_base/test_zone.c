/* Time zones: offsets, the hour that comes twice, the hour that is skipped. The times written here were computed with
 * Python's zoneinfo. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/time.h"

static struct time_zone *london;

static int london_open(void **state)
{
    (void)state;
    london = time_zone_open("Europe/London");
    return london == NULL;
}

static int london_close(void **state)
{
    (void)state;
    time_zone_close(london);
    return 0;
}

static void assert_local(const char *local, const char *utc)
{
    int64_t as_utc, wanted;
    assert_true(time_from_rfc3339(view_of_text(local), &as_utc));
    assert_true(time_from_rfc3339(view_of_text(utc), &wanted));
    struct time_fields fields = time_to_fields_utc(as_utc);
    int64_t found = time_from_local(london, &fields);
    char text[TIME_TEXT_SIZE];
    (void)time_to_rfc3339(found, text);
    if (found != wanted)
        fail_msg("%s is %s, not %s", local, text, utc);
}

static void winter_and_summer_differ_by_an_hour(void **state)
{
    (void)state;
    assert_local("2026-01-15T12:00:00Z", "2026-01-15T12:00:00Z");
    assert_local("2026-07-15T12:00:00.123Z", "2026-07-15T11:00:00.123Z");
    assert_local("1950-02-01T00:00:00Z", "1950-02-01T00:00:00Z");
    assert_local("1969-01-15T12:00:00Z",
                 "1969-01-15T11:00:00Z"); /* standard time was an hour ahead from 1968 to 1971 */
    assert_local("1944-07-15T12:00:00Z", "1944-07-15T10:00:00Z"); /* double summer time */
}

static void the_hour_that_comes_twice_is_the_first(void **state)
{
    (void)state;
    assert_local("2026-10-25T00:59:59Z", "2026-10-24T23:59:59Z");
    assert_local("2026-10-25T01:00:00Z", "2026-10-25T00:00:00Z");
    assert_local("2026-10-25T01:59:59.999Z", "2026-10-25T00:59:59.999Z");
    assert_local("2026-10-25T02:00:00Z", "2026-10-25T02:00:00Z");
}

static void the_hour_that_is_skipped_is_read_as_if_it_were_not(void **state)
{
    (void)state;
    assert_local("2026-03-29T00:59:59Z", "2026-03-29T00:59:59Z");
    assert_local("2026-03-29T01:00:00Z", "2026-03-29T01:00:00Z");
    assert_local("2026-03-29T01:59:59Z", "2026-03-29T01:59:59Z");
    assert_local("2026-03-29T02:00:00Z", "2026-03-29T01:00:00Z");
}

static void years_beyond_the_table_are_like_those_in_it(void **state)
{
    (void)state;
    assert_local("2036-07-15T12:00:00Z", "2036-07-15T11:00:00Z");
    assert_local("2037-07-15T12:00:00Z", "2037-07-15T11:00:00Z");
    assert_local("2055-01-15T12:00:00Z", "2055-01-15T12:00:00Z");
    assert_local("2055-03-28T02:00:00Z", "2055-03-28T01:00:00Z"); /* the last Sunday of March */
    assert_local("2055-03-27T12:00:00Z", "2055-03-27T12:00:00Z");
    assert_local("2099-07-15T12:00:00Z", "2099-07-15T11:00:00Z");
}

static void an_offset_is_of_an_instant(void **state)
{
    (void)state;
    int64_t ms;
    assert_true(time_from_rfc3339(VIEW("2026-10-25T00:59:59.999Z"), &ms));
    assert_int_equal(time_zone_offset_s(london, ms), 3600);
    assert_int_equal(time_zone_offset_s(london, ms + 1), 0);
    assert_int_equal(time_zone_offset_s(london, -1), 3600); /* 1969 */
    struct time_zone *kathmandu = time_zone_open("Asia/Kathmandu");
    assert_non_null(kathmandu);
    assert_int_equal(time_zone_offset_s(kathmandu, ms), 20700);
    time_zone_close(kathmandu);
    struct time_zone *utc = time_zone_open("Etc/UTC");
    assert_non_null(utc);
    assert_int_equal(time_zone_offset_s(utc, ms), 0);
    time_zone_close(utc);
}

static void a_name_that_is_no_zone_is_not_opened(void **state)
{
    (void)state;
    static const char *const rows[] = {"",
                                       "Europe",
                                       "Europe/Wessex",
                                       "/etc/passwd",
                                       "../../../etc/passwd",
                                       "Europe/../Europe/London",
                                       "zone.tab",
                                       "Europe/London ",
                                       "leapseconds",
                                       "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (time_zone_open(rows[i]) != NULL)
            fail_msg("%s", rows[i]);
    time_zone_close(NULL);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(winter_and_summer_differ_by_an_hour),
        cmocka_unit_test(the_hour_that_comes_twice_is_the_first),
        cmocka_unit_test(the_hour_that_is_skipped_is_read_as_if_it_were_not),
        cmocka_unit_test(years_beyond_the_table_are_like_those_in_it),
        cmocka_unit_test(an_offset_is_of_an_instant),
        cmocka_unit_test(a_name_that_is_no_zone_is_not_opened),
    };
    return cmocka_run_group_tests(tests, london_open, london_close);
}
