/* Types, patterns, classes, ids, sameness, and the words of alerts. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/event/care_event.h"
#include "broker/event/limits.h"
#include "broker/event/telling.h"

static void every_type_is_found_by_its_name(void **state)
{
    (void)state;
    for (enum event_type type = TYPE_UNKNOWN + 1; type < EVENT_TYPE_COUNT; type++) {
        struct view name = view_of_text(event_type_facts(type)->name);
        assert_true(name.size > 2);
        assert_true(view_is_text(view_after(name, name.size - 2), "-1"));
        assert_int_equal(event_type_from_name(name), type);
        assert_int_equal(event_type_from_name(view_make(name.data, name.size - 1)), TYPE_UNKNOWN);
    }
    assert_int_equal(event_type_from_name(VIEW("")), TYPE_UNKNOWN);
    assert_int_equal(event_type_from_name(VIEW_NONE), TYPE_UNKNOWN);
    assert_int_equal(event_type_from_name(VIEW("encounter-admitted-1\0")), TYPE_UNKNOWN);
    assert_int_equal(event_type_facts(EVENT_TYPE_COUNT)->how, PUBLISHED_BY_US);
}

/* Care plans, deaths, and the types of A01, A02, A03, A04, A11, A13. */
static void senders_publish_what_the_first_version_takes(void **state)
{
    (void)state;
    static const enum event_type taken[] = {ENCOUNTER_ADMITTED,    ENCOUNTER_ED_ARRIVED, ENCOUNTER_REGISTERED,
                                            ENCOUNTER_TRANSFERRED, ENCOUNTER_DISCHARGED, ENCOUNTER_CANCELLED,
                                            CARE_PLAN_CHANGED,     PATIENT_DIED};
    size_t found = 0, count = sizeof taken / sizeof taken[0];
    for (enum event_type type = TYPE_UNKNOWN + 1; type < EVENT_TYPE_COUNT; type++)
        found += event_type_facts(type)->how == PUBLISHED_BY_SENDERS;
    for (size_t i = 0; i < count; i++)
        assert_int_equal(event_type_facts(taken[i])->how, PUBLISHED_BY_SENDERS);
    assert_int_equal(found, count);
}

static void one_star_stands_for_any_characters(void **state)
{
    (void)state;
    static const struct {
        const char *pattern, *name;
        bool matches;
    } rows[] = {
        {"encounter-*-1", "encounter-admitted-1", true},
        {"encounter-*-1", "encounter-ed-arrived-1", true},
        {"encounter-*-1", "care-plan-changed-1", false},
        {"encounter-*-1", "encounter-1", false}, /* the two ends do not share a hyphen */
        {"encounter-*-1", "encounter--1", true},
        {"encounter-*-1", "encounter-admitted-2", false},
        {"*", "tracer-1", true},
        {"*", "", true},
        {"*-1", "tracer-1", true},
        {"patient-*", "patient-died-1", true},
        {"encounter-admitted-1", "encounter-admitted-1", true},
        {"encounter-admitted-1", "encounter-admitted-11", false},
        {"encounter-admitted", "encounter-admitted-1", false},
        {"", "encounter-admitted-1", false},
        {"Encounter-*", "encounter-admitted-1", false},
        {"encounter-**-1", "encounter-admitted-1", false}, /* only the first is a star */
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (event_type_matches(view_of_text(rows[i].pattern), view_of_text(rows[i].name)) != rows[i].matches)
            fail_msg("%s and %s", rows[i].pattern, rows[i].name);
}

static void classes_have_their_words(void **state)
{
    (void)state;
    for (enum event_class class = CLASS_INPATIENT; class <= CLASS_COMMUNITY; class ++)
        assert_int_equal(event_class_from_name(view_of_text(event_class_name(class))), class);
    assert_null(event_class_name(CLASS_UNKNOWN));
    assert_null(event_class_name(CLASS_COMMUNITY + 1));
    assert_int_equal(event_class_from_name(VIEW("Inpatient")), CLASS_UNKNOWN);
    assert_int_equal(event_class_from_name(VIEW_NONE), CLASS_UNKNOWN);
    assert_string_equal(urgency_name(URGENCY_URGENT), "urgent");
    assert_string_equal(urgency_name(URGENCY_ROUTINE), "routine");
    assert_string_equal(urgency_name(URGENCY_NORMAL), "normal");
}

static void an_id_goes_to_text_and_back(void **state)
{
    (void)state;
    struct event_id id, back;
    char text[EVENT_ID_TEXT_SIZE];
    for (size_t i = 0; i < EVENT_ID_SIZE; i++)
        id.bytes[i] = (uint8_t)(i * 17 + 1);
    assert_int_equal(event_id_to_text(&id, text).size, 36);
    assert_string_equal(text, "01122334-4556-6778-899a-abbccddeef00");
    assert_true(event_id_from_text(view_of_text(text), &back));
    assert_memory_equal(&back, &id, sizeof id);
    static const char *const wrong[] = {"",
                                        "0112233445566778899aabbccddeef00",
                                        "01122334-4556-6778-899a-abbccddeef0",
                                        "01122334-4556-6778-899a-abbccddeef000",
                                        "01122334-4556-6778-899A-ABBCCDDEEF00",
                                        "01122334_4556-6778-899a-abbccddeef00",
                                        "011223344-556-6778-899a-abbccddeef00",
                                        "0112233g-4556-6778-899a-abbccddeef00"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(event_id_from_text(view_of_text(wrong[i]), &back));
    assert_memory_equal(&back, &id, sizeof id);
}

static void the_time_in_an_id_does_not_make_another_message(void **state)
{
    (void)state;
    struct event_id a = {{0x01, 0xA2, 0x08, 0xB5, 0x3C, 0x10, 0x80, 1, 2, 3, 4, 5, 6, 7, 8, 9}}, b = a;
    assert_true(event_id_time_ms(&a) == 0x01A208B53C10);
    b.bytes[0] = 0x7F;
    assert_true(event_id_is_same_message(&a, &b));
    b.bytes[15] ^= 1;
    assert_false(event_id_is_same_message(&a, &b));
    b = a;
    b.bytes[6] ^= 1;
    assert_false(event_id_is_same_message(&a, &b));
}

static void a_counter_wraps_only_in_hl7_and_after_a_day(void **state)
{
    (void)state;
    const int64_t now_ms = 1795428930000;
    assert_int_equal(event_sameness(ORIGIN_HL7, true, now_ms, now_ms + 10 * IDENTITY_WRAP_MS), SAME_MESSAGE);
    assert_int_equal(event_sameness(ORIGIN_CLOUDEVENTS, true, now_ms, now_ms), SAME_MESSAGE);
    assert_int_equal(event_sameness(ORIGIN_HL7, false, now_ms, now_ms), SAME_IDENTITY_OTHER_CONTENT);
    assert_int_equal(event_sameness(ORIGIN_HL7, false, now_ms, now_ms + IDENTITY_WRAP_MS), SAME_IDENTITY_OTHER_CONTENT);
    assert_int_equal(event_sameness(ORIGIN_HL7, false, now_ms, now_ms + IDENTITY_WRAP_MS + 1), NEW_MESSAGE);
    assert_int_equal(event_sameness(ORIGIN_HL7, false, now_ms + IDENTITY_WRAP_MS + 1, now_ms), NEW_MESSAGE);
    assert_int_equal(event_sameness(ORIGIN_CLOUDEVENTS, false, now_ms, now_ms + 10 * IDENTITY_WRAP_MS),
                     SAME_IDENTITY_OTHER_CONTENT);
}

static void roles_are_those_of_the_domain(void **state)
{
    (void)state;
    static const char *const roles[] = {"gp",       "care-home", "community",  "social-care",   "mental-health",
                                        "pharmacy", "ambulance", "palliative", "hospital-team", "carer"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        assert_true(registration_role_is_known(view_of_text(roles[i])));
    assert_false(registration_role_is_known(VIEW("")));
    assert_false(registration_role_is_known(VIEW_NONE));
    assert_false(registration_role_is_known(VIEW("GP")));
    assert_false(registration_role_is_known(VIEW("g")));
}

static void alerts_have_their_words(void **state)
{
    (void)state;
    enum payload payload = PAYLOAD_EMPTY;
    assert_string_equal(alert_kind_name(ALERT_NEW), "new");
    assert_string_equal(alert_kind_name(ALERT_RETRACTION), "retraction");
    assert_string_equal(alert_kind_name(ALERT_WITHHELD), "withheld");
    assert_string_equal(alert_kind_name((enum alert_kind)99), "withheld"); /* what is not known shows nothing */
    for (enum payload each = PAYLOAD_FULL; each <= PAYLOAD_EMPTY; each++) {
        assert_true(payload_from_name(view_of_text(payload_name(each)), &payload));
        assert_int_equal(payload, each);
    }
    assert_false(payload_from_name(VIEW("FULL"), &payload));
    assert_string_equal(payload_name((enum payload)99), "empty");
    assert_string_equal(subscription_status_name(SUBSCRIPTION_ACTIVE), "active");
    assert_string_equal(subscription_status_name((enum subscription_status)99), "ended");
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_type_is_found_by_its_name),
        cmocka_unit_test(senders_publish_what_the_first_version_takes),
        cmocka_unit_test(one_star_stands_for_any_characters),
        cmocka_unit_test(classes_have_their_words),
        cmocka_unit_test(an_id_goes_to_text_and_back),
        cmocka_unit_test(the_time_in_an_id_does_not_make_another_message),
        cmocka_unit_test(a_counter_wraps_only_in_hl7_and_after_a_day),
        cmocka_unit_test(roles_are_those_of_the_domain),
        cmocka_unit_test(alerts_have_their_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
