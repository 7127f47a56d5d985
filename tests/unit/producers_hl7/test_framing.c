/* Frames out of bytes, however they are cut. */
#include "message_help.h"

#include "broker/event/limits.h"
#include "producers/hl7/framing.h"

static struct deframer deframer_make(size_t limit)
{
    return (struct deframer){.limit = limit};
}

static void add(struct deframer *deframer, const char *text)
{
    deframer_add(deframer, view_of_text(text));
}

static void assert_next(struct deframer *deframer, const char *text)
{
    struct frame frame = deframer_next(deframer);
    assert_int_equal(frame.kind, FRAME_MESSAGE);
    assert_view(frame.message, text);
    deframer_drop(deframer);
}

static void assert_none(struct deframer *deframer)
{
    assert_int_equal(deframer_next(deframer).kind, FRAME_NONE);
}

static void several_messages_in_one_read_come_one_by_one(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    add(&deframer, "\x0Bone\x1C\r\x0Btwo\x1C\r\x0Bthr");
    assert_next(&deframer, "one");
    assert_next(&deframer, "two");
    assert_none(&deframer);
    add(&deframer, "ee\x1C\r");
    assert_next(&deframer, "three");
    assert_none(&deframer);
    assert_int_equal(deframer_size(&deframer), 0);
    deframer_destroy(&deframer);
}

static void a_message_in_many_reads_is_the_same_message(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    static const char text[] = "\r\n\x0Bone\x1Cstill one\x1C\r\n\r\n\x0Btwo\x1C\r";
    char taken[64] = "";
    for (size_t i = 0; i < sizeof text - 1; i++) {
        deframer_add(&deframer, view_make(text + i, 1));
        struct frame frame = deframer_next(&deframer);
        if (frame.kind != FRAME_MESSAGE)
            continue;
        (void)snprintf(taken + strlen(taken), sizeof taken - strlen(taken), "[%.*s]", VIEW_ARGS(frame.message));
        deframer_drop(&deframer);
    }
    assert_string_equal(taken, "[one\x1Cstill one][two]");
    assert_int_equal(deframer.junk_total, 0);
    deframer_destroy(&deframer);
}

static void a_frame_that_is_not_dropped_is_given_again(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    add(&deframer, "\x0Bone\x1C\r");
    assert_view(deframer_next(&deframer).message, "one");
    add(&deframer, "\x0Btwo\x1C\r");
    assert_view(deframer_next(&deframer).message, "one");
    deframer_drop(&deframer);
    deframer_drop(&deframer);
    assert_next(&deframer, "two");
    deframer_destroy(&deframer);
}

static void bytes_between_frames_are_skipped_and_counted(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    add(&deframer, "GET /\r\n\x0Bone\x1C\r");
    assert_next(&deframer, "one");
    assert_int_equal(deframer.junk_total, 5);
    deframer_destroy(&deframer);
}

static void more_than_a_kibibyte_between_frames_ends_the_connection(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    for (int i = 0; i < LIMIT_MLLP_JUNK_BYTES; i++)
        add(&deframer, "x\r\n");
    assert_none(&deframer);
    add(&deframer, "\x0Bone\x1C\r");
    assert_next(&deframer, "one"); /* a frame begins the count anew */
    for (int i = 0; i < LIMIT_MLLP_JUNK_BYTES; i++)
        add(&deframer, "x");
    assert_none(&deframer);
    add(&deframer, "x");
    assert_int_equal(deframer_next(&deframer).kind, FRAME_JUNK);
    assert_int_equal(deframer_next(&deframer).kind, FRAME_JUNK);
    deframer_destroy(&deframer);
}

static void a_message_over_the_limit_is_read_past_and_its_head_kept(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(10000);
    char piece[1000];
    memset(piece, 'x', sizeof piece);
    add(&deframer, "\x0BMSH|");
    for (int i = 0; i < 200; i++) {
        deframer_add(&deframer, VIEW_OF(piece));
        assert_none(&deframer);
        assert_true(deframer_size(&deframer) < 12000);
    }
    add(&deframer, "\x1C");
    assert_none(&deframer);
    add(&deframer, "\r\x0Bnext\x1C\r");
    for (int again = 0; again < 2; again++) {
        struct frame frame = deframer_next(&deframer);
        assert_int_equal(frame.kind, FRAME_TOO_LARGE);
        assert_int_equal(frame.message.size, FRAME_HEAD_BYTES);
        assert_memory_equal(frame.message.data, "MSH|xxx", 7);
    }
    deframer_drop(&deframer);
    assert_next(&deframer, "next");
    assert_none(&deframer);
    deframer_destroy(&deframer);
}

static void a_message_at_the_limit_is_taken_and_one_byte_more_is_not(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        struct deframer deframer = deframer_make(5000);
        char text[5001];
        memset(text, 'x', sizeof text);
        add(&deframer, "\x0B");
        deframer_add(&deframer, view_make(text, 5000 + more));
        add(&deframer, "\x1C\r");
        struct frame frame = deframer_next(&deframer);
        assert_int_equal(frame.kind, more == 0 ? FRAME_MESSAGE : FRAME_TOO_LARGE);
        deframer_drop(&deframer);
        assert_none(&deframer);
        assert_int_equal(deframer_size(&deframer), 0);
        deframer_destroy(&deframer);
    }
}

static void without_an_end_block_no_message_comes(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    add(&deframer, "\x0Bone\r\r\nPID|1\r");
    assert_none(&deframer);
    assert_true(deframer.inside); /* what the connection's shorter idle limit goes by */
    deframer_destroy(&deframer);
}

static void commit_blocks_and_empty_frames_do_no_harm(void **state)
{
    (void)state;
    struct deframer deframer = deframer_make(1000);
    add(&deframer, "\x0B\x06\x1C\r\x0B\x15\x1C\r\x0B\x1C\r\x0Bone\x1C\r");
    assert_next(&deframer, "");
    assert_next(&deframer, "one");
    deframer_destroy(&deframer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(several_messages_in_one_read_come_one_by_one),
        cmocka_unit_test(a_message_in_many_reads_is_the_same_message),
        cmocka_unit_test(a_frame_that_is_not_dropped_is_given_again),
        cmocka_unit_test(bytes_between_frames_are_skipped_and_counted),
        cmocka_unit_test(more_than_a_kibibyte_between_frames_ends_the_connection),
        cmocka_unit_test(a_message_over_the_limit_is_read_past_and_its_head_kept),
        cmocka_unit_test(a_message_at_the_limit_is_taken_and_one_byte_more_is_not),
        cmocka_unit_test(without_an_end_block_no_message_comes),
        cmocka_unit_test(commit_blocks_and_empty_frames_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
