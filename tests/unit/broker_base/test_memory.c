/* Views, buffers, arenas, reasons. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/result.h"

#include <stdlib.h>

static void views_compare_as_bytes(void **state)
{
    (void)state;
    assert_true(view_is(VIEW("a"), VIEW("a")));
    assert_false(view_is(VIEW("a"), VIEW("b")));
    assert_false(view_is(VIEW("a"), VIEW("ab")));
    assert_true(view_is(VIEW(""), VIEW_NONE)); /* the same bytes; whether something was said is data != NULL */
    assert_true(view_is_text(VIEW_NONE, ""));
    assert_true(view_starts_with(VIEW("abc"), VIEW("ab")));
    assert_true(view_starts_with(VIEW("abc"), VIEW("")));
    assert_false(view_starts_with(VIEW("a"), VIEW("ab")));
    assert_true(view_compare(VIEW("a"), VIEW("b")) < 0);
    assert_true(view_compare(VIEW("a"), VIEW("ab")) < 0);
    assert_true(view_compare(VIEW("\xFF"), VIEW("a")) > 0);
    assert_true(view_compare(VIEW("a\0b"), VIEW("a\0c")) < 0);
    assert_int_equal(view_compare(VIEW(""), VIEW_NONE), 0);
    assert_true(view_is_text(view_after(VIEW("abc"), 1), "bc"));
    assert_null(view_of_text(NULL).data);
}

static void a_number_is_digits_only(void **state)
{
    (void)state;
    static const char *const wrong[] = {"", "-1", "+1", " 1", "1 ", "1.0", "0x1", "1234567890123456789", "one"};
    int64_t number = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(view_to_number(view_of_text(wrong[i]), &number));
    assert_false(view_to_number(VIEW_NONE, &number));
    assert_false(view_to_number(VIEW("1\0"), &number));
    assert_true(number == 7);
    assert_true(view_to_number(VIEW("0"), &number) && number == 0);
    assert_true(view_to_number(VIEW("007"), &number) && number == 7);
    assert_true(view_to_number(VIEW("999999999999999999"), &number) && number == 999999999999999999);
}

static void a_buffer_grows_and_keeps_what_it_has(void **state)
{
    (void)state;
    struct buffer buffer = {0};
    assert_non_null(buffer_view(&buffer).data); /* empty, and said to be */
    buffer_add(&buffer, NULL, 0);
    buffer_remove_front(&buffer, 0);
    for (int i = 0; i < 10000; i++)
        buffer_add_format(&buffer, "%d,", i);
    assert_int_equal(buffer.size, 48890);
    buffer_remove_front(&buffer, 48885);
    assert_true(view_is_text(buffer_view(&buffer), "9999,"));
    buffer_add_text(&buffer, "x");
    buffer_add_byte(&buffer, 0);
    buffer_add_view(&buffer, VIEW("y"));
    buffer_add_view(&buffer, VIEW_NONE);
    assert_true(view_is(buffer_view(&buffer), VIEW("9999,x\0y")));
    buffer_clear(&buffer);
    assert_int_equal(buffer.size, 0);
    buffer_reserve(&buffer, 1000000);
    assert_true(buffer.capacity >= 1000000);
    buffer_destroy(&buffer);
    assert_null(buffer.data);
    buffer_destroy(&buffer);
}

static void pieces_of_an_arena_are_zeroed_aligned_and_apart(void **state)
{
    (void)state;
    struct arena arena = {0};
    arena_reset(&arena);
    for (int round = 0; round < 3; round++) {
        unsigned char *before = NULL;
        for (size_t size = 0; size < 300; size++) {
            unsigned char *piece = arena_take(&arena, size);
            assert_int_equal((uintptr_t)piece % _Alignof(max_align_t), 0);
            for (size_t i = 0; i < size; i++)
                assert_int_equal(piece[i], 0);
            memset(piece, 0xA5, size);
            if (before != NULL)
                for (size_t i = 0; i + 1 < size; i++)
                    assert_int_equal(before[i], 0xA5);
            before = piece;
        }
        (void)arena_take(&arena, 1000000);
        arena_reset(&arena);
    }
    arena_destroy(&arena);
    arena_destroy(&arena);
}

static void what_an_arena_copies_ends_in_nul(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct view copy = arena_copy(&arena, VIEW("a\0b"));
    assert_int_equal(copy.size, 3);
    assert_memory_equal(copy.data, "a\0b", 4);
    assert_null(arena_copy(&arena, VIEW_NONE).data);
    assert_non_null(arena_copy(&arena, VIEW("")).data);
    struct view text = arena_format(&arena, "%s-%d", "x", 7);
    assert_string_equal(text.data, "x-7");
    assert_int_equal(text.size, 3);
    arena_destroy(&arena);
    char *copied = memory_text(VIEW("abc"));
    assert_string_equal(copied, "abc");
    free(copied);
}

static void a_reason_is_cut_to_fit(void **state)
{
    (void)state;
    struct error err = {0};
    assert_int_equal(error_set(&err, REJECTED, "%0500d", 7), REJECTED);
    assert_int_equal(strlen(err.text), sizeof err.text - 1);
    assert_int_equal(error_set(NULL, AGAIN, "x"), AGAIN);
    assert_string_equal(result_name(UNCERTAIN), "uncertain");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(views_compare_as_bytes),
        cmocka_unit_test(a_number_is_digits_only),
        cmocka_unit_test(a_buffer_grows_and_keeps_what_it_has),
        cmocka_unit_test(pieces_of_an_arena_are_zeroed_aligned_and_apart),
        cmocka_unit_test(what_an_arena_copies_ends_in_nul),
        cmocka_unit_test(a_reason_is_cut_to_fit),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
