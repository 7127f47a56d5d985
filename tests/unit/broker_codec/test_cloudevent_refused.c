/* What CloudEvents 1.0.2, interface.md and the domain forbid: each with one defined answer, named by its place. */
#include "cloudevent_samples.h"

#include "broker/event/limits.h"

struct row {
    const char *text, *at, *why;
};

static void refuse_all(const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++)
        assert_refused(view_of_text(rows[i].text), rows[i].at, rows[i].why);
}
#define REFUSE_ALL(rows) refuse_all((rows), sizeof(rows) / sizeof(rows)[0])

#define DATA        "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\"}}}"
#define WITH        "{" HEAD ADMITTED DATA
#define V           "\"specversion\":\"1.0\","
#define ID          "\"id\":\"m-1\","
#define SRC         "\"source\":\"urn:x\","
#define TIME        "\"time\":\"2026-11-23T10:15:30.000Z\","
#define ONE(member) "{" HEAD ADMITTED member "," DATA

static void an_attribute_that_is_missing_is_named(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{" ID SRC TIME ADMITTED DATA, "specversion", "is required"},
        {"{" V SRC TIME ADMITTED DATA, "id", "is required"},
        {"{" V ID TIME ADMITTED DATA, "source", "is required"},
        {"{" V ID SRC ADMITTED DATA, "time", "is required"},
        {"{" HEAD DATA, "type", "is required"},
        {"{}", "specversion", "is required"},
        {"{}", "id", "is required"},
        {"{}", "type", "is required"},
    };
    REFUSE_ALL(rows);
}

static void an_attribute_of_another_kind_is_named(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {"{\"specversion\":1.0," ID SRC TIME ADMITTED DATA, "specversion", "is not a text"},
        {"{\"specversion\":\"0.3\"," ID SRC TIME ADMITTED DATA, "specversion", "is not 1.0"},
        {"{\"specversion\":\"1.0.2\"," ID SRC TIME ADMITTED DATA, "specversion", "is not 1.0"},
        {"{" V "\"id\":1," SRC TIME ADMITTED DATA, "id", "is not a text"},
        {"{" V "\"id\":\"\"," SRC TIME ADMITTED DATA, "id", "is empty"},
        {"{" V "\"id\":null," SRC TIME ADMITTED DATA, "id", "is null"},
        {"{" V "\"id\":[\"x\"]," SRC TIME ADMITTED DATA, "id", "is not a text"},
        {"{" V "\"id\":\"a\\nb\"," SRC TIME ADMITTED DATA, "id", "has a control character"},
        {"{" V "\"id\":\"a\\u0085b\"," SRC TIME ADMITTED DATA, "id", "has a control character"},
        {"{" V "\"id\":\"a\\u007f\"," SRC TIME ADMITTED DATA, "id", "has a control character"},
        {"{" V "\"id\":\"\\uFFFE\"," SRC TIME ADMITTED DATA, "id", "has a code point"},
        {"{" V "\"id\":\"\\uFDD0\"," SRC TIME ADMITTED DATA, "id", "has a code point"},
        {"{" V "\"id\":\"\\uD83F\\uDFFF\"," SRC TIME ADMITTED DATA, "id", "has a code point"},
        {"{" V ID "\"source\":\"\"," TIME ADMITTED DATA, "source", "is empty"},
        {"{" V ID "\"source\":\"a b\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" V ID "\"source\":\"caf\xC3\xA9\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" V ID "\"source\":\"a%2\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" V ID "\"source\":\"a%zz\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" V ID "\"source\":\"a#b#c\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" V ID "\"source\":\"<x>\"," TIME ADMITTED DATA, "source", "is not a URI"},
        {"{" HEAD "\"type\":\"encounter-admitted-2\"," DATA, "type", "is not an event type"},
        {"{" HEAD "\"type\":\"Encounter-Admitted-1\"," DATA, "type", "is not an event type"},
        {"{" HEAD "\"type\":null," DATA, "type", "is null"},
        {"{" HEAD "\"type\":{}," DATA, "type", "is not a text"},
    };
    REFUSE_ALL(rows);
}

static void a_time_that_is_none_is_refused(void **state)
{
    (void)state;
    static const char *const times[] = {"\"2026-11-23\"",
                                        "\"2026-11-23T10:15:30\"",
                                        "\"2026-11-23 10:15:30Z\"",
                                        "\"2026-11-23T10:15Z\"",
                                        "\"2026-11-23T10:15:30+0100\"",
                                        "\"2026-11-23T10:15:30.Z\"",
                                        "\"2026-02-29T10:15:30Z\"",
                                        "\"2026-13-01T10:15:30Z\"",
                                        "\"2026-11-23T24:00:00Z\"",
                                        "\"2026-11-23T10:15:30Z \"",
                                        "\"26-11-23T10:15:30Z\"",
                                        "\"1969-12-31T23:59:59Z\"",
                                        "\"1970-01-01T00:00:00Z\"",
                                        "\"\"",
                                        "1795428930000",
                                        "null"};
    for (size_t i = 0; i < sizeof times / sizeof times[0]; i++) {
        char text[512];
        (void)snprintf(text, sizeof text, "{" V ID SRC "\"time\":%s," ADMITTED DATA, times[i]);
        assert_refused(view_of_text(text), "time", "is ");
    }
}

static void what_is_no_attribute_of_ours_is_named(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ONE("\"comexampleextension\":\"x\""), "comexampleextension", "is not known here"},
        {ONE("\"data_base64\":\"eA==\""), "data_base64", "is not known here"},
        {ONE("\"dataschema\":\"urn:x\""), "dataschema", "is not known here"},
        {ONE("\"ID\":\"x\""), "ID", "is not known here"},
        {ONE("\"\":\"x\""), "?", "is not known here"},
        {ONE("\"9990000018\":\"x\""), "?", "is not known here"},
        {ONE("\"x\":null"), "x", "is not known here"},
        {ONE("\"datacontenttype\":\"text/plain\""), "datacontenttype", "is not JSON"},
        {ONE("\"datacontenttype\":\"application/jsonx\""), "datacontenttype", "is not JSON"},
        {ONE("\"datacontenttype\":\"\""), "datacontenttype", "is empty"},
        {ONE("\"datacontenttype\":null"), "datacontenttype", "is null"},
        {ONE("\"subject\":null"), "subject", "is null"},
        {ONE("\"subject\":\"\""), "subject", "is empty"},
        {ONE("\"subject\":\"  \""), "subject", "is not an NHS number"},
        {ONE("\"subject\":9990000018"), "subject", "is not a text"},
        {ONE("\"subject\":{\"nhsNumber\":\"9990000018\"}"), "subject", "is not a text"},
        {ONE("\"dataref\":7"), "dataref", "is not a text"},
        {ONE("\"dataref\":\"\""), "dataref", "is empty"},
        {ONE("\"dataref\":\"a b\""), "dataref", "is not a URI"},
        {ONE("\"versionid\":12"), "versionid", "is not a text"},
        {ONE("\"versionid\":null"), "versionid", "is null"},
        {ONE("\"filtering\":\"x\""), "filtering", "is not an object"},
        {ONE("\"filtering\":[]"), "filtering", "is not an object"},
        {ONE("\"filtering\":null"), "filtering", "is null"},
        {ONE("\"filtering\":{\"a\":null}"), "filtering", "has a member"},
        {ONE("\"filtering\":{\"a\":{}}"), "filtering", "has a member"},
        {ONE("\"filtering\":{\"a\":[1.5]}"), "filtering", "has a member"},
        {ONE("\"filtering\":{\"a\":[true]}"), "filtering", "has a member"},
        {ONE("\"filtering\":{\"a\":[[1]]}"), "filtering", "has a member"},
        {ONE("\"traceparent\":\"00-x\""), "traceparent", "is not a W3C"},
        {ONE("\"traceparent\":\"00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01\""), "traceparent", "is not a"},
        {ONE("\"tracestate\":1"), "tracestate", "is not a text"},
    };
    REFUSE_ALL(rows);
}

static void types_that_senders_do_not_send_are_refused(void **state)
{
    (void)state;
    for (enum event_type type = TYPE_UNKNOWN + 1; type < EVENT_TYPE_COUNT; type++) {
        const struct event_type_facts *facts = event_type_facts(type);
        const char *why = facts->how == PUBLISHED_LATER      ? "is not taken yet"
                          : facts->how == PUBLISHED_BY_ROUTE ? "is made by its own route"
                                                             : "is derived";
        char text[512];
        (void)snprintf(text, sizeof text, "{" HEAD "\"type\":\"%s\"," DATA, facts->name);
        if (facts->how != PUBLISHED_BY_SENDERS)
            assert_refused(view_of_text(text), "type", why);
    }
}

#define AS(type, data)            "{" HEAD "\"type\":\"" type "\",\"data\":" data "}"
#define ADMIT(patient, encounter) AS("encounter-admitted-1", "{\"patient\":" patient ",\"encounter\":" encounter "}")
#define P                         "{\"nhsNumber\":\"9990000018\"}"
#define E                         "{\"spell\":\"V1\"}"

static void each_type_wants_its_own(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {AS("encounter-admitted-1", "{" PATIENT "}"), "data/encounter", "is required"},
        {ADMIT(P, "{}"), "data/encounter/spell", "is required"},
        {AS("encounter-ed-arrived-1", "{" PATIENT "}"), "data/encounter", "is required"},
        {AS("encounter-registered-1", "{" PATIENT "}"), "data/encounter", "is required"},
        {AS("encounter-transferred-1", "{" PATIENT "}"), "data/encounter", "is required"},
        {AS("encounter-discharged-1", "{" PATIENT ",\"encounter\":{}}"), "data/encounter/spell", "is required"},
        {AS("care-plan-changed-1", "{" PATIENT "}"), "data/carePlan", "is required"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":null}"), "data/carePlan", "is null"},
        {AS("encounter-cancelled-1", "{" PATIENT "}"), "data/cancels", "is required"},
        {AS("encounter-cancelled-1", "{" PATIENT ",\"cancels\":\"m-1\"}"), "data/cancels", "is this event's own"},
        {AS("encounter-cancelled-1", "{\"cancels\":\"m-0\"}"), "data/patient", "says nobody"},
        {AS("encounter-admitted-1", "{" PATIENT ",\"encounter\":" E ",\"cancels\":\"m-0\"}"), "data/cancels",
         "is not known here"},
        {AS("encounter-admitted-1", "{" PATIENT ",\"encounter\":" E ",\"diedAt\":\"2026-11-22T00:00:00Z\"}"),
         "data/diedAt", "is not known here"},
        {AS("patient-died-1", "{" PATIENT ",\"diedAt\":\"2026-11-22\"}"), "data/diedAt", "is not an RFC 3339"},
        {AS("patient-died-1", "{}"), "data/patient", "says nobody"},
        {AS("patient-died-1", "null"), "data", "is not an object"},
        {AS("patient-died-1", "[]"), "data", "is not an object"},
        {AS("patient-died-1", "\"x\""), "data", "is not an object"},
    };
    REFUSE_ALL(rows);
}

static void a_patient_who_is_nobody_or_two_is_refused(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ADMIT("{}", E), "data/patient", "says nobody"},
        {ADMIT("{\"familyName\":\"X\"}", E), "data/patient", "says nobody"},
        {ADMIT("{\"localIds\":[]}", E), "data/patient", "says nobody"},
        {ADMIT("{\"nhsNumber\":\"9990000019\"}", E), "data/patient", "says nobody: the NHS number fails"},
        {ADMIT("{\"nhsNumber\":\"999000001\"}", E), "data/patient", "says nobody"},
        {ADMIT("{\"nhsNumber\":9990000018}", E), "data/patient/nhsNumber", "is not a text"},
        {ADMIT("{\"nhsNumber\":\"\"}", E), "data/patient/nhsNumber", "is empty"},
        {ADMIT("null", E), "data/patient", "is null"},
        {ADMIT("[]", E), "data/patient", "is not an object"},
        {ADMIT("{\"nhsnumber\":\"9990000018\"}", E), "data/patient/nhsnumber", "is not known here"},
        {ADMIT("{\"localIds\":{}}", E), "data/patient/localIds", "is not a list"},
        {ADMIT("{\"localIds\":[\"7\"]}", E), "data/patient/localIds/0", "is not an object"},
        {ADMIT("{\"localIds\":[{}]}", E), "data/patient/localIds/0/value", "is required"},
        {ADMIT("{\"localIds\":[{\"value\":\"\"}]}", E), "data/patient/localIds/0/value", "is empty"},
        {ADMIT("{\"localIds\":[{\"value\":\"7\"},{\"value\":7}]}", E), "data/patient/localIds/1/value",
         "is not a text"},
        {ADMIT("{\"localIds\":[{\"value\":\"7\",\"assigner\":\"\"}]}", E), "data/patient/localIds/0/assigner",
         "is empty"},
        {ADMIT("{\"localIds\":[{\"value\":\"7\",\"assigner\":\"r0a\"}]}", E), "data/patient/localIds/0/assigner",
         "is not an ODS"},
        {ADMIT("{\"localIds\":[{\"value\":\"7\",\"system\":\"x\"}]}", E), "data/patient/localIds/0/system",
         "is not known"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"birthDate\":\"1950\"}", E), "data/patient/birthDate", "is not a date"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"birthDate\":\"1951-02-29\"}", E), "data/patient/birthDate", "is not a"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"birthDate\":\"1950-02-01T00:00:00Z\"}", E), "data/patient/birthDate",
         "is not a date"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"practice\":\"A8\"}", E), "data/patient/practice", "is not an ODS"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"practice\":\"A8100123456\"}", E), "data/patient/practice", "is not an"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"familyName\":null}", E), "data/patient/familyName", "is null"},
        {ADMIT("{\"nhsNumber\":\"9990000018\",\"givenName\":[\"A\"]}", E), "data/patient/givenName", "is not a text"},
        {"{" HEAD ADMITTED "\"subject\":\"9990000026\"," DATA, "data/patient/nhsNumber", "is not the one in subject"},
        {"{" HEAD ADMITTED "\"subject\":\"9990000019\"," DATA, "data/patient/nhsNumber", "is not the one in subject"},
        {"{" HEAD ADMITTED "\"subject\":\"9990000019\",\"data\":{\"encounter\":" E "}}", "data/patient", "says nobody"},
    };
    REFUSE_ALL(rows);
}

static void a_misspelt_or_wrong_member_is_named_with_its_path(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {ADMIT(P, "{\"spell\":7}"), "data/encounter/spell", "is not a text"},
        {ADMIT(P, "{\"spell\":\"\"}"), "data/encounter/spell", "is empty"},
        {ADMIT(P, "{\"spell\":\"V1\",\"class\":\"I\"}"), "data/encounter/class", "is not inpatient"},
        {ADMIT(P, "{\"spell\":\"V1\",\"class\":\"\"}"), "data/encounter/class", "is empty"},
        {ADMIT(P, "{\"spell\":\"V1\",\"class\":null}"), "data/encounter/class", "is null"},
        {ADMIT(P, "{\"spell\":\"V1\",\"organisation\":\"R0A-1\"}"), "data/encounter/organisation", "is not an ODS"},
        {ADMIT(P, "{\"spell\":\"V1\",\"Ward\":\"W\"}"), "data/encounter/Ward", "is not known here"},
        {ADMIT(P, "{\"spell\":\"V1\",\"ward\":{\"code\":\"W\"}}"), "data/encounter/ward", "is not a text"},
        {ADMIT(P, "{\"spell\":\"V1\",\"bed\":3}"), "data/encounter/bed", "is not a text"},
        {ADMIT(P, "{\"spell\":\"V1\",\"consultant\":\"C123\"}"), "data/encounter/consultant", "is not an object"},
        {ADMIT(P, "{\"spell\":\"V1\",\"consultant\":{\"gmc\":\"1\"}}"), "data/encounter/consultant/gmc",
         "is not known"},
        {ADMIT(P, "{\"spell\":\"V1\",\"admittedAt\":\"yesterday\"}"), "data/encounter/admittedAt",
         "is not an RFC 3339"},
        {ADMIT(P, "{\"spell\":\"V1\",\"admittedAt\":\"1970-01-01T00:00:00Z\"}"), "data/encounter/admittedAt", "is the"},
        {ADMIT(P, "{\"spell\":\"V1\",\"dischargeMethod\":2}"), "data/encounter/dischargeMethod", "is not a text"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":[]}"), "data/carePlan", "is not an object"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{\"name\":\"x\"}}"), "data/carePlan/name",
         "is not known"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{\"link\":\"a b\"}}"), "data/carePlan/link",
         "is not a URI"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{},\"document\":{\"createdAt\":1}}"),
         "data/document/createdAt", "is not a text"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{},\"document\":{\"text\":\"x\"}}"), "data/document/text",
         "is not known here"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{},\"flag\":{}}"), "data/flag", "is not known here"},
        {AS("care-plan-changed-1", "{" PATIENT ",\"carePlan\":{},\"registration\":{}}"), "data/registration",
         "is not known here"},
    };
    REFUSE_ALL(rows);
}

static struct view long_text(struct buffer *text, const char *before, size_t count, const char *character,
                             const char *after)
{
    buffer_clear(text);
    buffer_add_text(text, before);
    for (size_t i = 0; i < count; i++)
        buffer_add_text(text, character);
    buffer_add_text(text, after);
    return buffer_view(text);
}

static void lengths_are_counted_in_characters(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct arena arena = {0};
    struct cloudevent event;
    struct problems problems;
    static const char before[] = "{" V SRC TIME ADMITTED DATA;
    char head[256];
    (void)snprintf(head, sizeof head, "%.*s,\"id\":\"", (int)sizeof before - 2, before);
    struct view right = long_text(&text, head, LIMIT_ID_CHARACTERS, "\xC3\xA9", "\"}");
    assert_int_equal(cloudevent_read(right, &arena, &event, &problems), OK);
    assert_int_equal(event.id.size, 2 * LIMIT_ID_CHARACTERS);
    assert_refused(long_text(&text, head, LIMIT_ID_CHARACTERS + 1, "\xC3\xA9", "\"}"), "id", "is too long");
    static const char ward[] = "{" HEAD ADMITTED "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\",\"ward\":\"";
    assert_int_equal(
        cloudevent_read(long_text(&text, ward, LIMIT_TEXT_CHARACTERS, "x", "\"}}}"), &arena, &event, &problems), OK);
    assert_refused(long_text(&text, ward, LIMIT_TEXT_CHARACTERS + 1, "x", "\"}}}"), "data/encounter/ward",
                   "is too long");
    static const char ids[] =
        "{" HEAD ADMITTED "\"data\":{\"encounter\":{\"spell\":\"V1\"},\"patient\":{\"localIds\":[{"
        "\"value\":\"1\"}";
    assert_int_equal(cloudevent_read(long_text(&text, ids, LIMIT_LOCAL_IDS - 1, ",{\"value\":\"1\"}", "]}}}"), &arena,
                                     &event, &problems),
                     OK);
    assert_int_equal(event.event.body.patient.local_id_count, LIMIT_LOCAL_IDS);
    assert_refused(long_text(&text, ids, LIMIT_LOCAL_IDS, ",{\"value\":\"1\"}", "]}}}"), "data/patient/localIds",
                   "is not a list of at most");
    buffer_destroy(&text);
    arena_destroy(&arena);
}

static void no_reason_quotes_what_was_sent(void **state)
{
    (void)state;
    static const char *const rows[] = {
        ADMIT("{\"nhsNumber\":\"9990000019\"}", E),  "{" HEAD ADMITTED "\"subject\":\"9990000026\"," DATA,
        ADMIT(P, "{\"spell\":\"V1\",\"999000\":1}"), "{\"subject\":\"9990000018\" 9990000018}",
        "{\"9990000018\":1,\"9990000018\":2}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct cloudevent event;
        struct problems problems;
        assert_int_equal(read_event(rows[i], &arena, &event, &problems), REJECTED);
        for (size_t at = 0; at < problems.count; at++) {
            assert_null(strstr(problems.list[at].at, "999"));
            assert_null(strstr(problems.list[at].why, "999"));
        }
        arena_destroy(&arena);
    }
}

static void problems_beyond_the_list_are_dropped(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct arena arena = {0};
    struct cloudevent event;
    struct problems problems;
    buffer_add_text(&text, "{\"a\":1");
    for (int i = 0; i < 100; i++)
        buffer_add_format(&text, ",\"member%d\":1", i);
    buffer_add_text(&text, "}");
    assert_int_equal(cloudevent_read(buffer_view(&text), &arena, &event, &problems), REJECTED);
    assert_int_equal(problems.count, PROBLEM_LIMIT);
    buffer_destroy(&text);
    arena_destroy(&arena);
}

static void what_is_right_beside_all_these_is_taken(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken(WITH, &arena, &event);
    assert_taken(ADMIT(P, E), &arena, &event);
    assert_taken(ONE("\"datacontenttype\":\"application/vnd.x+json; charset=utf-8\""), &arena, &event);
    assert_taken(ONE("\"filtering\":{}"), &arena, &event);
    assert_taken(ONE("\"filtering\":{\"a\":[],\"b\":\"\",\"c\":-1e3}"), &arena, &event);
    arena_destroy(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_attribute_that_is_missing_is_named),
        cmocka_unit_test(an_attribute_of_another_kind_is_named),
        cmocka_unit_test(a_time_that_is_none_is_refused),
        cmocka_unit_test(what_is_no_attribute_of_ours_is_named),
        cmocka_unit_test(types_that_senders_do_not_send_are_refused),
        cmocka_unit_test(each_type_wants_its_own),
        cmocka_unit_test(a_patient_who_is_nobody_or_two_is_refused),
        cmocka_unit_test(a_misspelt_or_wrong_member_is_named_with_its_path),
        cmocka_unit_test(lengths_are_counted_in_characters),
        cmocka_unit_test(no_reason_quotes_what_was_sent),
        cmocka_unit_test(problems_beyond_the_list_are_dropped),
        cmocka_unit_test(what_is_right_beside_all_these_is_taken),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
