/* NHS numbers: the check digit, spaces, what is none. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/event/nhs_number.h"

static void assert_read(const char *text, enum nhs_number_kind kind, const char *digits)
{
    char found[11] = "unset";
    enum nhs_number_kind read = nhs_number_read(view_of_text(text), found);
    if (read != kind)
        fail_msg("%s: %d", text, read);
    assert_string_equal(found, digits);
}

static void a_number_whose_check_digit_is_right_is_trusted(void **state)
{
    (void)state;
    static const char *const rows[] = {"9990000018", "9990000026", "9990000034", "9990000042",
                                       "9990000050", "9990000069", "9990000077", "9990000085",
                                       "9990000093", "9990000107", "9990000115"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_read(rows[i], NHS_NUMBER_TRUSTED, rows[i]);
}

static void spaces_are_dropped(void **state)
{
    (void)state;
    assert_read("999 000 0018", NHS_NUMBER_TRUSTED, "9990000018");
    assert_read("  9990000018  ", NHS_NUMBER_TRUSTED, "9990000018");
    assert_read("9 9 9 0 0 0 0 0 1 8", NHS_NUMBER_TRUSTED, "9990000018");
}

static void every_other_digit_in_any_place_fails_the_check(void **state)
{
    (void)state;
    for (size_t place = 0; place < 10; place++) {
        for (char digit = '0'; digit <= '9'; digit++) {
            char text[11] = "9990000018";
            bool right = text[place] == digit;
            text[place] = digit;
            assert_read(text, right ? NHS_NUMBER_TRUSTED : NHS_NUMBER_UNTRUSTED, right ? text : "");
        }
    }
}

static void neighbours_that_changed_places_fail_the_check(void **state)
{
    (void)state;
    for (size_t place = 0; place < 9; place++) {
        char text[11] = "9990000123", before = text[place];
        assert_read("9990000123", NHS_NUMBER_TRUSTED, "9990000123");
        text[place] = text[place + 1];
        text[place + 1] = before;
        if (before != text[place])
            assert_read(text, NHS_NUMBER_UNTRUSTED, "");
    }
}

static void a_check_digit_of_ten_is_no_digit(void **state)
{
    (void)state;
    for (char last = '0'; last <= '9'; last++) {
        char text[11] = "9990000140"; /* the check of 999 000 014 is 10 */
        text[9] = last;
        assert_read(text, NHS_NUMBER_UNTRUSTED, "");
    }
}

static void what_is_no_number_is_untrusted(void **state)
{
    (void)state;
    static const char *const rows[] = {"999000001",    "99900000180", "999-000-0018", "999000001A",
                                       "9219068409",   "1239874560",  "unknown",      "9990000018\t",
                                       "9990000018\n", "-9990000018", "\xEF\xBC\x99", "999000001\xB8"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_read(rows[i], NHS_NUMBER_UNTRUSTED, "");
    char found[11];
    assert_int_equal(nhs_number_read(VIEW("9990000018\0"), found), NHS_NUMBER_UNTRUSTED);
}

static void what_says_nothing_is_none(void **state)
{
    (void)state;
    assert_read("", NHS_NUMBER_NONE, "");
    assert_read("   ", NHS_NUMBER_NONE, "");
    assert_read("\"\"", NHS_NUMBER_NONE, "");
    assert_read(NULL, NHS_NUMBER_NONE, "");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_number_whose_check_digit_is_right_is_trusted),
        cmocka_unit_test(spaces_are_dropped),
        cmocka_unit_test(every_other_digit_in_any_place_fails_the_check),
        cmocka_unit_test(neighbours_that_changed_places_fail_the_check),
        cmocka_unit_test(a_check_digit_of_ten_is_no_digit),
        cmocka_unit_test(what_is_no_number_is_untrusted),
        cmocka_unit_test(what_says_nothing_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
