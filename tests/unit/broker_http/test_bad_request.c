/* Requests that are too large, or that could be read in two ways. */
#include "door.h"

/* Says text on a new connection and waits for the server to answer with status and close it. */
static void is_refused_and_closed(const char *text, const char *status)
{
    struct door door;
    struct caller caller;
    door_open(&door);
    size_t descriptors = count_descriptors();
    caller_open(&caller, &door);
    caller_say(&caller, text);
    TURN_UNTIL(&door, &caller, caller.closed);
    if (!view_starts_with(buffer_view(&caller.got), view_of_text(status)) || caller_has(&caller, "HTTP/1.1 2"))
        fail_msg("%s gave %.*s", text, VIEW_ARGS(buffer_view(&caller.got)));
    assert_int_equal(door.asked, 0);
    caller_close(&caller);
    TURN_UNTIL(&door, NULL, http_open_requests(door.http) == 0 && count_descriptors() == descriptors);
    door_close(&door);
}

static void a_body_that_says_it_is_too_large_is_refused_before_it_comes(void **state)
{
    (void)state;
    is_refused_and_closed("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n", "HTTP/1.1 413 ");
    is_refused_and_closed("POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 99999999999999999\r\n\r\n",
                          "HTTP/1.1 413 ");
    is_refused_and_closed("POST /x HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\nContent-Length: 1048577\r\n\r\n",
                          "HTTP/1.1 413 ");
}

static void a_body_of_exactly_the_limit_is_taken(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    char body[SMALL_LIMIT + 1];
    memset(body, 'x', SMALL_LIMIT);
    body[SMALL_LIMIT] = '\0';
    caller_say(&caller, "POST /small HTTP/1.1\r\nHost: t\r\nContent-Length: 1000\r\n\r\n");
    caller_say(&caller, body);
    TURN_UNTIL(&door, &caller, caller_has(&caller, "POST /small 1000\n"));
    caller_close(&caller);
    door_close(&door);
}

static void a_chunked_body_over_the_limit_is_read_past_and_refused(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    char chunk[0x100 + 1];
    memset(chunk, 'x', 0x100);
    chunk[0x100] = '\0';
    for (int i = 0; i < 20; i++) {
        caller_say(&caller, "100\r\n");
        caller_say(&caller, chunk);
        caller_say(&caller, "\r\n");
        door_turn(&door, &caller);
    }
    caller_say(&caller, "0\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "HTTP/1.1 413 "));
    caller_say(&caller, "GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "GET /next 0\n"));
    caller_close(&caller);
    door_close(&door);
}

static void a_chunked_body_without_end_is_cut(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    size_t descriptors = count_descriptors();
    caller_open(&caller, &door);
    caller_say(&caller, "POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n7fffffff\r\n");
    static char block[65536];
    memset(block, 'x', sizeof block);
    size_t sent = 0;
    for (int64_t end = time_monotonic_ms() + DEADLINE_MS; !caller.closed && time_monotonic_ms() < end;) {
        ssize_t size = send(caller.fd, block, sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        sent += size > 0 ? (size_t)size : 0;
        door_turn(&door, &caller);
    }
    assert_true(caller.closed);
    assert_true(sent > 4 * 1024 * 1024 && sent < 64 * 1024 * 1024);
    assert_int_equal(door.asked, 0);
    caller_close(&caller);
    TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
    door_close(&door);
}

static void a_client_that_sends_it_all_first_still_reads_the_refusal(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 8000000\r\n\r\n");
    static char block[8000];
    memset(block, 'x', sizeof block);
    size_t sent = 0;
    for (int64_t end = time_monotonic_ms() + DEADLINE_MS; sent < 8000000 && time_monotonic_ms() < end;) {
        size_t left = 8000000 - sent;
        ssize_t size = send(caller.fd, block, left < sizeof block ? left : sizeof block, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (size < 0)
            assert_int_equal(errno, EAGAIN); /* never a reset */
        sent += size > 0 ? (size_t)size : 0;
        door_turn(&door, NULL);
    }
    TURN_UNTIL(&door, &caller, caller.closed);
    assert_true(caller_has(&caller, "HTTP/1.1 413 "));
    caller_close(&caller);
    door_close(&door);
}

static void framing_that_can_be_read_in_two_ways_is_refused(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\ncontent-length: 30\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: identity\r\n\r\nGET /y HTTP/1.1\r\nHost: t\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: +1\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: -1\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 0x1\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 1, 1\r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: \r\n\r\na",
        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length : 5\r\n\r\nabcde",
        "POST /x HTTP/1.1\r\nHost: t\r\nTransfer-Encoding\t: chunked\r\n\r\n0\r\n\r\n",
        "GET /x HTTP/1.1\r\nHost: t\r\nHost: u\r\n\r\n",
        "GET /x HTTP/1.1\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: t\r\n\r\n",
        "GET /a%00b HTTP/1.1\r\nHost: t\r\n\r\n",
    };
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++)
        is_refused_and_closed(shapes[i], "HTTP/1.1 400 ");
}

static void many_headers_are_read_and_too_many_are_refused(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    struct buffer request = {0};
    door_open(&door);
    caller_open(&caller, &door);
    buffer_add_text(&request, "GET /wait?a=1 HTTP/1.1\r\nHost: t\r\nX-Twice: first\r\nx-twice: second\r\n"
                              "Cookie: a=b; session=s3cret\r\n");
    for (int i = 0; i < 80; i++)
        buffer_add_format(&request, "X-Header-%d: value %d\r\n", i, i);
    buffer_add_text(&request, "\r\n");
    buffer_add_byte(&request, 0);
    caller_say(&caller, (const char *)request.data);
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    struct http_request *asked = door.waiting[0];
    assert_true(view_is(http_header(asked, "x-header-79"), VIEW("value 79")));
    assert_true(view_is(http_header(asked, "X-Twice"), VIEW("first")));
    assert_int_equal(http_header_count(asked, "X-Twice"), 2);
    assert_int_equal(http_header_count(asked, "X-Never"), 0);
    assert_null(http_header(asked, "X-Never").data);
    assert_true(view_is(http_cookie(asked, "session"), VIEW("s3cret")));
    assert_null(http_cookie(asked, "other").data);
    assert_true(view_is(http_query(asked, "a"), VIEW("1")));
    assert_null(http_query(asked, "b").data);
    assert_true(view_is(http_peer(asked), VIEW("127.0.0.1")));
    caller_close(&caller);

    buffer_clear(&request);
    buffer_add_text(&request, "GET /x HTTP/1.1\r\nHost: t\r\n");
    for (int i = 0; i < 2000; i++)
        buffer_add_format(&request, "X-Header-%d: value %d\r\n", i, i);
    buffer_add_text(&request, "\r\n");
    buffer_add_byte(&request, 0);
    caller_open(&caller, &door);
    caller_say(&caller, (const char *)request.data);
    TURN_UNTIL(&door, &caller, caller.closed);
    assert_int_equal(door.asked, 1);
    caller_close(&caller);
    buffer_destroy(&request);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_body_that_says_it_is_too_large_is_refused_before_it_comes),
        cmocka_unit_test(a_body_of_exactly_the_limit_is_taken),
        cmocka_unit_test(a_chunked_body_over_the_limit_is_read_past_and_refused),
        cmocka_unit_test(a_chunked_body_without_end_is_cut),
        cmocka_unit_test(a_client_that_sends_it_all_first_still_reads_the_refusal),
        cmocka_unit_test(framing_that_can_be_read_in_two_ways_is_refused),
        cmocka_unit_test(many_headers_are_read_and_too_many_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
