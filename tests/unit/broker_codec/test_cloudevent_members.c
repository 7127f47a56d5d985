/* Single members of documents. */
#include "cloudevent_samples.h"

static struct arena arena;

static int arena_end(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static void a_text_member_is_found_in_an_object_of_texts(void **state)
{
    (void)state;
    struct view text = VIEW("untouched");
    assert_int_equal(json_text_member(VIEW("{\"token\":\"t.s\",\"x\":\"y\"}"), "token", &arena, &text), OK);
    assert_view(text, "t.s");
    assert_int_equal(json_text_member(VIEW("{\"token\":\"t.s\"}"), "code", &arena, &text), NOTHING);
    assert_int_equal(json_text_member(VIEW("{\"token\":\"t.s\",\"x\":1}"), "token", &arena, &text), REJECTED);
    assert_int_equal(json_text_member(VIEW("[\"token\"]"), "token", &arena, &text), REJECTED);
    assert_int_equal(json_text_member(VIEW("token=x"), "token", &arena, &text), REJECTED);
    assert_view(text, "t.s");
}

static bool collect(void *context, struct view element)
{
    struct buffer *to = context;
    buffer_add_view(to, element);
    buffer_add_text(to, ";");
    return to->size < 40;
}

static void members_are_found_by_their_path(void **state)
{
    (void)state;
    static const char text[] =
        "{\"data\":{\"number\":17,\"ok\":true,\"ward\":\"W12\",\"list\":[{\"b\":1,\"a\":[]},\"x\",2.5],"
        "\"none\":null},\"a\":{}}";
    static const struct {
        const char *path, *found;
    } rows[] = {
        {"data/number", "17"}, {"data/ok", "true"},     {"data/ward", "W12"},  {"data/list/0/b", "1"},
        {"data/list/1", "x"},  {"data/list/2", "2.5"},  {"a", "{}"},           {"data/list/0", "{\"b\":1,\"a\":[]}"},
        {"data/none", NULL},   {"data/number/x", NULL}, {"data/list/3", NULL}, {"data/list/x", NULL},
        {"data/x", NULL},      {"data/list/-1", NULL},  {"dat", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view found = VIEW_NONE;
        assert_int_equal(json_find(view_of_text(text), rows[i].path, &arena, &found),
                         rows[i].found == NULL ? NOTHING : OK);
        assert_view(found, rows[i].found);
    }
    struct view found;
    assert_int_equal(json_find(VIEW("<html>"), "data", &arena, &found), REJECTED);
}

static void each_element_is_given(void **state)
{
    (void)state;
    struct buffer found = {0};
    struct view text = VIEW("{\"a\":[{\"b\":1},\"x\",7]}");
    assert_int_equal(json_each(text, "a", &arena, collect, &found), OK);
    assert_view(buffer_view(&found), "{\"b\":1};x;7;");
    assert_int_equal(json_each(VIEW("[\"0123456789012345678901234567890123456789\",1]"), "", &arena, collect, &found),
                     OK);
    assert_view(buffer_view(&found), "{\"b\":1};x;7;0123456789012345678901234567890123456789;");
    assert_int_equal(json_each(text, "b", &arena, collect, &found), NOTHING);
    assert_int_equal(json_each(VIEW(""), "b", &arena, collect, &found), REJECTED);
    buffer_destroy(&found);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_text_member_is_found_in_an_object_of_texts),
        cmocka_unit_test(members_are_found_by_their_path),
        cmocka_unit_test(each_element_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, arena_end);
}
