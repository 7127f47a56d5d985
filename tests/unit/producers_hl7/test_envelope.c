/* Who sent a message, and what makes it the same message. */
#include "message_help.h"

static enum result check(struct read_message *read, const char *msh)
{
    return read_text(read, msh);
}

static void an_envelope_is_read(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(check(&read, "MSH|^~\\&|PAS\\T\\X^1.2^ISO|RAL RF^x|||20261123||ADT|M1|P^T\rEVN|A08\r"), OK);
    assert_view(read.envelope.source, "PAS&X^1.2^ISO");
    assert_view(read.envelope.sender, "RAL RF");
    assert_view(read.envelope.type, "ADT");
    assert_view(read.envelope.trigger, "A08");
    assert_view(read.envelope.id, "M1");
    assert_view(read.envelope.processing_id, "P");
    read_close(&read);
}

static void what_every_message_needs_is_asked_for(void **state)
{
    (void)state;
    static const struct {
        const char *msh, *at, *code;
    } bad[] = {
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01||P", "MSH-10", "101"},
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01|\"\"|P", "MSH-10", "101"},
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01|M1|T", "MSH-11", "202"},
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01|M1|", "MSH-11", "202"},
        {"MSH|^~\\&|PAS|R0A|||||ADT^A01|M1|p", "MSH-11", "202"},
        {"MSH|^~\\&|PAS|R0A||||||M1|P", "MSH-9", "200"},
        {"MSH|^~\\&|PAS|R0A|||||ADT|M1|P", "MSH-9", "201"},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(check(&read, bad[i].msh), REJECTED);
        assert_string_equal(read.refusal.at, bad[i].at);
        assert_string_equal(read.refusal.code, bad[i].code);
    }
    assert_int_equal(envelope_check(&read.envelope, NULL, &read.refusal), REJECTED);
    assert_string_equal(read.refusal.at, "MSH-4");
    assert_string_equal(read.refusal.code, "103");
    read_close(&read);
}

static void a_control_id_has_up_to_199_characters(void **state)
{
    (void)state;
    for (int size = 199; size <= 200; size++) {
        struct read_message read;
        char msh[512];
        read_open(&read);
        (void)snprintf(msh, sizeof msh, "MSH|^~\\&|PAS|R0A|||||ORU^R01|%0*d|P", size, 1);
        assert_int_equal(check(&read, msh), size == 199 ? OK : REJECTED);
        if (size == 200)
            assert_string_equal(read.refusal.code, "102");
        read_close(&read);
    }
}

static void the_publisher_says_which_processing_ids_it_uses(void **state)
{
    (void)state;
    struct read_message read;
    struct view ids[] = {VIEW("P"), VIEW("T")};
    read_open(&read);
    read.organisation.processing_ids = ids;
    read.organisation.processing_id_count = 2;
    assert_int_equal(check(&read, "MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|T"), OK);
    assert_int_equal(check(&read, "MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|D"), REJECTED);
    read_close(&read);
}

static void the_content_is_all_but_msh_7(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "MSH|^~\\&|PAS|R0A|||20261123110000||ORU^R01|M1|P\rPID|1\r",
        "MSH|^~\\&|PAS|R0A|||20261123110005.5||ORU^R01|M1|P\rPID|1\r",
        "MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|P\rPID|1\r",
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct buffer content = {0};
        assert_int_equal(check(&read, texts[i]), OK);
        envelope_content(&read.message, &content);
        assert_view(buffer_view(&content), texts[2]);
        buffer_destroy(&content);
    }
    struct buffer content = {0};
    assert_int_equal(message_parse(VIEW("MSH|^~\\&|PAS"), &read.arena, &read.message, &read.refusal), OK);
    envelope_content(&read.message, &content);
    assert_view(buffer_view(&content), "MSH|^~\\&|PAS");
    buffer_destroy(&content);
    read_close(&read);
}

static void the_message_time_falls_back(void **state)
{
    (void)state;
    static const struct {
        const char *text, *time;
        size_t items;
    } times[] = {
        {"MSH|^~\\&|PAS|R0A|||20261123110000||ORU^R01|M1|P\rEVN||20261123100000\r", "2026-11-23T11:00:00.000Z", 0},
        {"MSH|^~\\&|PAS|R0A|||x||ORU^R01|M1|P\rEVN||20261123105900||||20261123105800\r", "2026-11-23T10:59:00.000Z", 1},
        {"MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|P\rEVN||||||20261123105800\r", "2026-11-23T10:58:00.000Z", 0},
        {"MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|P\r", "2026-11-23T10:00:00.000Z", 0},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        assert_int_equal(check(&read, times[i].text), OK);
        assert_time(envelope_time(&read.reading), times[i].time);
        assert_int_equal(read.reading.item_count, times[i].items);
    }
    read_close(&read);
}

static void an_acknowledgement_is_known_as_one(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(check(&read, "MSH|^~\\&|PAS|R0A|||||ACK^A01|M1|P\rMSA|AA|7\r"), OK);
    assert_true(envelope_is_acknowledgement(&read.envelope));
    assert_int_equal(check(&read, "MSH|^~\\&|PAS|R0A|||||ORU^R01|M1|P\r"), OK);
    assert_false(envelope_is_acknowledgement(&read.envelope));
    read_close(&read);
}

static void a_refusal_goes_to_the_work_list_of_whom_it_concerns(void **state)
{
    (void)state;
    struct refusal refusal;
    assert_int_equal(refusal_set(&refusal, "MSH-11", "202", "why"), REJECTED);
    struct work_item item = refusal_item(&refusal, VIEW("R0A"), VIEW("PAS"), VIEW("M1"), 7);
    assert_view(item.kind, "refused");
    assert_view(item.organisation, "R0A");
    assert_view(item.at, "MSH-11");
    assert_view(item.code, "202");
    item = refusal_item(&refusal, VIEW_NONE, VIEW_NONE, VIEW_NONE, 7);
    assert_view(item.organisation, ""); /* the operator's */
    assert_view(item.message_id, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_envelope_is_read),
        cmocka_unit_test(what_every_message_needs_is_asked_for),
        cmocka_unit_test(a_control_id_has_up_to_199_characters),
        cmocka_unit_test(the_publisher_says_which_processing_ids_it_uses),
        cmocka_unit_test(the_content_is_all_but_msh_7),
        cmocka_unit_test(the_message_time_falls_back),
        cmocka_unit_test(an_acknowledgement_is_known_as_one),
        cmocka_unit_test(a_refusal_goes_to_the_work_list_of_whom_it_concerns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
