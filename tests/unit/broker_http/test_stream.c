/* Live streams: what is sent arrives, in order, shared, and a slow reader is cut. */
#include "door.h"

static void open_stream(struct door *door, struct caller *caller)
{
    size_t before = door->waiting_count;
    caller_open(caller, door);
    caller_say(caller, "GET /stream HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(door, caller, door->waiting_count == before + 1 && caller_has(caller, "\r\n\r\n"));
    assert_true(caller_has(caller, "HTTP/1.1 200 OK"));
    assert_true(caller_has(caller, "Content-Type: text/event-stream"));
    assert_true(caller_has(caller, "Cache-Control: no-store"));
}

static bool send_text(struct http_request *request, const char *text)
{
    struct http_chunk *chunk = http_chunk_create(view_of_text(text));
    bool sent = http_stream_send(request, chunk);
    http_chunk_release(chunk);
    return sent;
}

static void a_stream_sends_again_and_again(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    open_stream(&door, &caller);
    for (int i = 1; i <= 200; i++) {
        char text[32];
        (void)snprintf(text, sizeof text, "id: %d\n\n", i);
        assert_true(send_text(door.waiting[0], text));
        if (i % 3 == 0)
            TURN_UNTIL(&door, &caller, caller_has(&caller, text) && http_stream_waiting(door.waiting[0]) == 0);
    }
    http_stream_end(door.waiting[0]);
    TURN_UNTIL(&door, &caller, caller_has(&caller, "\r\n0\r\n\r\n"));
    assert_int_equal(count_of(&caller.got, "id: "), 200);
    assert_int_equal(door.cancelled, 0);
    TURN_UNTIL(&door, &caller, http_open_requests(door.http) == 0);
    caller_close(&caller);
    door_close(&door);
}

static void one_chunk_serves_many_streams(void **state)
{
    (void)state;
    enum { STREAMS = 10 };
    struct door door;
    struct caller callers[STREAMS];
    door_open(&door);
    for (size_t i = 0; i < STREAMS; i++)
        open_stream(&door, &callers[i]);
    struct http_chunk *chunk = http_chunk_create(VIEW("data: shared\n\n"));
    for (int round = 0; round < 5; round++)
        for (size_t i = 0; i < STREAMS; i++)
            assert_true(http_stream_send(door.waiting[i], chunk));
    http_chunk_release(chunk);
    for (size_t i = 0; i < STREAMS; i++)
        TURN_UNTIL(&door, &callers[i], count_of(&callers[i].got, "data: shared\n\n") == 5);
    for (size_t i = 0; i < STREAMS; i++)
        caller_close(&callers[i]);
    door_close(&door);
}

static void a_client_that_leaves_its_stream_is_noticed_without_a_write(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    size_t descriptors = count_descriptors();
    open_stream(&door, &caller);
    caller_close(&caller);
    TURN_UNTIL(&door, NULL, door.cancelled == 1);
    assert_int_equal(http_open_requests(door.http), 0);
    TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
    door_close(&door);
    assert_int_equal(door.cancelled, 1);
}

static void a_client_that_leaves_in_the_middle_of_sends_is_cancelled_once(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    open_stream(&door, &caller);
    assert_true(send_text(door.waiting[0], ": heartbeat\n\n"));
    caller_close(&caller);
    for (int64_t end = time_monotonic_ms() + DEADLINE_MS; door.cancelled == 0 && time_monotonic_ms() < end;) {
        assert_true(send_text(door.waiting[0], ": heartbeat\n\n"));
        door_turn(&door, NULL);
    }
    assert_int_equal(door.cancelled, 1);
    door_close(&door);
    assert_int_equal(door.cancelled, 1);
}

static void a_slow_reader_is_cut_and_others_are_not(void **state)
{
    (void)state;
    struct door door;
    struct caller slow, fast;
    door_open(&door);
    size_t descriptors = count_descriptors();
    open_stream(&door, &slow);
    open_stream(&door, &fast);
    static char bytes[65536];
    memset(bytes, 'x', sizeof bytes);
    struct http_chunk *chunk = http_chunk_create(VIEW_OF(bytes));
    bool slow_lives = true;
    size_t rounds = 0;
    for (; slow_lives && rounds < 10000; rounds++) {
        slow_lives = http_stream_send(door.waiting[0], chunk);
        if (slow_lives)
            assert_true(http_stream_waiting(door.waiting[0]) <= LIMIT_STREAM_QUEUE_BYTES);
        assert_true(http_stream_send(door.waiting[1], chunk));
        TURN_UNTIL(&door, &fast, http_stream_waiting(door.waiting[1]) == 0);
    }
    assert_false(slow_lives);
    http_chunk_release(chunk);
    TURN_UNTIL(&door, &slow, slow.closed);
    assert_false(caller_has(&slow, "\r\n0\r\n\r\n"));
    assert_int_equal(door.cancelled, 0);
    assert_int_equal(http_open_requests(door.http), 1);
    assert_true(send_text(door.waiting[1], "data: on\n\n"));
    TURN_UNTIL(&door, &fast, caller_has(&fast, "data: on\n\n"));
    caller_close(&slow);
    caller_close(&fast);
    TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
    door_close(&door);
}

static void a_stream_may_start_late_and_end_at_once(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    http_stream_start(door.waiting[0], "text/event-stream");
    assert_true(send_text(door.waiting[0], "id: 4\n\n"));
    http_stream_end(door.waiting[0]);
    TURN_UNTIL(&door, &caller, caller_has(&caller, "id: 4\n\n\r\n0\r\n\r\n"));
    caller_say(&caller, "GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "GET /next 0\n"));
    assert_int_equal(door.cancelled, 0);
    caller_close(&caller);
    door_close(&door);
}

static void a_head_of_a_stream_is_cancelled_at_once(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "HEAD /stream HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.cancelled == 1);
    assert_true(caller_has(&caller, "text/event-stream"));
    caller_close(&caller);
    door_close(&door);
}

static void an_old_client_gets_its_stream_unchunked(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /stream HTTP/1.0\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    assert_true(send_text(door.waiting[0], "data: plain\n\n"));
    TURN_UNTIL(&door, &caller, caller_has(&caller, "\r\n\r\ndata: plain\n\n"));
    http_stream_end(door.waiting[0]);
    TURN_UNTIL(&door, &caller, caller.closed);
    caller_close(&caller);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_stream_sends_again_and_again),
        cmocka_unit_test(one_chunk_serves_many_streams),
        cmocka_unit_test(a_client_that_leaves_its_stream_is_noticed_without_a_write),
        cmocka_unit_test(a_client_that_leaves_in_the_middle_of_sends_is_cancelled_once),
        cmocka_unit_test(a_slow_reader_is_cut_and_others_are_not),
        cmocka_unit_test(a_stream_may_start_late_and_end_at_once),
        cmocka_unit_test(a_head_of_a_stream_is_cancelled_at_once),
        cmocka_unit_test(an_old_client_gets_its_stream_unchunked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
