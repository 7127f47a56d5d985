/* Requests and their answers, over real sockets. */
#include "door.h"

static void a_request_in_many_pieces_is_one_request(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    const char *request = "POST /a%20b?x=1 HTTP/1.1\r\nHost: t\r\nContent-Length: 11\r\n\r\nhello world";
    for (const char *at = request; *at != '\0'; at++) {
        char one[2] = {*at, '\0'};
        caller_say(&caller, one);
        door_turn(&door, &caller);
    }
    TURN_UNTIL(&door, &caller, caller_has(&caller, "POST /a b 11\n"));
    assert_int_equal(door.asked, 1);
    assert_true(view_is(buffer_view(&door.last), VIEW("hello world")));
    caller_close(&caller);
    door_close(&door);
}

static void pipelined_requests_are_answered_in_order(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /one HTTP/1.1\r\nHost: t\r\n\r\n"
                        "POST /two HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nabc"
                        "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n"
                        "GET /three HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    assert_false(caller_has(&caller, "/three"));
    http_answer(door.waiting[0],
                &(struct http_answer){.status = 200, .content_type = "text/plain", .body = VIEW("late\n")});
    TURN_UNTIL(&door, &caller, caller_has(&caller, "GET /three 0\n"));
    const char *text = memory_text(buffer_view(&caller.got));
    assert_true(strstr(text, "GET /one") < strstr(text, "POST /two 3"));
    assert_true(strstr(text, "POST /two 3") < strstr(text, "late"));
    assert_true(strstr(text, "late") < strstr(text, "GET /three"));
    free((void *)(uintptr_t)text);
    caller_close(&caller);
    door_close(&door);
}

static void late_answers_may_come_in_another_order(void **state)
{
    (void)state;
    enum { CALLERS = 5 };
    struct door door;
    struct caller callers[CALLERS];
    door_open(&door);
    for (size_t i = 0; i < CALLERS; i++) {
        caller_open(&callers[i], &door);
        caller_say(&callers[i], "POST /wait HTTP/1.1\r\nHost: t\r\nContent-Length: 1\r\n\r\n1");
        TURN_UNTIL(&door, &callers[i], door.waiting_count == i + 1);
    }
    assert_int_equal(http_open_requests(door.http), CALLERS);
    for (size_t i = CALLERS; i-- > 0;) {
        char text[32];
        (void)snprintf(text, sizeof text, "answer %zu.", i);
        http_answer(door.waiting[i],
                    &(struct http_answer){.status = 201, .content_type = "text/plain", .body = view_of_text(text)});
        TURN_UNTIL(&door, &callers[i], caller_has(&callers[i], text));
        assert_true(caller_has(&callers[i], "HTTP/1.1 201 Created"));
    }
    for (size_t i = 0; i < CALLERS; i++)
        caller_close(&callers[i]);
    assert_int_equal(door.cancelled, 0);
    door_close(&door);
}

static void a_connection_is_kept_for_the_next_request(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    for (size_t i = 1; i <= 20; i++) {
        caller_say(&caller, "GET /again HTTP/1.1\r\nHost: t\r\n\r\n");
        TURN_UNTIL(&door, &caller, count_of(&caller.got, "GET /again 0\n") == i);
    }
    assert_false(caller.closed);
    assert_int_equal(http_open_requests(door.http), 0);
    caller_close(&caller);
    door_close(&door);
}

static void a_client_that_leaves_while_it_waits_does_no_harm(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    caller_close(&caller);
    door_turn(&door, NULL);
    http_answer(door.waiting[0], &(struct http_answer){.status = 200, .content_type = "text/plain", .body = VIEW("x")});
    TURN_UNTIL(&door, NULL, http_open_requests(door.http) == 0);
    door_close(&door);
}

static void a_client_that_closed_only_its_side_still_reads_its_answer(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    size_t descriptors = count_descriptors();
    caller_open(&caller, &door);
    caller_say(&caller, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_int_equal(shutdown(caller.fd, SHUT_WR), 0);
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    http_step(door.http);
    http_answer(door.waiting[0],
                &(struct http_answer){.status = 200, .content_type = "text/plain", .body = VIEW("late")});
    TURN_UNTIL(&door, &caller, caller.closed);
    assert_true(caller_has(&caller, "late"));
    caller_close(&caller);
    TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
    door_close(&door);
}

static void a_client_that_leaves_in_the_middle_is_let_go_at_once(void **state)
{
    (void)state;
    static const char *const parts[] = {"", "GE", "GET /x HTTP/1.1\r\nHost",
                                        "POST /x HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nabc",
                                        "GET /x HTTP/1.1\r\nHost: t\r\n\r\n"};
    for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
        struct door door;
        struct caller caller;
        door_open(&door);
        size_t descriptors = count_descriptors();
        caller_open(&caller, &door);
        caller_say(&caller, parts[i]);
        caller_close(&caller);
        door_turn(&door, NULL);
        TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
        assert_int_equal(http_open_requests(door.http), 0);
        door_close(&door);
    }
}

static void closing_cancels_what_is_open(void **state)
{
    (void)state;
    struct door door;
    struct caller waits, streams;
    door_open(&door);
    caller_open(&waits, &door);
    caller_say(&waits, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &waits, door.waiting_count == 1);
    caller_open(&streams, &door);
    caller_say(&streams, "GET /stream HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &streams, caller_has(&streams, "text/event-stream"));
    door_close(&door);
    assert_int_equal(door.cancelled, 2);
    caller_close(&waits);
    caller_close(&streams);
}

static void closing_in_the_middle_of_answers_and_arrivals_does_no_harm(void **state)
{
    (void)state;
    struct door door;
    struct caller callers[8];
    door_open(&door);
    for (size_t i = 0; i < 8; i++) {
        caller_open(&callers[i], &door);
        caller_say(&callers[i], "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
        TURN_UNTIL(&door, &callers[i], door.waiting_count == i + 1);
        caller_say(&callers[i], "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    }
    for (size_t i = 0; i < 8; i += 2)
        http_answer(door.waiting[i], &(struct http_answer){.status = 204});
    size_t asked = door.asked;
    door_close(&door);
    assert_int_equal(door.asked, asked);
    assert_int_equal(door.cancelled, 4);
    for (size_t i = 0; i < 8; i++)
        caller_close(&callers[i]);
}

static void a_head_is_a_get_without_its_body(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "HEAD /page HTTP/1.1\r\nHost: t\r\n\r\nGET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "GET /next 0\n"));
    assert_false(caller_has(&caller, "GET /page 0\n"));
    assert_true(caller_has(&caller, "Content-Length: 12"));
    caller_close(&caller);
    door_close(&door);
}

static void answers_without_a_body_have_none(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /nothing HTTP/1.1\r\nHost: t\r\n\r\nGET /unchanged HTTP/1.1\r\nHost: t\r\n\r\n"
                        "GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "GET /next 0\n"));
    assert_true(caller_has(&caller, "HTTP/1.1 204 No Content"));
    assert_true(caller_has(&caller, "HTTP/1.1 304 Not Modified"));
    assert_int_equal(count_of(&caller.got, "\r\nContent-Type:"), 2);
    assert_false(caller_has(&caller, "\r\n\r\nno"));
    caller_close(&caller);
    door_close(&door);
}

static void a_problem_is_problem_json(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /problem HTTP/1.1\r\nHost: t\r\n\r\nGET /busy HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, caller_has(&caller, "Not durable."));
    assert_true(caller_has(&caller, "Content-Type: application/problem+json"));
    assert_true(caller_has(&caller, "{\"type\":\"about:blank\",\"title\":\"Bad Request\",\"status\":400,\"detail\":"
                                    "\"Not an event.\",\"errors\":[{\"at\":\"/encounter/ward\",\"why\":"
                                    "\"not a \\\"ward\\\"\"}]}"));
    assert_true(caller_has(&caller, "Retry-After: 1"));
    assert_int_equal(count_of(&caller.got, "X-Content-Type-Options: nosniff"), 2);
    assert_int_equal(count_of(&caller.got, "Cache-Control: no-store"), 2);
    caller_close(&caller);
    door_close(&door);
}

static void quiescing_finishes_what_is_open_and_takes_nothing_new(void **state)
{
    (void)state;
    struct door door;
    struct caller caller;
    door_open(&door);
    caller_open(&caller, &door);
    caller_say(&caller, "GET /wait HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &caller, door.waiting_count == 1);
    struct sockaddr_in to = {.sin_family = AF_INET};
    socklen_t size = sizeof to;
    assert_int_equal(getpeername(caller.fd, (struct sockaddr *)&to, &size), 0);
    http_quiesce(door.http);
    int late = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(connect(late, (struct sockaddr *)&to, sizeof to), -1);
    (void)close(late);
    assert_int_equal(http_open_requests(door.http), 1);
    http_answer(door.waiting[0],
                &(struct http_answer){.status = 200, .content_type = "text/plain", .body = VIEW("done")});
    TURN_UNTIL(&door, &caller, caller.closed);
    assert_true(caller_has(&caller, "done"));
    assert_true(caller_has(&caller, "Connection: close"));
    TURN_UNTIL(&door, NULL, http_open_requests(door.http) == 0);
    caller_close(&caller);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_in_many_pieces_is_one_request),
        cmocka_unit_test(pipelined_requests_are_answered_in_order),
        cmocka_unit_test(late_answers_may_come_in_another_order),
        cmocka_unit_test(a_connection_is_kept_for_the_next_request),
        cmocka_unit_test(a_client_that_leaves_while_it_waits_does_no_harm),
        cmocka_unit_test(a_client_that_closed_only_its_side_still_reads_its_answer),
        cmocka_unit_test(a_client_that_leaves_in_the_middle_is_let_go_at_once),
        cmocka_unit_test(closing_cancels_what_is_open),
        cmocka_unit_test(closing_in_the_middle_of_answers_and_arrivals_does_no_harm),
        cmocka_unit_test(a_head_is_a_get_without_its_body),
        cmocka_unit_test(answers_without_a_body_have_none),
        cmocka_unit_test(a_problem_is_problem_json),
        cmocka_unit_test(quiescing_finishes_what_is_open_and_takes_nothing_new),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
