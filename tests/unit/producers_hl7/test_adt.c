/* What messages mean. */
#include "message_help.h"

/* "A03" and its EVN, PID and PV1, sent at 11:00. */
static enum result read_adt(struct read_message *read, const char *trigger, const char *evn, const char *pid,
                            const char *pv1)
{
    char text[2048];
    (void)snprintf(text, sizeof text, "MSH|^~\\&|PAS|R0A|||20261123110000||ADT^%s|M1|P|2.4\r%s\r%s\r%s\r", trigger, evn,
                   pid, pv1);
    return read_text(read, text);
}

/* The segment with these fields, in order of their numbers: {{2, "I"}, {19, "V1"}, {0}}. */
struct field {
    int number;
    const char *text;
};

static const char *segment_make(const char *name, const struct field *fields)
{
    static char text[1024];
    int at = snprintf(text, sizeof text, "%s", name), number = 0;
    for (; fields->number > 0; fields++) {
        for (; number < fields->number; number++)
            text[at++] = '|';
        at += snprintf(text + at, sizeof text - (size_t)at, "%s", fields->text);
    }
    return text;
}

#define PV1(...) segment_make("PV1", (const struct field[]){__VA_ARGS__, {0, NULL}})

#define PID "PID|1||9990000018^^^NHS^NH~654321^^^R0A^MR"
#define EVN "EVN||20261123105900"

static const struct care_event *only_event(const struct read_message *read)
{
    assert_int_equal(read->result.event_count, 1);
    assert_int_equal(read->result.events[0].header.count, 1);
    return &read->result.events[0];
}

static void an_admission_is_read_whole(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A01", EVN, PID,
                              PV1({2, "I"}, {3, "W12^1^3^R0A02"}, {9, "C123^Smith^Jane^^^Dr~C124"},
                                  {19, "V123^^^visit"}, {44, "20261123101530"})),
                     OK);
    const struct care_event *event = only_event(&read);
    assert_view(event->header.type, "encounter-admitted-1");
    assert_view(event->header.publisher, "R0A");
    assert_view(event->header.organisation, "R0A");
    assert_int_equal(event->header.class, CLASS_INPATIENT);
    assert_int_equal(event->header.urgency, URGENCY_NORMAL);
    assert_int_equal(event->header.origin, ORIGIN_HL7);
    const struct encounter *stay = &event->body.encounter;
    assert_true(event->body.has_encounter);
    assert_view(stay->spell, "V123");
    assert_view(stay->organisation, "R0A");
    assert_view(stay->site, "R0A02");
    assert_view(stay->ward, "W12");
    assert_view(stay->room, "1");
    assert_view(stay->bed, "3");
    assert_view(stay->consultant_code, "C123");
    assert_view(stay->consultant_name, "Dr Jane Smith");
    assert_int_equal(stay->class, CLASS_INPATIENT);
    assert_time(stay->admitted_at_ms, "2026-11-23T10:15:30.000Z");
    assert_time(event->body.happened_at_ms, "2026-11-23T10:15:30.000Z");
    assert_int_equal(stay->discharged_at_ms, 0);
    assert_view(event->body.trigger, "A01");
    assert_view(event->body.message_source, "PAS");
    assert_view(event->body.message_id, "M1");
    assert_view(event->body.patient.nhs_number, "9990000018");
    assert_null(event->body.cancels.data);
    assert_null(event->body.cancelled_type.data);
    assert_int_equal(read.reading.item_count, 0);
    read_close(&read);
}

static void the_consultant_is_pv1_7_else_pv1_9(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A01", EVN, PID, "PV1|1|I|W||||C123^Smith^Jane^^^Dr~C124||C9^Other"), OK);
    assert_view(only_event(&read)->body.encounter.consultant_code, "C123");
    assert_view(only_event(&read)->body.encounter.consultant_name, "Dr Jane Smith");
    assert_int_equal(read_adt(&read, "A01", EVN, PID, "PV1|1|I|W||||^^||C9^Other"), OK);
    assert_view(only_event(&read)->body.encounter.consultant_code, "C9");
    assert_view(only_event(&read)->body.encounter.consultant_name, "Other");
    assert_int_equal(read_adt(&read, "A01", EVN, PID, "PV1|1|I|\"\"^^\"\""), OK);
    assert_null(only_event(&read)->body.encounter.consultant_code.data);
    assert_non_null(only_event(&read)->body.encounter.ward.data); /* said to be none */
    assert_int_equal(only_event(&read)->body.encounter.ward.size, 0);
    assert_null(only_event(&read)->body.encounter.room.data); /* not said */
    read_close(&read);
}

static void classes_are_read_alike(void **state)
{
    (void)state;
    static const struct {
        const char *code;
        enum event_class class;
    } classes[] = {{"I", CLASS_INPATIENT},  {"B", CLASS_INPATIENT},  {"D", CLASS_DAY_CASE},   {"E", CLASS_EMERGENCY},
                   {"O", CLASS_OUTPATIENT}, {"P", CLASS_OUTPATIENT}, {"R", CLASS_OUTPATIENT}, {"U", CLASS_OUTPATIENT},
                   {"", CLASS_UNKNOWN},     {"\"\"", CLASS_UNKNOWN}};
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++) {
        char pv1[64];
        (void)snprintf(pv1, sizeof pv1, "PV1|1|%s|W", classes[i].code);
        assert_int_equal(read_adt(&read, "A01", EVN, PID, pv1), OK);
        assert_int_equal(only_event(&read)->header.class, classes[i].class);
        assert_int_equal(only_event(&read)->body.encounter.class, classes[i].class);
    }
    read_close(&read);
}

static void a_registration_in_emergency_is_an_arrival(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A04", EVN, PID, "PV1|1|E|ED"), OK);
    assert_view(only_event(&read)->header.type, "encounter-ed-arrived-1");
    assert_int_equal(read_adt(&read, "A04", EVN, PID, "PV1|1|O|CLINIC"), OK);
    assert_view(only_event(&read)->header.type, "encounter-registered-1");
    assert_int_equal(read_adt(&read, "A01", EVN, PID, "PV1|1|E|ED"), OK);
    assert_view(only_event(&read)->header.type, "encounter-admitted-1");
    read_close(&read);
}

static void a_transfer_within_the_site_is_routine(void **state)
{
    (void)state;
    static const struct {
        const char *pv1;
        enum urgency urgency;
    } transfers[] = {
        {"PV1|1|I|W2^^^R0A02|||W1^^^R0A02", URGENCY_ROUTINE},
        {"PV1|1|I|W2^^^R0A03|||W1^^^R0A02", URGENCY_NORMAL},
        {"PV1|1|I|W2|||W1^^^R0A02", URGENCY_ROUTINE},
        {"PV1|1|I|W2^^^R0A03|||W1", URGENCY_ROUTINE},
        {"PV1|1|I|W2^^^R0A03", URGENCY_ROUTINE},
        {"PV1|1|I|W2^^^R0A03&x|||W1^^^R0A03", URGENCY_ROUTINE},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof transfers / sizeof transfers[0]; i++) {
        assert_int_equal(read_adt(&read, "A02", EVN, PID, transfers[i].pv1), OK);
        assert_view(only_event(&read)->header.type, "encounter-transferred-1");
        assert_view(only_event(&read)->body.encounter.ward, "W2");
        assert_int_equal(only_event(&read)->header.urgency, transfers[i].urgency);
        assert_time(only_event(&read)->body.happened_at_ms, "2026-11-23T10:59:00.000Z");
    }
    read_close(&read);
}

static const char *discharge_pv1(const char *method)
{
    return PV1({2, "I"}, {3, "W"}, {19, "V1"}, {36, method}, {37, "19^x"}, {44, "20261120090000"},
               {45, "20261123103000"});
}

static void a_discharge_tells_how_and_where_to(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A03", EVN, PID, discharge_pv1("1")), OK);
    const struct care_event *event = only_event(&read);
    assert_view(event->header.type, "encounter-discharged-1");
    assert_time(event->body.happened_at_ms, "2026-11-23T10:30:00.000Z");
    assert_time(event->body.encounter.discharged_at_ms, "2026-11-23T10:30:00.000Z");
    assert_time(event->body.encounter.admitted_at_ms, "2026-11-20T09:00:00.000Z");
    assert_view(event->body.encounter.discharge_method, "1");
    assert_view(event->body.encounter.discharge_destination, "19");
    assert_int_equal(event->header.urgency, URGENCY_NORMAL);
    read_close(&read);
}

static void self_discharge_is_urgent(void **state)
{
    (void)state;
    static const char *const methods[] = {"2", "6", "7"};
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(read_adt(&read, "A03", EVN, PID, discharge_pv1(methods[i])), OK);
        assert_int_equal(only_event(&read)->header.urgency, URGENCY_URGENT);
    }
    assert_int_equal(read_adt(&read, "A03", EVN, PID, discharge_pv1("3")), OK);
    assert_int_equal(only_event(&read)->header.urgency, URGENCY_NORMAL);
    read_close(&read);
}

static void a_discharge_by_death_is_two_events(void **state)
{
    (void)state;
    static const struct {
        const char *method, *died, *indicator, *died_at;
    } deaths[] = {
        {"4", "", "", "2026-11-23T10:30:00.000Z"},
        {"5", "", "N", "2026-11-23T10:30:00.000Z"},
        {"1", "20261123100100", "Y", "2026-11-23T10:01:00.000Z"},
        {"4", "soon", "Y", "2026-11-23T10:30:00.000Z"},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof deaths / sizeof deaths[0]; i++) {
        char pid[256];
        const struct field fields[] = {
            {3, "9990000018^^^NHS^NH"}, {29, deaths[i].died}, {30, deaths[i].indicator}, {0, NULL}};
        (void)snprintf(pid, sizeof pid, "%s", segment_make("PID", fields));
        assert_int_equal(read_adt(&read, "A03", EVN, pid, discharge_pv1(deaths[i].method)), OK);
        assert_int_equal(read.result.event_count, 2);
        const struct care_event *discharge = &read.result.events[0], *death = &read.result.events[1];
        assert_view(discharge->header.type, "encounter-discharged-1");
        assert_view(death->header.type, "patient-died-1");
        assert_int_equal(discharge->header.index, 0);
        assert_int_equal(death->header.index, 1);
        assert_int_equal(discharge->header.count, 2);
        assert_int_equal(death->header.count, 2);
        assert_int_equal(discharge->body.died_at_ms, 0);
        assert_time(death->body.died_at_ms, deaths[i].died_at);
        assert_time(death->body.happened_at_ms, deaths[i].died_at);
        assert_view(death->body.encounter.spell, "V1"); /* what its A13 finds it by */
        assert_view(death->body.patient.nhs_number, "9990000018");
    }
    assert_view(item_of(&read, "bad-time")->at, "PID-29");
    read_close(&read);
}

static void a_cancellation_names_the_kind_of_event_it_takes_back(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A11", EVN, PID, discharge_pv1("")), OK);
    const struct care_event *event = only_event(&read);
    assert_view(event->header.type, "encounter-cancelled-1");
    assert_view(event->body.cancelled_type, "encounter-admitted-1");
    assert_null(event->body.cancels.data);
    assert_view(event->body.encounter.spell, "V1");
    assert_view(event->body.trigger, "A11");
    assert_time(event->body.happened_at_ms, "2026-11-23T10:59:00.000Z");
    assert_int_equal(event->body.encounter.discharged_at_ms, 0);
    assert_int_equal(read_adt(&read, "A13", EVN, PID, discharge_pv1("4")), OK);
    event = only_event(&read); /* one: the discharge, and the death that it told */
    assert_view(event->header.type, "encounter-cancelled-1");
    assert_view(event->body.cancelled_type, "encounter-discharged-1");
    read_close(&read);
}

static void other_messages_are_accepted_and_give_no_event(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "MSH|^~\\&|PAS|R0A|||20261123110000||ORU^R01|M1|P|2.3\rPID|1\rPID|2\rOBX|1||||\r",
        "MSH|^~\\&|PAS|R0A|||20261123110000||ADT^A08|M1|P|2.3\r",
        "MSH|^~\\&|PAS|R0A|||20261123110000||ADT^A99|M1|P|2.3\rPV1|1|I\r",
        "MSH|^~\\&|PAS|R0A|||||ZZZ|M1|P\r",
        "MSH|^~\\&|PAS|R0A|||||MDM^T02^MDM_T02|M1|P\r",
        "MSH|^~\\&|PAS|R0A|||||ORU^A01|M1|P\r",
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        assert_int_equal(read_text(&read, texts[i]), OK);
        assert_int_equal(read.result.event_count, 0);
        assert_int_equal(read.reading.item_count, 0);
    }
    read_close(&read);
}

static void missing_and_repeated_segments_are_refused(void **state)
{
    (void)state;
    static const struct {
        const char *pid, *pv1, *at;
    } bad[] = {
        {"ZZZ", "PV1|1|I", "PID"},
        {PID, "ZZZ", "PV1"},
        {PID "\r" PID, "PV1|1|I", "PID"},
        {PID, "PV1|1|I\rPV1|2|I", "PV1"},
    };
    struct read_message read;
    read_open(&read);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(read_adt(&read, "A01", EVN, bad[i].pid, bad[i].pv1), REJECTED);
        assert_string_equal(read.refusal.at, bad[i].at);
        assert_string_equal(read.refusal.code, "100");
        assert_false(read.refusal.again);
    }
    assert_int_equal(read_adt(&read, "A01", "ZZZ", PID, "PV1|1|I"), OK); /* EVN is optional */
    assert_time(only_event(&read)->body.happened_at_ms, "2026-11-23T11:00:00.000Z");
    read_close(&read);
}

static void a_time_that_cannot_be_read_falls_back_and_is_noted(void **state)
{
    (void)state;
    char pv1[128];
    (void)snprintf(pv1, sizeof pv1, "%s", PV1({2, "I"}, {19, "V1"}, {44, "not a time"}));
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A01", "EVN||20261123105900||||20261123105800", PID, pv1), OK);
    assert_time(only_event(&read)->body.happened_at_ms, "2026-11-23T10:58:00.000Z");
    assert_view(item_of(&read, "bad-time")->at, "PV1-44");
    assert_int_equal(read_adt(&read, "A01", "EVN||20261123105900||||20269923105800", PID, pv1), OK);
    assert_time(only_event(&read)->body.happened_at_ms, "2026-11-23T10:59:00.000Z");
    assert_int_equal(read.reading.item_count, 2);
    assert_int_equal(read_adt(&read, "A01", "EVN||x||||y", PID, pv1), OK);
    assert_time(only_event(&read)->body.happened_at_ms, "2026-11-23T11:00:00.000Z");
    assert_int_equal(read.reading.item_count, 3);
    read_close(&read);
}

static void no_time_at_all_is_refused(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    char text[512];
    (void)snprintf(text, sizeof text, "MSH|^~\\&|PAS|R0A|||bad||ADT^A03|M1|P|2.4\rEVN||bad\r%s\r%s\r", PID,
                   PV1({2, "I"}, {3, "W"}, {19, "V1"}, {45, "bad"}));
    assert_int_equal(read_text(&read, text), REJECTED);
    assert_string_equal(read.refusal.at, "PV1-45");
    assert_string_equal(read.refusal.code, "102");
    assert_int_equal(read_text(&read, "MSH|^~\\&|PAS|R0A|||||ADT^A02|M1|P|2.4\r" PID "\rPV1|1|I|W\r"), REJECTED);
    assert_string_equal(read.refusal.at, "MSH-7");
    assert_string_equal(read.refusal.code, "102");
    read_close(&read);
}

static void a_spell_that_is_missing_is_left_out_and_one_too_long_refused(void **state)
{
    (void)state;
    struct read_message read;
    read_open(&read);
    assert_int_equal(read_adt(&read, "A01", EVN, PID, PV1({2, "I"}, {19, "\"\""})), OK);
    assert_null(only_event(&read)->body.encounter.spell.data);
    char spell[256];
    (void)snprintf(spell, sizeof spell, "%0200d", 7);
    assert_int_equal(read_adt(&read, "A01", EVN, PID, PV1({2, "I"}, {19, spell})), REJECTED);
    assert_string_equal(read.refusal.at, "PV1-19");
    assert_string_equal(read.refusal.code, "102");
    read_close(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admission_is_read_whole),
        cmocka_unit_test(the_consultant_is_pv1_7_else_pv1_9),
        cmocka_unit_test(classes_are_read_alike),
        cmocka_unit_test(a_registration_in_emergency_is_an_arrival),
        cmocka_unit_test(a_transfer_within_the_site_is_routine),
        cmocka_unit_test(a_discharge_tells_how_and_where_to),
        cmocka_unit_test(self_discharge_is_urgent),
        cmocka_unit_test(a_discharge_by_death_is_two_events),
        cmocka_unit_test(a_cancellation_names_the_kind_of_event_it_takes_back),
        cmocka_unit_test(other_messages_are_accepted_and_give_no_event),
        cmocka_unit_test(missing_and_repeated_segments_are_refused),
        cmocka_unit_test(a_time_that_cannot_be_read_falls_back_and_is_noted),
        cmocka_unit_test(no_time_at_all_is_refused),
        cmocka_unit_test(a_spell_that_is_missing_is_left_out_and_one_too_long_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
