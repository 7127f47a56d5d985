/* The parser of live streams. */
#include "broker/client/sse.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Writes each event as "id|event|data;" and stops after `most`. */
struct seen {
    struct buffer text;
    int count, most;
};

static bool see(void *context, struct view id, struct view event, struct view data)
{
    struct seen *seen = context;
    buffer_add_view(&seen->text, id);
    buffer_add_byte(&seen->text, '|');
    buffer_add_view(&seen->text, event);
    buffer_add_byte(&seen->text, '|');
    buffer_add_view(&seen->text, data);
    buffer_add_byte(&seen->text, ';');
    return ++seen->count < seen->most;
}

static void reads_as(struct view stream, const char *events)
{
    for (size_t split = 0; split <= stream.size; split++) {
        struct sse sse = {0};
        struct seen seen = {.most = 1000};
        assert_int_equal(sse_feed(&sse, view_make(stream.data, split), see, &seen), SSE_MORE);
        assert_int_equal(sse_feed(&sse, view_after(stream, split), see, &seen), SSE_MORE);
        if (!view_is_text(buffer_view(&seen.text), events))
            fail_msg("split at %zu: %.*s", split, VIEW_ARGS(buffer_view(&seen.text)));
        sse_destroy(&sse);
        buffer_destroy(&seen.text);
    }
}

static void events_are_whole_wherever_the_stream_is_split(void **state)
{
    (void)state;
    reads_as(VIEW("id: 16\n\nid: 17\nevent: alert\ndata: {\"a\":1}\n\nid: 18\nevent: alert\ndata: b\n\n"),
             "17|alert|{\"a\":1};18|alert|b;");
}

static void every_kind_of_line_end_ends_a_line(void **state)
{
    (void)state;
    reads_as(VIEW("id: 1\r\ndata: a\r\n\r\nid: 2\rdata: b\r\rid: 3\ndata: c\n\n"),
             "1|message|a;2|message|b;3|message|c;");
    reads_as(VIEW("data: a\r\ndata: b\r\n\r\n"), "|message|a\nb;");
}

static void comments_and_unknown_fields_are_skipped(void **state)
{
    (void)state;
    reads_as(VIEW(": heartbeat\n\n:\n\nretry: 100\ncolour: red\nflag\ndata: x\n\n: more\n\n"), "|message|x;");
}

static void data_of_several_lines_is_joined(void **state)
{
    (void)state;
    reads_as(VIEW("data: a\ndata:b\ndata:  c\ndata\ndata:\n\n"), "|message|a\nb\n c\n\n;");
    reads_as(VIEW("data:\n\n"), "|message|;");
}

static void an_event_without_data_calls_nobody_but_moves_the_id(void **state)
{
    (void)state;
    reads_as(VIEW("id: 7\n\nevent: x\n\ndata: a\n\n"), "7|message|a;");
    struct sse sse = {0};
    struct seen seen = {.most = 1000};
    assert_int_equal(sse_feed(&sse, VIEW("id: 7\n\n"), see, &seen), SSE_MORE);
    assert_int_equal(seen.count, 0);
    assert_true(view_is(sse_last_id(&sse), VIEW("7")));
    sse_destroy(&sse);
    buffer_destroy(&seen.text);
}

static void a_byte_order_mark_at_the_start_is_dropped(void **state)
{
    (void)state;
    reads_as(VIEW("\xEF\xBB\xBFid: 1\ndata: a\n\n"), "1|message|a;");
    reads_as(VIEW("\xEF\xBB\xBF\ndata: a\n\n"), "|message|a;");
    reads_as(VIEW("data: a\n\n\xEF\xBB\xBFid: 1\ndata: b\n\n"), "|message|a;|message|b;");
}

static void an_event_that_did_not_end_is_not_told(void **state)
{
    (void)state;
    reads_as(VIEW("data: a\n\ndata: b\n"), "|message|a;");
    reads_as(VIEW("data: a\n\ndata: b"), "|message|a;");
}

static void a_reader_that_has_enough_stops_the_stream(void **state)
{
    (void)state;
    struct sse sse = {0};
    struct seen seen = {.most = 2};
    assert_int_equal(sse_feed(&sse, VIEW("data: a\n\ndata: b\n\ndata: c\n\n"), see, &seen), SSE_STOPPED);
    assert_true(view_is(buffer_view(&seen.text), VIEW("|message|a;|message|b;")));
    sse_destroy(&sse);
    buffer_destroy(&seen.text);
}

static void an_endless_event_is_refused(void **state)
{
    (void)state;
    struct sse sse = {0};
    struct seen seen = {.most = 1};
    static char block[65536];
    memset(block, 'x', sizeof block);
    assert_int_equal(sse_feed(&sse, VIEW("data: "), see, &seen), SSE_MORE);
    enum sse_outcome outcome = SSE_MORE;
    for (size_t i = 0; i <= LIMIT_SSE_BYTES / sizeof block && outcome == SSE_MORE; i++)
        outcome = sse_feed(&sse, VIEW_OF(block), see, &seen);
    assert_int_equal(outcome, SSE_TOO_LARGE);
    sse_destroy(&sse);
    buffer_destroy(&seen.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(events_are_whole_wherever_the_stream_is_split),
        cmocka_unit_test(every_kind_of_line_end_ends_a_line),
        cmocka_unit_test(comments_and_unknown_fields_are_skipped),
        cmocka_unit_test(data_of_several_lines_is_joined),
        cmocka_unit_test(an_event_without_data_calls_nobody_but_moves_the_id),
        cmocka_unit_test(a_byte_order_mark_at_the_start_is_dropped),
        cmocka_unit_test(an_event_that_did_not_end_is_not_told),
        cmocka_unit_test(a_reader_that_has_enough_stops_the_stream),
        cmocka_unit_test(an_endless_event_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
