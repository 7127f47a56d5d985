/* Frames: what was written is read, and nothing else is taken for one. */
#include "broker/event/limits.h"
#include "broker/log/segment_frame.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static struct buffer frame_at(int64_t address)
{
    struct buffer bytes = {0};
    segment_frame_add(&bytes, 3, VIEW("key"), VIEW("value"));
    assert_int_equal(segment_frame_finish(bytes.data, address, 42, 1700000000000, 17), bytes.size);
    return bytes;
}

static void a_frame_is_read_as_it_was_written(void **state)
{
    (void)state;
    struct buffer bytes = frame_at(1000);
    struct segment_frame frame;
    assert_int_equal(segment_frame_check(buffer_view(&bytes), 1000, &frame), FRAME_WHOLE);
    assert_int_equal(frame.address, 1000);
    assert_int_equal(frame.ordinal, 42);
    assert_int_equal(frame.timestamp_ms, 1700000000000);
    assert_int_equal(frame.partition, 3);
    assert_int_equal(frame.back, 17);
    assert_true(view_is_text(frame.key, "key"));
    assert_true(view_is_text(frame.value, "value"));
    assert_int_equal(frame.size, bytes.size);
    buffer_destroy(&bytes);
}

/* Version 1 of the format, byte by byte: must be read for ever. */
static void an_old_frame_is_read_for_ever(void **state)
{
    (void)state;
    static const uint8_t old[] = {0x54, 0x44, 0x46, 0x31, 0x6f, 0xc6, 0xd1, 0x97, 0,    0,    0,    3,   0,   0,
                                  0,    5,    0,    0,    0,    0,    0,    0,    0x03, 0xe8, 0,    0,   0,   0,
                                  0,    0,    0,    0x2a, 0,    0,    1,    0x8b, 0xcf, 0xe5, 0x68, 0,   0,   0,
                                  0,    3,    0,    0,    0,    0x11, 'k',  'e',  'y',  'v',  'a',  'l', 'u', 'e'};
    struct buffer fresh = frame_at(1000);
    struct segment_frame frame;
    assert_int_equal(segment_frame_check(VIEW_OF(old), 1000, &frame), FRAME_WHOLE);
    assert_int_equal(fresh.size, sizeof old);
    assert_memory_equal(fresh.data, old, sizeof old);
    buffer_destroy(&fresh);
}

static void every_flipped_bit_is_noticed(void **state)
{
    (void)state;
    struct buffer bytes = frame_at(1000);
    for (size_t bit = 0; bit < bytes.size * 8; bit++) {
        struct segment_frame frame;
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_int_not_equal(segment_frame_check(buffer_view(&bytes), 1000, &frame), FRAME_WHOLE);
        bytes.data[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    buffer_destroy(&bytes);
}

static void a_frame_at_another_address_is_none(void **state)
{
    (void)state;
    struct buffer bytes = frame_at(1000);
    struct segment_frame frame;
    assert_int_equal(segment_frame_check(buffer_view(&bytes), 1001, &frame), FRAME_NONE);
    buffer_destroy(&bytes);
}

static void a_short_frame_says_how_much_it_needs(void **state)
{
    (void)state;
    struct buffer bytes = frame_at(1000);
    for (size_t size = 0; size < bytes.size; size++) {
        struct segment_frame frame;
        assert_int_equal(segment_frame_check(view_make(bytes.data, size), 1000, &frame), FRAME_SHORT);
        assert_int_equal(frame.size, size < SEGMENT_FRAME_HEADER ? SEGMENT_FRAME_HEADER : bytes.size);
    }
    buffer_destroy(&bytes);
}

static void a_size_beyond_the_limits_is_damage_not_a_long_read(void **state)
{
    (void)state;
    struct buffer bytes = frame_at(1000);
    struct segment_frame frame;
    bytes.data[12] = 0x7f; /* the value's size */
    assert_int_equal(segment_frame_check(buffer_view(&bytes), 1000, &frame), FRAME_DAMAGED);
    buffer_destroy(&bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_is_read_as_it_was_written),
        cmocka_unit_test(an_old_frame_is_read_for_ever),
        cmocka_unit_test(every_flipped_bit_is_noticed),
        cmocka_unit_test(a_frame_at_another_address_is_none),
        cmocka_unit_test(a_short_frame_says_how_much_it_needs),
        cmocka_unit_test(a_size_beyond_the_limits_is_damage_not_a_long_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
