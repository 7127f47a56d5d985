/* The page's files as the program carries them. */
#include "consumers/page/page.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void each_file_is_carried_byte_by_byte(void **state)
{
    (void)state;
    static const char *const files[][2] = {
        {"/", SOURCE_DIR "/consumers/page/page.html"},
        {"/page.css", SOURCE_DIR "/consumers/page/page.css"},
        {"/page.js", SOURCE_DIR "/consumers/page/page.js"},
    };
    for (size_t i = 0; i < sizeof files / sizeof files[0]; i++) {
        struct view body = VIEW_NONE;
        const char *content_type = NULL;
        assert_true(page_find(view_of_text(files[i][0]), &body, &content_type));
        assert_non_null(strstr(content_type, "charset=utf-8"));
        FILE *file = fopen(files[i][1], "rb");
        assert_non_null(file);
        char *bytes = malloc(body.size + 1);
        assert_non_null(bytes);
        assert_int_equal(fread(bytes, 1, body.size + 1, file), body.size);
        assert_true(view_is(view_make(bytes, body.size), body));
        free(bytes);
        (void)fclose(file);
    }
}

static void other_paths_are_not_the_pages(void **state)
{
    (void)state;
    struct view body = VIEW_NONE;
    const char *content_type = NULL;
    assert_false(page_find(VIEW("/page.html"), &body, &content_type));
    assert_false(page_find(VIEW(""), &body, &content_type));
    assert_false(page_find(VIEW("/page.js/"), &body, &content_type));
    assert_null(body.data);
}

static bool holds(struct view in, const char *text)
{
    return memmem(in.data, in.size, text, strlen(text)) != NULL;
}

static void nothing_stands_inline_that_a_strict_policy_would_block(void **state)
{
    (void)state;
    struct view html = VIEW_NONE, script = VIEW_NONE;
    const char *content_type = NULL;
    assert_true(page_find(VIEW("/"), &html, &content_type));
    assert_true(page_find(VIEW("/page.js"), &script, &content_type));
    static const char *const inlined[] = {"style=",      "<style", "onclick", "onload",
                                          "javascript:", "http:",  "https:",  "data:"};
    for (size_t i = 0; i < sizeof inlined / sizeof inlined[0]; i++)
        assert_false(holds(html, inlined[i]));
    static const char *const markup[] = {"innerHTML",      "outerHTML", "insertAdjacentHTML",
                                         "document.write", "eval(",     ".style"};
    for (size_t i = 0; i < sizeof markup / sizeof markup[0]; i++)
        assert_false(holds(script, markup[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_file_is_carried_byte_by_byte),
        cmocka_unit_test(other_paths_are_not_the_pages),
        cmocka_unit_test(nothing_stands_inline_that_a_strict_policy_would_block),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
