/* JSON itself (RFC 8259), as strict as the door is; and the positions in it. */
#include "cloudevent_samples.h"

#include "broker/codec/json_scan.h"
#include "broker/event/limits.h"

#include <stdlib.h>

#define BEFORE "{" HEAD ADMITTED "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\",\"ward\":"
#define AFTER  "}}}"

static void text_that_is_not_json_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        " ",
        "\n",
        "null",
        "true",
        "7",
        "\"x\"",
        "{",
        "}",
        "[",
        "[]",
        "{]",
        "{\"a\"}",
        "{\"a\":}",
        "{a:1}",
        "{'a':1}",
        "{\"a\":1,}",
        "{,}",
        "{\"a\":1 \"b\":2}",
        "{\"a\":1}{}",
        RIGHT "x",
        RIGHT ",",
        RIGHT RIGHT,
        RIGHT "]",
        "\xEF\xBB\xBF" RIGHT,
        "//\n" RIGHT,
        "/* x */" RIGHT,
        "{\"a\":NaN}",
        "{\"a\":Infinity}",
        "{\"a\":+1}",
        "{\"a\":01}",
        "{\"a\":1.}",
        "{\"a\":.5}",
        "{\"a\":1e}",
        "{\"a\":0x1}",
        "{\"a\":True}",
        "{\"a\":nul}",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\n\"}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\u12G4\"}",
        "{\"a\":\"x}",
        "{\"a\":\"x\\",
        "{\"a\":1e999}",
        "{\"a\":-1e999}",
        "{\"a\":99999999999999999999999999}",
        "{\"a\":-99999999999999999999999999}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(view_of_text(rows[i]), "", "");
}

static void a_thing_said_twice_is_refused(void **state)
{
    (void)state;
    assert_refused(view_of_text("{" HEAD HEAD ADMITTED "\"data\":{}}"), "", "says one thing twice");
    assert_refused(view_of_text("{\"\\u0069d\":\"a\"," HEAD ADMITTED "\"data\":{}}"), "", "says one thing twice");
    assert_refused(VIEW(BEFORE "\"A\",\"ward\":\"B\"" AFTER), "", "says one thing twice");
    assert_refused(VIEW("{" HEAD ADMITTED "\"filtering\":{\"a\":1,\"a\":1}}"), "", "says one thing twice");
}

static void text_that_is_not_utf8_is_refused(void **state)
{
    (void)state;
    const struct view rows[] = {
        VIEW(BEFORE "\"\xFF\"" AFTER),
        VIEW(BEFORE "\"\x80\"" AFTER),
        VIEW(BEFORE "\"\xC3\"" AFTER),
        VIEW(BEFORE "\"\xC0\xAF\"" AFTER),         /* overlong */
        VIEW(BEFORE "\"\xE0\x80\xAF\"" AFTER),     /* overlong */
        VIEW(BEFORE "\"\xF0\x80\x80\xAF\"" AFTER), /* overlong */
        VIEW(BEFORE "\"\xED\xA0\x80\"" AFTER),     /* a surrogate */
        VIEW(BEFORE "\"\xED\xBF\xBF\"" AFTER),     /* a surrogate */
        VIEW(BEFORE "\"\xF4\x90\x80\x80\"" AFTER), /* beyond U+10FFFF */
        VIEW(BEFORE "\"\xF5\x80\x80\x80\"" AFTER),
        VIEW("{\"\xFF\":1}"),
        VIEW("\xFF\xFE{\0}\0"),
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_refused(rows[i], "", "");
}

static void half_a_surrogate_pair_is_refused(void **state)
{
    (void)state;
    assert_refused(VIEW(BEFORE "\"\\uD800\"" AFTER), "", "is not JSON");
    assert_refused(VIEW(BEFORE "\"\\uDC00\"" AFTER), "", "is not JSON");
    assert_refused(VIEW(BEFORE "\"\\uD800\\u0041\"" AFTER), "", "is not JSON");
    assert_refused(VIEW(BEFORE "\"\\uDC00\\uD800\"" AFTER), "", "is not JSON");
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken(BEFORE "\"\\uD83C\\uDFE5\"" AFTER, &arena, &event);
    assert_view(event.event.body.encounter.ward, "\xF0\x9F\x8F\xA5");
    arena_destroy(&arena);
}

static void a_nul_is_refused_however_it_is_written(void **state)
{
    (void)state;
    assert_refused(VIEW(BEFORE "\"a\\u0000b\"" AFTER), "", "has a NUL");
    assert_refused(VIEW(BEFORE "\"a\0b\"" AFTER), "", "");
    assert_refused(VIEW("{\"a\\u0000\":1}"), "", "has a NUL");
    assert_refused(VIEW(RIGHT "\0"), "", "");
}

static void nest(struct buffer *text, int depth)
{
    buffer_clear(text);
    buffer_add_text(text, "{" HEAD ADMITTED "\"filtering\":{\"a\":"); /* two deep already */
    for (int i = 2; i < depth; i++)
        buffer_add_text(text, "[");
    for (int i = 2; i < depth; i++)
        buffer_add_text(text, "]");
    buffer_add_text(text, "}}");
}

static void nesting_has_a_limit(void **state)
{
    (void)state;
    struct buffer text = {0};
    nest(&text, LIMIT_JSON_DEPTH);
    assert_refused(buffer_view(&text), "filtering", "has a member"); /* read, and refused for what it says */
    nest(&text, LIMIT_JSON_DEPTH + 1);
    assert_refused(buffer_view(&text), "", "nests more than 32 deep");
    nest(&text, 100000);
    assert_refused(buffer_view(&text), "", "nests more than 32 deep");
    buffer_clear(&text);
    for (int i = 0; i < 50000; i++)
        buffer_add_text(&text, "{\"a\":");
    assert_refused(buffer_view(&text), "", "nests more than 32 deep");
    buffer_destroy(&text);
}

static void brackets_in_texts_do_not_nest(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken(BEFORE "\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[{{{{\\\\\"" AFTER, &arena, &event);
    assert_view(event.event.body.encounter.ward, "[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"[[[[[[[[{{{{\\");
    arena_destroy(&arena);
}

static void numbers_of_other_spelling_are_the_same_content(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent one, other;
#define NUMBERED(number)                                                                                               \
    "{" HEAD ADMITTED "\"filtering\":{\"a\":" number "},\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\"}}}"
    assert_taken(NUMBERED("1.50"), &arena, &one);
    assert_taken(NUMBERED("15e-1"), &arena, &other);
    assert_true(view_is(one.content, other.content));
    assert_view(one.event.body.attributes, "{\"filtering\":{\"a\":1.50}}");
    assert_view(other.event.body.attributes, "{\"filtering\":{\"a\":15e-1}}");
    assert_taken(NUMBERED("-9223372036854775808"), &arena, &one);
    arena_destroy(&arena);
}

static void a_member_is_found_as_it_was_sent(void **state)
{
    (void)state;
    struct view text = VIEW(" { \"a\" : {\"b\":\"}\\\"\"} , \"x\\\"\":[1, 2 ],\"b\":-1.50e1\n,\"c\":\"\" } ");
    assert_view(json_member_as_sent(text, "a"), "{\"b\":\"}\\\"\"}");
    assert_view(json_member_as_sent(text, "x\\\""), "[1, 2 ]");
    assert_view(json_member_as_sent(text, "b"), "-1.50e1");
    assert_view(json_member_as_sent(text, "c"), "\"\"");
    assert_view(json_member_as_sent(text, "d"), NULL);
    assert_view(json_member_as_sent(VIEW("{}"), "d"), NULL);
    assert_view(json_member_as_sent(VIEW("[]"), "d"), NULL);
    assert_view(json_member_as_sent(VIEW(""), "d"), NULL);
}

static void elements_are_walked_as_they_were_sent(void **state)
{
    (void)state;
    struct view text = VIEW(" [ {\"a\":[1,2]} ,\"],\", 7\n, [] ] "), element;
    static const char *const wanted[] = {"{\"a\":[1,2]}", "\"],\"", "7", "[]"};
    size_t at = 0;
    for (size_t i = 0; i < 4; i++) {
        assert_true(json_element_as_sent(text, &at, &element));
        assert_view(element, wanted[i]);
    }
    assert_false(json_element_as_sent(text, &at, &element));
    at = 0;
    assert_false(json_element_as_sent(VIEW("[ ]"), &at, &element));
    at = 0;
    assert_false(json_element_as_sent(VIEW(""), &at, &element));
}

/* Every cut of a right event, and every byte of it replaced, has an answer; the sanitizers watch. */
static void damaged_events_have_an_answer(void **state)
{
    (void)state;
    static const char right[] = "{" HEAD ADMITTED "\"filtering\":{\"a\":[1,\"\\u00e9\"]}," PATIENT "}";
    static const char bytes[] = {0, '"', '\\', '{', '}', '[', ']', ',', ':', '9', '\x80', '\xED', ' ', 'u'};
    struct cloudevent event, *events;
    struct problems problems;
    size_t count;
    for (size_t i = 0; i < sizeof right; i++) {
        for (size_t b = 0; b < sizeof bytes; b++) {
            struct arena arena = {0};
            char *text = memory_text(view_make(right, sizeof right - 1));
            text[i] = bytes[b];
            size_t size = b == 0 ? i : sizeof right - 1; /* the first: cut there */
            assert_int_equal(cloudevent_read(view_make(text, size), &arena, &event, &problems), REJECTED);
            assert_int_equal(cloudevent_read_batch(view_make(text, size), &arena, &events, &count, &problems),
                             REJECTED);
            free(text);
            arena_destroy(&arena);
        }
    }
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(text_that_is_not_json_is_refused),
        cmocka_unit_test(a_thing_said_twice_is_refused),
        cmocka_unit_test(text_that_is_not_utf8_is_refused),
        cmocka_unit_test(half_a_surrogate_pair_is_refused),
        cmocka_unit_test(a_nul_is_refused_however_it_is_written),
        cmocka_unit_test(nesting_has_a_limit),
        cmocka_unit_test(brackets_in_texts_do_not_nest),
        cmocka_unit_test(numbers_of_other_spelling_are_the_same_content),
        cmocka_unit_test(a_member_is_found_as_it_was_sent),
        cmocka_unit_test(elements_are_walked_as_they_were_sent),
        cmocka_unit_test(damaged_events_have_an_answer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
