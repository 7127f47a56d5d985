/* How a request's target is read. */
#include "broker/base/buffer.h"
#include "broker/http/target.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void a_path_and_a_query_are_decoded(void **state)
{
    (void)state;
    struct target target = {0};
    assert_true(target_read(VIEW("/a%20b+c?x=1&y=%C3%A9+z&empty=&flag&x=2"), &target));
    assert_true(view_is(target.path, VIEW("/a b+c")));
    assert_int_equal(target.parameter_count, 5);
    assert_true(view_is(target.parameters[0].name, VIEW("x")) && view_is(target.parameters[0].value, VIEW("1")));
    assert_true(view_is(target.parameters[1].value, VIEW("\xC3\xA9 z")));
    assert_true(target.parameters[2].value.data != NULL && target.parameters[2].value.size == 0);
    assert_true(view_is(target.parameters[3].name, VIEW("flag")));
    target_destroy(&target);
}

static void the_absolute_form_is_read_as_its_path(void **state)
{
    (void)state;
    struct target target = {0};
    assert_true(target_read(VIEW("http://broker.example:8080/status?a=b"), &target));
    assert_true(view_is(target.path, VIEW("/status")));
    target_destroy(&target);
    assert_true(target_read(VIEW("http://broker.example"), &target));
    assert_true(view_is(target.path, VIEW("/")));
    target_destroy(&target);
    assert_true(target_read(VIEW("*"), &target));
    target_destroy(&target);
}

static void a_broken_target_is_refused(void **state)
{
    (void)state;
    static const char *const broken[] = {"",        "a",      "/%",   "/%4",        "/%zz",    "/a%00b",  "/?a=%",
                                         "/%ff%fe", "/?%c3=", "?x=1", "broker:443", "/%C0%AF", "/%u0041", "/?a=%0"};
    for (size_t i = 0; i < sizeof broken / sizeof broken[0]; i++) {
        struct target target = {0};
        assert_false(target_read(view_of_text(broken[i]), &target));
        assert_null(target.memory);
    }
}

static void too_many_parameters_are_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct target target = {0};
    buffer_add_text(&text, "/?a=1");
    for (int i = 1; i < LIMIT_PARAMETERS; i++)
        buffer_add_text(&text, "&a=1");
    assert_true(target_read(buffer_view(&text), &target));
    assert_int_equal(target.parameter_count, LIMIT_PARAMETERS);
    target_destroy(&target);
    buffer_add_text(&text, "&a=1");
    assert_false(target_read(buffer_view(&text), &target));
    buffer_destroy(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_and_a_query_are_decoded),
        cmocka_unit_test(the_absolute_form_is_read_as_its_path),
        cmocka_unit_test(a_broken_target_is_refused),
        cmocka_unit_test(too_many_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
