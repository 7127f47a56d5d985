/* The JSON writer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/json.h"

#include <math.h>

static struct buffer buffer;

static int buffer_end(void **state)
{
    (void)state;
    buffer_destroy(&buffer);
    return 0;
}

static void assert_written(const char *wanted)
{
    if (!view_is_text(buffer_view(&buffer), wanted))
        fail_msg("%.*s is not %s", VIEW_ARGS(buffer_view(&buffer)), wanted);
    buffer_clear(&buffer);
}

static void commas_come_by_themselves(void **state)
{
    (void)state;
    struct json json = json_start(&buffer);
    json_open_object(&json);
    json_member_text(&json, "a", VIEW("x"));
    json_member_text(&json, "none", VIEW_NONE);
    json_member_text(&json, "empty", VIEW(""));
    json_name(&json, "list");
    json_open_array(&json);
    json_number(&json, -9223372036854775807 - 1);
    json_null(&json);
    json_open_object(&json);
    json_close_object(&json);
    json_open_array(&json);
    json_close_array(&json);
    json_raw(&json, VIEW("{\"b\": 1.50}"));
    json_bool(&json, false);
    json_close_array(&json);
    json_member_number(&json, "n", 7);
    json_member_bool(&json, "t", true);
    json_member_time(&json, "at", 1795428930000);
    json_member_time(&json, "never", 0);
    json_close_object(&json);
    assert_written(
        "{\"a\":\"x\",\"empty\":\"\",\"list\":[-9223372036854775808,null,{},[],{\"b\": 1.50},false],\"n\":7,\"t\":"
        "true,\"at\":\"2026-11-23T10:15:30.000Z\"}");
}

static void text_is_escaped(void **state)
{
    (void)state;
    const struct {
        struct view text;
        const char *written;
    } rows[] = {
        {VIEW(""), "\"\""},
        {VIEW_NONE, "\"\""},
        {VIEW("a\"b\\c/d"), "\"a\\\"b\\\\c/d\""},
        {VIEW("\n\r\t"), "\"\\n\\r\\t\""},
        {VIEW("\0\x01\x1F\x7F"), "\"\\u0000\\u0001\\u001f\\u007f\""},
        {VIEW("\xC3\xA9\xF0\x9F\x8F\xA5"), "\"\xC3\xA9\xF0\x9F\x8F\xA5\""},
        {VIEW("</script>"), "\"</script>\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json json = json_start(&buffer);
        json_text(&json, rows[i].text);
        assert_written(rows[i].written);
    }
}

static void only_bytes_that_are_not_utf8_are_replaced(void **state)
{
    (void)state;
    const struct {
        struct view text;
        const char *written;
    } rows[] = {
        {VIEW("\xFF"), "\"\xEF\xBF\xBD\""},
        {VIEW("\xC3\xA9\xFF\xC3\xA9"), "\"\xC3\xA9\xEF\xBF\xBD\xC3\xA9\""},
        {VIEW("a\xC3"), "\"a\xEF\xBF\xBD\""},
        {VIEW("\xC3\""), "\"\xEF\xBF\xBD\\\"\""},
        {VIEW("\xED\xA0\x80"), "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct json json = json_start(&buffer);
        json_text(&json, rows[i].text);
        assert_written(rows[i].written);
    }
}

static void numbers_are_always_json(void **state)
{
    (void)state;
    struct json json = json_start(&buffer);
    json_open_array(&json);
    json_double(&json, 0.25);
    json_double(&json, -1e300);
    json_double(&json, (double)NAN);
    json_double(&json, (double)INFINITY);
    json_close_array(&json);
    assert_written("[0.25,-1e+300,null,null]");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(commas_come_by_themselves),
        cmocka_unit_test(text_is_escaped),
        cmocka_unit_test(only_bytes_that_are_not_utf8_are_replaced),
        cmocka_unit_test(numbers_are_always_json),
    };
    return cmocka_run_group_tests(tests, NULL, buffer_end);
}
