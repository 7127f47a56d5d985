/* Who a message is about. */
#include "message_help.h"

/* An A01 of the patient that this PID names. */
static enum result read_pid(struct read_message *read, const char *pid)
{
    char text[2048];
    (void)snprintf(text, sizeof text,
                   "MSH|^~\\&|PAS|R0A|||20261123100000||ADT^A01|M1|P|2.4\r"
                   "EVN|A01|20261123100000\r%s\rPV1|1|I|W1||||||||||||||||V1\r",
                   pid);
    return read_text(read, text);
}

static const struct patient *patient_of(const struct read_message *read)
{
    assert_int_equal(read->result.event_count, 1);
    return &read->result.events[0].body.patient;
}

static void an_nhs_number_is_known_in_every_shape(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "PID|1||9990000018^^^NHS^NH",
        "PID|1||9990000018^^^NHSNBR^NHSNMBR",
        "PID|1||9990000018^^^^NHS",
        "PID|1||999 000 0018^NSTS01^^NHS^NHS",
        "PID|1||~9990000018^^^NHS^NH",
        "PID|1||654321^^^R0A^MR~9990000018^^^NHS^NH",
        "PID|1||9990000018^^^&2.16.840.1.113883.2.1.4.1&ISO",
        "PID|1||9990000018^^^nhs^nh",
        "PID|1|9990000018^^^NHS^NH|654321^^^R0A^MR",
        "PID|1||654321^^^R0A^MR|9990000018^^^NHS^NH",
        "PID|1||654321^^^R0A^MR||||||||||||||||9990000018",
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        assert_int_equal(read_pid(&read, shapes[i]), OK);
        assert_view(patient_of(&read)->nhs_number, "9990000018");
        assert_int_equal(read.reading.item_count, 0);
    }
    read_close(&read);
}

static void a_ten_digit_hospital_number_is_not_an_nhs_number(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(
        read_pid(&read, "PID|1|9990000018^^^SIM MRN^MRN|9990000018^^^SIM MRN^MRN~9990000026^^^NHSNBR^NHSNMBR"), OK);
    assert_view(patient_of(&read)->nhs_number, "9990000026");
    assert_int_equal(patient_of(&read)->local_id_count, 1);
    assert_view(patient_of(&read)->local_ids[0].value, "9990000018");
    read_close(&read);
}

static void a_local_number_is_the_senders_whatever_its_local_assigner(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "PID|1||654321^^^R0A^MR",
        "PID|1||654321^^^NOC-MRN^MRN^\"\"",
        "PID|1||654321",
        "PID|1||654321^^^^PI",
        "PID|1||654321^^^local^MR",
        "PID|1|654321|",
        "PID|1||654321^^^A~654321^^^B~ 654321 ",
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        assert_int_equal(read_pid(&read, shapes[i]), OK);
        assert_int_equal(patient_of(&read)->local_id_count, 1);
        assert_view(patient_of(&read)->local_ids[0].assigner, "R0A");
        assert_view(patient_of(&read)->local_ids[0].value, "654321");
        assert_null(patient_of(&read)->nhs_number.data);
        assert_view(item_of(&read, "missing-nhs-number")->message_id, "M1");
    }
    read_close(&read);
}

static void another_hospitals_number_is_not_taken(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_pid(&read, "PID|1||77^^^R1H^MR~654321^^^R0A^MR~78^^^R1H01^MR~123456789^^^HMPO^PPN"), OK);
    assert_int_equal(patient_of(&read)->local_id_count, 1);
    assert_view(patient_of(&read)->local_ids[0].value, "654321");
    assert_int_equal(read_pid(&read, "PID|1||77^^^R1H^MR"), REJECTED);
    assert_string_equal(read.refusal.at, "PID-3");
    assert_string_equal(read.refusal.code, "101");
    read_close(&read);
}

static void nobody_named_is_refused(void **state)
{
    (void)state;
    static const char *const shapes[] = {
        "PID|1",
        "PID|1||",
        "PID|1||\"\"",
        "PID|1||^^^R0A^MR~^^^NHS^NH",
        "PID|1||\"\"^^^NHS^NH||Smith^Jane",
        "PID|1||9219068409^^^NHS^NH",
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        assert_int_equal(read_pid(&read, shapes[i]), REJECTED);
        assert_string_equal(read.refusal.at, "PID-3");
        assert_string_equal(read.refusal.code, "101");
        assert_false(read.refusal.again);
    }
    read_close(&read);
}

static void an_untrusted_number_is_kept_under_the_local_one_or_refused(void **state)
{
    (void)state;
    static const char pid[] = "PID|1||9219068409^NSTS02^^NHS^NH~654321^^^R0A^MR";
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_pid(&read, pid), OK);
    assert_null(patient_of(&read)->nhs_number.data);
    assert_view(patient_of(&read)->untrusted_nhs_number, "9219068409");
    assert_view(patient_of(&read)->reliability, "NSTS02");
    const struct work_item *item = item_of(&read, "untrusted-nhs-number");
    assert_view(item->at, "PID-3");
    assert_view(item->organisation, "R0A");
    assert_view(item->source, "PAS");
    assert_int_equal(read.reading.item_count, 1);
    read.organisation.reject_untrusted = true;
    assert_int_equal(read_pid(&read, pid), REJECTED);
    assert_string_equal(read.refusal.at, "PID-3");
    assert_string_equal(read.refusal.code, "102");
    read_close(&read);
}

static void a_trusted_number_outweighs_an_untrusted_one(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    read.organisation.reject_untrusted = true;
    assert_int_equal(read_pid(&read, "PID|1||1239874560^^^NHS^NH~9990000018^^^NHS^NH"), OK);
    assert_view(patient_of(&read)->nhs_number, "9990000018");
    assert_int_equal(read.reading.item_count, 0);
    read_close(&read);
}

static void two_different_nhs_numbers_are_no_number(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_pid(&read, "PID|1||9990000018^^^NHS^NH~9990000026^^^NHS^NH~654321^^^R0A^MR"), OK);
    assert_null(patient_of(&read)->nhs_number.data);
    assert_non_null(item_of(&read, "untrusted-nhs-number"));
    assert_int_equal(read_pid(&read, "PID|1||9990000018^^^NHS^NH~999 000 0018^^^NHS^NH~654321^^^R0A^MR"), OK);
    assert_view(patient_of(&read)->nhs_number, "9990000018");
    read_close(&read);
}

static void name_birth_and_reliability_are_read(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(
        read_pid(&read, "PID|1||9990000018^NSTS01^^NHS^NH||O\\T\\Neil&O'&Neil^Jane^^^Mrs~Maiden^J||19500201000000|F"
                        "||||||||||||||||||||||||US"),
        OK);
    assert_view(patient_of(&read)->family_name, "O&Neil");
    assert_view(patient_of(&read)->given_name, "Jane");
    assert_view(patient_of(&read)->birth_date, "1950-02-01");
    assert_view(patient_of(&read)->reliability, "NSTS01 US");
    assert_int_equal(read_pid(&read, "PID|1||9990000018^^^NHS^NH||\"\"||1950"), OK);
    assert_null(patient_of(&read)->birth_date.data);
    assert_int_equal(patient_of(&read)->family_name.size, 0);
    assert_int_equal(read.reading.item_count, 0);
    read_close(&read);
}

static void a_bad_day_of_birth_is_noted_and_left_out(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_pid(&read, "PID|1||9990000018^^^NHS^NH||||19501332"), OK);
    assert_null(patient_of(&read)->birth_date.data);
    assert_view(item_of(&read, "bad-time")->at, "PID-7");
    read_close(&read);
}

static void the_practice_is_found_in_pd1(void **state)
{
    (void)state;
    static const struct {
        const char *pd1, *practice;
    } shapes[] = {
        {"PD1|||FAMILY PRACTICE^^A81001", "A81001"},
        {"PD1|||THE SURGERY^^^^^^^^^B82002", "B82002"},
        {"PD1|||A81001", "A81001"},
        {"PD1||||G1234567^Who^Doctor~|", NULL},
        {"PD1||||A81001^Practice", "A81001"},
        {"PD1|||FAMILY PRACTICE^^12345|G1234567", "12345"},
        {"PD1|||FAMILY PRACTICE", NULL},
        {"PD1", NULL},
        {"ZZZ", NULL},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        char text[256];
        (void)snprintf(text, sizeof text, "PID|1||9990000018^^^NHS^NH\r%s", shapes[i].pd1);
        assert_int_equal(read_pid(&read, text), OK);
        if (shapes[i].practice == NULL)
            assert_null(patient_of(&read)->practice.data);
        else
            assert_view(patient_of(&read)->practice, shapes[i].practice);
    }
    read_close(&read);
}

static void characters_that_do_not_decode_are_noted_where_they_are_used(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    static const char head[] = "MSH|^~\\&|PAS|R0A|||20261123100000||ADT^A01|M1|P|2.4||||||UNICODE UTF-8\r";
    char text[512];
    (void)snprintf(text, sizeof text, "%sPID|1||9990000018^^^NHS^NH||Zo\xEB\rPV1|1|I\r", head);
    assert_int_equal(read_text(&read, text), OK);
    assert_view(patient_of(&read)->family_name, "Zo\xEF\xBF\xBD");
    assert_view(item_of(&read, "bad-characters")->at, "MSH-18");
    (void)snprintf(text, sizeof text, "%sPID|1||9990000018^^^NHS^NH||Zoe|\xEB\rPV1|1|I\rNTE|\xEB\r", head);
    assert_int_equal(read_text(&read, text), OK);
    assert_int_equal(read.reading.item_count, 0); /* what we do not use, we do not judge */
    read_close(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_nhs_number_is_known_in_every_shape),
        cmocka_unit_test(a_ten_digit_hospital_number_is_not_an_nhs_number),
        cmocka_unit_test(a_local_number_is_the_senders_whatever_its_local_assigner),
        cmocka_unit_test(another_hospitals_number_is_not_taken),
        cmocka_unit_test(nobody_named_is_refused),
        cmocka_unit_test(an_untrusted_number_is_kept_under_the_local_one_or_refused),
        cmocka_unit_test(a_trusted_number_outweighs_an_untrusted_one),
        cmocka_unit_test(two_different_nhs_numbers_are_no_number),
        cmocka_unit_test(name_birth_and_reliability_are_read),
        cmocka_unit_test(a_bad_day_of_birth_is_noted_and_left_out),
        cmocka_unit_test(the_practice_is_found_in_pd1),
        cmocka_unit_test(characters_that_do_not_decode_are_noted_where_they_are_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
