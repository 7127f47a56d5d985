/* Whole messages in the shapes of real feeds. */
#include "fixture_help.h"

static void read_fixture(struct read_message *read, const char *name, char text[FIXTURE_SIZE])
{
    enum result result = read_bytes(read, fixture_read(name, text));
    if (result != OK)
        fail_msg("%s: %s at %s", name, read->refusal.text, read->refusal.at);
}

static void an_inpatient_is_admitted(void **state)
{
    (void)state;
    struct read_message read;
    char text[FIXTURE_SIZE];
    read_open(&read);
    read_fixture(&read, "a01_inpatient", text);
    const struct event_body *body = &read.result.events[0].body;
    assert_int_equal(read.result.event_count, 1);
    assert_view(read.result.events[0].header.type, "encounter-admitted-1");
    assert_view(body->patient.nhs_number, "9990000018");
    assert_view(body->patient.local_ids[0].value, "654321");
    assert_view(body->patient.family_name, "TESTPATIENT");
    assert_view(body->patient.given_name, "ALBA");
    assert_view(body->patient.birth_date, "1950-02-01");
    assert_view(body->patient.practice, "A81001");
    assert_view(body->patient.reliability, "NSTS01");
    assert_view(body->encounter.spell, "V100001");
    assert_view(body->encounter.site, "R0A02");
    assert_view(body->encounter.consultant_code, "C123");
    assert_view(body->encounter.consultant_name, "DR SAM SAMPLE");
    assert_time(body->happened_at_ms, "2026-11-23T10:15:30.000Z");
    assert_int_equal(read.reading.item_count, 0);
    read_close(&read);
}

static void a_patient_comes_to_the_emergency_department(void **state)
{
    (void)state;
    struct read_message read;
    char text[FIXTURE_SIZE];
    read_open(&read);
    read_fixture(&read, "a04_emergency", text);
    const struct event_body *body = &read.result.events[0].body;
    assert_view(read.result.events[0].header.type, "encounter-ed-arrived-1");
    assert_view(body->patient.nhs_number, "9990000026");
    assert_view(body->patient.local_ids[0].value, "ED77123");
    assert_view(body->patient.family_name, "TESTPATIENT");
    assert_view(body->encounter.site, "Example Hospital");
    assert_view(body->encounter.bed, "BAY 4");
    assert_view(body->encounter.spell, "ED-555");
    assert_time(body->encounter.admitted_at_ms, "2026-11-23T09:25:00.000Z");
    read_close(&read);
}

static void a_patient_moves_to_another_site(void **state)
{
    (void)state;
    struct read_message read;
    char text[FIXTURE_SIZE];
    read_open(&read);
    read_fixture(&read, "a02_other_site", text);
    assert_view(read.result.events[0].header.type, "encounter-transferred-1");
    assert_int_equal(read.result.events[0].header.urgency, URGENCY_NORMAL);
    assert_view(read.result.events[0].body.encounter.ward, "W3");
    assert_view(read.result.events[0].body.encounter.spell, "V100001");
    read_close(&read);
}

static void a_patient_dies_in_hospital(void **state)
{
    (void)state;
    struct read_message read;
    char text[FIXTURE_SIZE];
    read_open(&read);
    read_fixture(&read, "a03_died", text);
    assert_int_equal(read.result.event_count, 2);
    assert_view(read.result.events[0].body.encounter.discharge_method, "4");
    assert_view(read.result.events[0].body.encounter.discharge_destination, "79");
    assert_time(read.result.events[0].body.happened_at_ms, "2026-11-25T10:45:00.000Z");
    assert_view(read.result.events[1].header.type, "patient-died-1");
    assert_time(read.result.events[1].body.died_at_ms, "2026-11-25T10:30:00.000Z");
    assert_non_null(item_of(&read, "missing-nhs-number"));
    read_close(&read);
}

static void both_are_taken_back(void **state)
{
    (void)state;
    struct read_message read;
    char text[FIXTURE_SIZE];
    read_open(&read);
    read_fixture(&read, "a11_cancelled", text);
    assert_view(read.result.events[0].body.cancelled_type, "encounter-admitted-1");
    assert_view(read.result.events[0].body.encounter.spell, "V100001");
    assert_view(read.result.events[0].body.patient.family_name, "TEST*PATIENT");
    read_fixture(&read, "a13_cancelled", text);
    assert_view(read.result.events[0].body.cancelled_type, "encounter-discharged-1");
    assert_view(read.result.events[0].body.encounter.spell, "V100001");
    read_fixture(&read, "oru_results", text);
    assert_int_equal(read.result.event_count, 0);
    read_close(&read);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_inpatient_is_admitted),
        cmocka_unit_test(a_patient_comes_to_the_emergency_department),
        cmocka_unit_test(a_patient_moves_to_another_site),
        cmocka_unit_test(a_patient_dies_in_hospital),
        cmocka_unit_test(both_are_taken_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
