/* Options: what the command line and an INI file say, and what is said of what is wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/main/options.h"

#include <stdlib.h>
#include <unistd.h>

static const struct option_kind kinds[] = {
    {"data", "DIR", "the data folder", false}, {"log", "WHERE", "the log", false},
    {"number", "NUMBER", "a number", false},   {"type", "PATTERN", "a type", true},
    {"json", NULL, "as JSON", false},          {0},
};
static const struct option_kind more_kinds[] = {{"config", "FILE", "an INI file", false}, {0}};
static const struct option_kind *const tables[OPTION_TABLES] = {kinds, more_kinds};

#define READ(options, err, ...)                                                                                        \
    options_read(tables, (int)(sizeof((char *[]){__VA_ARGS__}) / sizeof(char *)), (char *[]){__VA_ARGS__}, options, err)

static void values_stand_behind_the_option_or_an_equals_sign(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "first", "--data", "a", "--log=b", "--json", "second"), OK);
    assert_string_equal(options_find(&options, "data"), "a");
    assert_string_equal(options_find(&options, "log"), "b");
    assert_true(options_has(&options, "json"));
    assert_null(options_find(&options, "config"));
    assert_int_equal(options.argument_count, 2);
    assert_string_equal(options.arguments[1], "second");
    options_destroy(&options);
}

static void an_option_that_repeats_keeps_every_value_in_order(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "--type", "a", "--type=b"), OK);
    assert_string_equal(options_nth(&options, "type", 0), "a");
    assert_string_equal(options_nth(&options, "type", 1), "b");
    assert_null(options_nth(&options, "type", 2));
    options_destroy(&options);
}

static void a_wrong_option_is_named_with_the_nearest_right_one(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "--dta", "a"), REJECTED);
    assert_string_equal(err.text, "there is no option --dta; is --data meant?");
    assert_int_equal(READ(&options, &err, "--confg=a"), REJECTED);
    assert_string_equal(err.text, "there is no option --confg; is --config meant?");
    assert_int_equal(READ(&options, &err, "--something-else"), REJECTED);
    assert_string_equal(err.text, "there is no option --something-else");
    assert_int_equal(READ(&options, &err, "-d"), REJECTED);
}

static void what_an_option_lacks_or_has_too_much_is_said(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "--data"), REJECTED);
    assert_string_equal(err.text, "--data needs a value: --data DIR");
    assert_int_equal(READ(&options, &err, "--data", "a", "--data", "b"), REJECTED);
    assert_string_equal(err.text, "--data stands twice");
    assert_int_equal(READ(&options, &err, "--json=yes"), REJECTED);
    assert_string_equal(err.text, "--json takes no value");
}

static void two_dashes_end_the_options_and_one_is_an_argument(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "-", "--", "--data"), OK);
    assert_int_equal(options.argument_count, 2);
    assert_string_equal(options.arguments[0], "-");
    assert_string_equal(options.arguments[1], "--data");
    options_destroy(&options);
}

static void a_number_has_bounds(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    int64_t number = 5;
    assert_int_equal(READ(&options, &err, "--number", "12"), OK);
    assert_int_equal(options_number(&options, "number", 1, 20, &number, &err), OK);
    assert_int_equal(number, 12);
    assert_int_equal(options_number(&options, "number", 1, 11, &number, &err), REJECTED);
    assert_string_equal(err.text, "--number takes a whole number from 1 to 11");
    assert_int_equal(number, 12);
    options_destroy(&options);
    assert_int_equal(READ(&options, &err, "--number", "1x"), OK);
    assert_int_equal(options_number(&options, "number", 1, 20, &number, &err), REJECTED);
    options_destroy(&options);
}

/* ---- An INI file ---- */

static enum result file_options(const char *text, struct options *options, struct error *err)
{
    char path[] = "/tmp/tidings-options-XXXXXX";
    int file = mkstemp(path);
    assert_true(file >= 0);
    assert_int_equal(write(file, text, strlen(text)), strlen(text));
    assert_int_equal(close(file), 0);
    enum result result = options_read_file(options, path, "serve", err);
    assert_int_equal(unlink(path), 0);
    return result;
}

static void the_command_line_wins_over_the_file(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "--data", "mine"), OK);
    assert_int_equal(file_options("; a comment\nlog = embedded\n[serve]\ndata = theirs\njson = yes\n", &options, &err),
                     OK);
    assert_string_equal(options_find(&options, "data"), "mine");
    assert_string_equal(options_find(&options, "log"), "embedded");
    assert_true(options_has(&options, "json"));
    options_destroy(&options);
}

static void a_wrong_key_is_refused_and_the_nearest_named(void **state)
{
    (void)state;
    struct options options;
    struct error err;
    assert_int_equal(READ(&options, &err, "first"), OK);
    assert_int_equal(file_options("dat = x\n", &options, &err), REJECTED);
    assert_non_null(strstr(err.text, "there is no key dat; is data meant?"));
    assert_int_equal(file_options("[other]\ndata = x\n", &options, &err), REJECTED);
    assert_non_null(strstr(err.text, "there is no section [other]; [serve] there is"));
    assert_int_equal(file_options("json = maybe\n", &options, &err), REJECTED);
    assert_int_equal(file_options("config = another\n", &options, &err), REJECTED);
    assert_int_equal(file_options("nonsense\n", &options, &err), REJECTED);
    assert_non_null(strstr(err.text, "line 1"));
    assert_int_equal(options_read_file(&options, "/nowhere/at/all", "serve", &err), REJECTED);
    options_destroy(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_stand_behind_the_option_or_an_equals_sign),
        cmocka_unit_test(an_option_that_repeats_keeps_every_value_in_order),
        cmocka_unit_test(a_wrong_option_is_named_with_the_nearest_right_one),
        cmocka_unit_test(what_an_option_lacks_or_has_too_much_is_said),
        cmocka_unit_test(two_dashes_end_the_options_and_one_is_an_argument),
        cmocka_unit_test(a_number_has_bounds),
        cmocka_unit_test(the_command_line_wins_over_the_file),
        cmocka_unit_test(a_wrong_key_is_refused_and_the_nearest_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
