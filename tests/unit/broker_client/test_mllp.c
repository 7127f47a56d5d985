/* The MLLP client against a socket that plays the door. */
#include "listener.h"

struct line {
    int listening, peer;
    struct mllp_client *client;
};

static void line_open(struct line *line)
{
    char address[32];
    struct error err = {0};
    line->listening = listener_open(address);
    assert_int_equal(mllp_client_open(address, &line->client, &err), OK);
    line->peer = accept(line->listening, NULL, NULL);
    assert_true(line->peer >= 0);
}

static void line_close(struct line *line)
{
    mllp_client_close(line->client);
    if (line->peer >= 0)
        (void)close(line->peer);
    (void)close(line->listening);
}

static void peer_says(struct line *line, struct view bytes)
{
    assert_int_equal(send(line->peer, bytes.data, bytes.size, MSG_NOSIGNAL), (ssize_t)bytes.size);
}

static void a_message_is_framed(void **state)
{
    (void)state;
    struct line line;
    struct error err = {0};
    char got[64];
    line_open(&line);
    assert_int_equal(mllp_client_write(line.client, VIEW("MSH|^~\\&|A\rPID|1\r"), &err), OK);
    ssize_t size = recv(line.peer, got, sizeof got, MSG_WAITALL | MSG_DONTWAIT);
    assert_true(size > 0 && view_is(view_make(got, (size_t)size), VIEW("\x0BMSH|^~\\&|A\rPID|1\r\x1C\r")));
    line_close(&line);
}

static void acknowledgements_are_read_one_by_one_whatever_the_pieces(void **state)
{
    (void)state;
    struct view both = VIEW("\x0BMSA|AA|1\r\x1C\r\r\n\x0BMSA|AE|2\r\x1C\r");
    for (size_t split = 0; split <= both.size; split++) {
        struct line line;
        struct error err = {0};
        struct buffer first = {0}, second = {0};
        line_open(&line);
        peer_says(&line, view_make(both.data, split));
        enum result early = mllp_client_read(line.client, 0, &first, &err);
        assert_true(early == OK || early == NOTHING);
        peer_says(&line, view_after(both, split));
        if (early == NOTHING)
            assert_int_equal(mllp_client_read(line.client, 5000, &first, &err), OK);
        assert_int_equal(mllp_client_read(line.client, 5000, &second, &err), OK);
        assert_true(view_is(buffer_view(&first), VIEW("MSA|AA|1\r")));
        assert_true(view_is(buffer_view(&second), VIEW("MSA|AE|2\r")));
        assert_int_equal(mllp_client_read(line.client, 0, &second, &err), NOTHING);
        buffer_destroy(&first);
        buffer_destroy(&second);
        line_close(&line);
    }
}

static void a_late_acknowledgement_is_nothing_yet(void **state)
{
    (void)state;
    struct line line;
    struct error err = {0};
    struct buffer got = {0};
    line_open(&line);
    int64_t start_ms = time_monotonic_ms();
    assert_int_equal(mllp_client_read(line.client, 50, &got, &err), NOTHING);
    assert_true(time_monotonic_ms() - start_ms >= 49);
    assert_int_equal(got.size, 0);
    line_close(&line);
}

static void a_connection_that_broke_says_where(void **state)
{
    (void)state;
    struct line line;
    struct error err = {0};
    struct buffer got = {0};
    line_open(&line);
    peer_says(&line, VIEW("\x0BMSA|AA|1\r\x1C\r"));
    (void)close(line.peer);
    line.peer = -1;
    assert_int_equal(mllp_client_read(line.client, 5000, &got, &err), OK);
    assert_int_equal(mllp_client_read(line.client, 5000, &got, &err), AGAIN);
    assert_non_null(strstr(err.text, "127.0.0.1:"));
    buffer_destroy(&got);
    line_close(&line);
}

static void a_door_that_is_not_there_is_said_so(void **state)
{
    (void)state;
    char address[32];
    struct error err = {0};
    struct mllp_client *client = NULL;
    (void)close(listener_open(address));
    assert_int_equal(mllp_client_open(address, &client, &err), AGAIN);
    assert_non_null(strstr(err.text, address));
    assert_int_equal(mllp_client_open("nowhere", &client, &err), REJECTED);
    assert_int_equal(mllp_client_open("127.0.0.1:http", &client, &err), REJECTED);
    assert_null(client);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_framed),
        cmocka_unit_test(acknowledgements_are_read_one_by_one_whatever_the_pieces),
        cmocka_unit_test(a_late_acknowledgement_is_nothing_yet),
        cmocka_unit_test(a_connection_that_broke_says_where),
        cmocka_unit_test(a_door_that_is_not_there_is_said_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
