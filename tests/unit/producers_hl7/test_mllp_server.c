/* The door with real sockets, on an embedded log. */
#include "door_help.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"

/* An A01 of the sender; \r as segment ends. */
static const char *admission(const char *id, const char *more_msh)
{
    static char text[1024];
    (void)snprintf(text, sizeof text,
                   "MSH|^~\\&|PAS|R0A|||20261123101500||ADT^A01|%s|P|2.4%s\rEVN|A01\r"
                   "PID|1||9990000018^^^NHS^NH~654321^^^R0A^MR||Smith^Jane\r"
                   "PV1|1|I|W12||||||||||||||||V-%s\r",
                   id, more_msh, id);
    return text;
}

static void a_message_is_answered_when_it_is_durable(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    sender_send_message(&sender, admission("M2", "|||AL|NE"));
    assert_string_equal(sender_answers(&sender, 1), "CA M2");
    sender_send_message(&sender, admission("M3", "|||AL|AL"));
    assert_string_equal(sender_answers(&sender, 2), "CA M3, AA M3");
    sender_close(&sender);
    door_close(&door);
}

static void the_same_message_again_is_answered_as_the_first_time(void **state)
{
    (void)state;
    struct door door;
    struct sender sender, other;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_open(&other, &door);
    sender_send_message(&sender, admission("M1", ""));
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 2), "AA M1, AA M1");
    sender_send_message(&other, admission("M1", ""));
    assert_string_equal(sender_answers(&other, 1), "AA M1");
    sender_send_message(&other, admission("M1", "|||||8859/1"));
    assert_string_equal(sender_answers(&other, 1), "AR M1 205");
    sender_close(&sender);
    sender_close(&other);
    door_close(&door);
}

static void answers_come_in_the_order_of_the_messages(void **state)
{
    (void)state;
    enum { MESSAGES = 400 }; /* more than may be in flight */
    struct door door;
    struct sender sender;
    struct buffer all = {0};
    char expected[16384] = "";
    size_t size = 0;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    for (int i = 0; i < MESSAGES; i++) {
        char id[16];
        bool bad = i % 7 == 3; /* known at once, but its turn comes later */
        (void)snprintf(id, sizeof id, "M%d", i);
        if (bad)
            buffer_add_format(&all, "\x0BMSH|^~\\&|PAS|R0A|||||ADT^A01|%s|P\r\x1C\r\r\n", id);
        else if (i % 5 == 0)
            buffer_add_format(&all, "\x0BMSH|^~\\&|PAS|R0A|||||ORU^R01|%s|P\r\x1C\r", id);
        else
            buffer_add_format(&all, "\x0B%s\x1C\r", admission(id, ""));
        size += (size_t)snprintf(expected + size, sizeof expected - size, "%s%s %s%s", i == 0 ? "" : ", ",
                                 bad ? "AR" : "AA", id, bad ? " 100" : "");
    }
    sender_send(&sender, buffer_view(&all));
    assert_string_equal(sender_answers(&sender, MESSAGES), expected);
    buffer_destroy(&all);
    sender_close(&sender);
    door_close(&door);
}

static void a_message_in_many_reads_is_taken(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    char framed[1100];
    int size = snprintf(framed, sizeof framed, "\r\n\x0B%s\x1C\r", admission("M1", ""));
    for (int i = 0; i < size; i++) {
        assert_int_equal(send(sender.fd, framed + i, 1, MSG_NOSIGNAL), 1);
        assert_int_not_equal(mllp_server_step(door.server, 0, &door.err), FATAL);
    }
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    sender_close(&sender);
    door_close(&door);
}

static void what_is_refused_says_why_and_the_connection_lives(void **state)
{
    (void)state;
    static const struct {
        const char *text, *answer;
    } messages[] = {
        {"MSH|^~\\&|PAS|XXX|||||ADT^A01|M1|P\r", "AR M1 103"},
        {"MSH|^~\\&|PAS||||||ADT^A01|M2|P\r", "AR M2 103"},
        {"MSH|^~\\&|PAS|R1H|||||ADT^A01|M3|P\r", "AR M3 207"}, /* may not send from here */
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01|M4|D\r", "AR M4 202"},
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01||P\r", "AR  101"},
        {"MSH|^^\\&|PAS|R0A|||||ADT^A01|M5|P\r", "AR M5 102"},
        {"hello", "AR  100"},
        {"", "AR  100"},
        {"MSH|^~\\&|PAS|R0A99|||||ORU^R01|M6|T\r", "AA M6"}, /* a site of R0A */
        {"MSH|^~\\&|PAS|RAL RF|||||ORU^R01|M7|P\r", "AA M7"},
        {"MSH|^~\\&|PAS|R0A|||||ORU^R01|M8|P|2.4|||AL\r", "CA M8"},
    };
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    for (size_t i = 0; i < sizeof messages / sizeof messages[0]; i++) {
        sender_send_message(&sender, messages[i].text);
        assert_string_equal(sender_answers(&sender, 1), messages[i].answer);
    }
    assert_false(sender.closed);
    sender_close(&sender);
    door_close(&door);
}

static void an_acknowledgement_is_not_answered(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send_message(&sender, "MSH|^~\\&|PAS|R0A|||||ACK|M1|P\rMSA|AA|7\r");
    sender_send_message(&sender, "MSH|^~\\&|PAS|R0A|||||ORU^R01|M2|P|2.4|||NE|NE\r");
    sender_send_message(&sender, admission("M3", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M3");
    sender_close(&sender);
    door_close(&door);
}

static void a_message_over_the_limit_is_read_past(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    struct buffer large = {0};
    door_open(&door, NULL, (struct mllp_server_options){.message_bytes = 10000});
    sender_open(&sender, &door);
    buffer_add_text(&large, "\x0BMSH|^~\\&|PAS|R0A|||||ORU^R01|M1|P\rOBX|1|");
    for (int i = 0; i < 20000; i++)
        buffer_add_text(&large, "xxxxxxxxxx");
    buffer_add(&large, "\x1C\r", 2);
    sender_send(&sender, buffer_view(&large));
    sender_send_message(&sender, admission("M2", ""));
    assert_string_equal(sender_answers(&sender, 2), "AR M1 207, AA M2");
    large.data[1] = 'X'; /* no MSH is seen: there is nobody to answer */
    sender_send(&sender, buffer_view(&large));
    sender_send_message(&sender, admission("M3", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M3");
    buffer_destroy(&large);
    sender_close(&sender);
    door_close(&door);
}

static void junk_between_frames_is_skipped_until_it_is_too_much(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    char junk[LIMIT_MLLP_JUNK_BYTES + 1];
    memset(junk, 'x', sizeof junk);
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send(&sender, VIEW("GET / HTTP/1.1\r\n\r\n"));
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    sender_send(&sender, VIEW_OF(junk));
    assert_true(sender_is_closed(&sender));
    assert_int_equal(mllp_server_connections(door.server), 0);
    sender_close(&sender);
    door_close(&door);
}

static void a_message_without_an_end_is_waited_for_less_long_than_a_silence(void **state)
{
    (void)state;
    struct door door;
    struct sender cut, silent;
    door_open(&door, NULL, (struct mllp_server_options){.inside_ms = 40, .idle_ms = DEADLINE_MS * 2});
    sender_open(&cut, &door);
    sender_open(&silent, &door);
    sender_send(&silent, VIEW("\r\n"));
    sender_send(&cut, VIEW("\x0BMSH|^~\\&|PAS|R0A|||||ADT^A01|M1|P\r"));
    assert_true(sender_is_closed(&cut));
    assert_int_equal(mllp_server_connections(door.server), 1);
    sender_close(&cut);
    sender_close(&silent);
    door_close(&door);
}

static void a_silent_connection_is_closed_in_the_end(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){.inside_ms = 40, .idle_ms = 60});
    sender_open(&sender, &door);
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    assert_true(sender_is_closed(&sender));
    sender_close(&sender);
    door_close(&door);
}

static void one_connection_too_many_is_closed(void **state)
{
    (void)state;
    struct door door;
    struct sender first, second;
    door_open(&door, NULL, (struct mllp_server_options){.connections = 1});
    sender_open(&first, &door);
    sender_send_message(&first, admission("M1", ""));
    assert_string_equal(sender_answers(&first, 1), "AA M1");
    sender_open(&second, &door);
    assert_true(sender_is_closed(&second));
    sender_send_message(&first, admission("M2", ""));
    assert_string_equal(sender_answers(&first, 1), "AA M2");
    sender_close(&first);
    sender_close(&second);
    door_close(&door);
}

static void a_sender_that_has_said_all_still_gets_its_answers(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    char framed[1100];
    int size = snprintf(framed, sizeof framed, "\x0B%s\x1C\r", admission("M1", ""));
    assert_int_equal(send(sender.fd, framed, (size_t)size, MSG_NOSIGNAL), size);
    assert_int_equal(shutdown(sender.fd, SHUT_WR), 0);
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    assert_true(sender_is_closed(&sender));
    sender_close(&sender);
    door_close(&door);
}

static void a_clean_stop_answers_what_was_taken_and_takes_no_more(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send_message(&sender, admission("M1", ""));
    int64_t deadline_ms = time_monotonic_ms() + DEADLINE_MS;
    while (publisher_waiting(door.publisher) == 0 && sender.in.size == 0 && time_monotonic_ms() < deadline_ms) {
        door_turn(&door);
        sender_receive(&sender);
    }
    mllp_server_quiesce(door.server);
    char framed[1100];
    int size = snprintf(framed, sizeof framed, "\x0B%s\x1C\r", admission("M2", ""));
    (void)!send(sender.fd, framed, (size_t)size, MSG_NOSIGNAL);
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    while (!mllp_server_is_quiet(door.server) && time_monotonic_ms() < deadline_ms)
        door_turn(&door);
    assert_true(mllp_server_is_quiet(door.server));
    assert_true(sender_is_closed(&sender));
    sender_close(&sender);
    door_close(&door);
}

static void what_is_not_known_to_be_durable_is_asked_for_again(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, "append events 1 lose-answer\nappend events 2 fail\n", (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 1), "AE M1 207");
    sender_send_message(&sender, admission("M1", "|||AL")); /* not durable either; in enhanced mode */
    const char *second = sender_answers(&sender, 1);
    assert_true(strcmp(second, "CE M1 207") == 0 || strcmp(second, "CR M1 205") == 0);
    sender_send_message(&sender, admission("M1", ""));
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    sender_close(&sender);
    door_close(&door);
}

static void a_hospital_added_meanwhile_is_known(void **state)
{
    (void)state;
    struct door door;
    struct sender sender;
    door_open(&door, NULL, (struct mllp_server_options){0});
    sender_open(&sender, &door);
    sender_send_message(&sender, "MSH|^~\\&|PAS|RNEW|||||ORU^R01|M1|P\r");
    assert_string_equal(sender_answers(&sender, 1), "AR M1 103");
    door_add(&door, &(struct organisation){.id = VIEW("RNEW"), .kind = VIEW("hospital")});
    sender_send_message(&sender, "MSH|^~\\&|PAS|RNEW|||||ORU^R01|M1|P\r");
    assert_string_equal(sender_answers(&sender, 1), "AA M1");
    sender_close(&sender);
    door_close(&door);
}

static void the_door_says_where_it_listens_or_why_not(void **state)
{
    (void)state;
    struct door door;
    struct mllp_server *second = NULL;
    door_open(&door, NULL, (struct mllp_server_options){0});
    struct mllp_server_options with = {
        .address = mllp_server_address(door.server), .publisher = door.publisher, .directory = door.directory};
    assert_int_equal(mllp_server_open(&with, &second, &door.err), FATAL);
    assert_non_null(strstr(door.err.text, "--mllp"));
    with.address = "nowhere";
    assert_int_equal(mllp_server_open(&with, &second, &door.err), REJECTED);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_answered_when_it_is_durable),
        cmocka_unit_test(the_same_message_again_is_answered_as_the_first_time),
        cmocka_unit_test(answers_come_in_the_order_of_the_messages),
        cmocka_unit_test(a_message_in_many_reads_is_taken),
        cmocka_unit_test(what_is_refused_says_why_and_the_connection_lives),
        cmocka_unit_test(an_acknowledgement_is_not_answered),
        cmocka_unit_test(a_message_over_the_limit_is_read_past),
        cmocka_unit_test(junk_between_frames_is_skipped_until_it_is_too_much),
        cmocka_unit_test(a_message_without_an_end_is_waited_for_less_long_than_a_silence),
        cmocka_unit_test(a_silent_connection_is_closed_in_the_end),
        cmocka_unit_test(one_connection_too_many_is_closed),
        cmocka_unit_test(a_sender_that_has_said_all_still_gets_its_answers),
        cmocka_unit_test(a_clean_stop_answers_what_was_taken_and_takes_no_more),
        cmocka_unit_test(what_is_not_known_to_be_durable_is_asked_for_again),
        cmocka_unit_test(a_hospital_added_meanwhile_is_known),
        cmocka_unit_test(the_door_says_where_it_listens_or_why_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
