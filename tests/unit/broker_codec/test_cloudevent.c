/* CloudEvents that are right, in all three ways. */
#include "cloudevent_samples.h"

#include "broker/event/limits.h"

#define WHOLE                                                                                                          \
    "{" HEAD                                                                                                           \
    "\"type\":\"encounter-discharged-1\",\"subject\":\"999 000 0018\",\"datacontenttype\":\"application/json\","       \
    "\"dataref\":\"https://epr.example/x?y=%20\",\"versionid\":\"W/\\\"16\\\"\","                                      \
    "\"filtering\":{\"a\": 1.50,\"b\":[\"x\",2],\"c\":true},"                                                          \
    "\"traceparent\":\"00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01\",\"tracestate\":\"a=b\","              \
    "\"data\":{\"patient\":{\"nhsNumber\":\"9990000018\",\"localIds\":[{\"assigner\":\"R0A\",\"value\":\"654321\"},"   \
    "{\"value\":\"7\"}],\"familyName\":\"O\xE2\x80\x99Neill\",\"givenName\":\"An\\u00e9\",\"birthDate\":\"1952-02-"    \
    "29\","                                                                                                            \
    "\"practice\":\"A81001\"},\"encounter\":{\"spell\":\"V123\",\"class\":\"inpatient\",\"organisation\":\"R0A\","     \
    "\"site\":\"R0A02\",\"ward\":\"W12\",\"room\":\"1\",\"bed\":\"3\",\"consultant\":{\"code\":\"C123\","              \
    "\"name\":\"Dr Who\"},\"admittedAt\":\"2026-11-20T10:00:00+01:00\",\"dischargedAt\":\"2026-11-23T10:15:30Z\","     \
    "\"dischargeMethod\":\"2\",\"dischargeDestination\":\"19\"},\"carePlan\":{\"id\":\"p\",\"title\":\"two\\nlines\"," \
    "\"category\":\"c\",\"status\":\"active\",\"changedAt\":\"2026-11-23T10:15:30Z\",\"link\":\"https://a/b\"},"       \
    "\"document\":{\"id\":\"d\",\"kind\":\"discharge-summary\",\"title\":\"t\",\"contentType\":\"application/pdf\","   \
    "\"createdAt\":\"2026-11-23T10:15:30Z\",\"link\":\"https://a/c\"}}}"

static void an_event_keeps_all_that_it_says(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken(WHOLE, &arena, &event);
    assert_view(event.id, "m-1");
    assert_view(event.source, "urn:ral:epr");
    assert_view(event.type, "encounter-discharged-1");
    assert_view(event.subject, "999 000 0018");
    assert_view(event.tracestate, "a=b");
    assert_true(event.time_ms == 1795428930000);
    const struct event_header *header = &event.event.header;
    assert_view(header->type, "encounter-discharged-1");
    assert_view(header->organisation, "R0A");
    assert_view(header->traceparent, "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01");
    assert_int_equal(header->class, CLASS_INPATIENT);
    assert_int_equal(header->urgency, URGENCY_URGENT);
    assert_int_equal(header->origin, ORIGIN_CLOUDEVENTS);
    assert_int_equal(header->count, 1);
    const struct event_body *body = &event.event.body;
    assert_true(body->happened_at_ms == event.time_ms);
    assert_view(body->message_source, "urn:ral:epr");
    assert_view(body->message_id, "m-1");
    assert_view(body->attributes, "{\"dataref\":\"https://epr.example/x?y=%20\",\"filtering\":{\"a\": "
                                  "1.50,\"b\":[\"x\",2],\"c\":true},\"versionid\":\"W/\\\"16\\\"\"}");
    assert_view(body->cancels, NULL);
    arena_destroy(&arena);
}

static void what_happened_is_kept_member_by_member(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken(WHOLE, &arena, &event);
    const struct event_body *body = &event.event.body;
    assert_view(body->patient.nhs_number, "9990000018");
    assert_int_equal(body->patient.local_id_count, 2);
    assert_view(body->patient.local_ids[0].assigner, "R0A");
    assert_view(body->patient.local_ids[0].value, "654321");
    assert_view(body->patient.local_ids[1].assigner, NULL);
    assert_view(body->patient.family_name, "O\xE2\x80\x99Neill");
    assert_view(body->patient.given_name, "An\xC3\xA9");
    assert_view(body->patient.birth_date, "1952-02-29");
    assert_view(body->patient.practice, "A81001");
    assert_true(body->has_encounter && body->has_care_plan && body->has_document);
    assert_view(body->encounter.spell, "V123");
    assert_view(body->encounter.site, "R0A02");
    assert_view(body->encounter.consultant_code, "C123");
    assert_view(body->encounter.consultant_name, "Dr Who");
    assert_true(body->encounter.admitted_at_ms == 1795165200000);
    assert_true(body->encounter.discharged_at_ms == 1795428930000);
    assert_view(body->encounter.discharge_method, "2");
    assert_view(body->encounter.discharge_destination, "19");
    assert_view(body->care_plan.title, "two\nlines");
    assert_view(body->care_plan.link, "https://a/b");
    assert_view(body->document.kind, "discharge-summary");
    assert_true(body->document.created_at_ms == 1795428930000);
    arena_destroy(&arena);
}

static void the_order_of_members_does_not_count(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent one, other;
    assert_taken(RIGHT, &arena, &one);
    assert_taken("{\"data\" : {\"encounter\":{\"spell\":\"\\u00561\"}, " PATIENT "}, " HEAD
                 "\"type\":\"encounter-admitted-1\"}",
                 &arena, &other);
    assert_true(view_is(one.content, other.content));
    arena_destroy(&arena);
}

static void other_content_is_other_content(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent one, other;
    assert_taken(RIGHT, &arena, &one);
    assert_taken("{" HEAD ADMITTED "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V2\"}}}", &arena, &other);
    assert_false(view_is(one.content, other.content));
    arena_destroy(&arena);
}

static void a_subject_alone_says_who(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken("{" HEAD "\"type\":\"care-plan-changed-1\",\"subject\":\"9990000018\",\"data\":{\"carePlan\":{}}}",
                 &arena, &event);
    assert_view(event.event.body.patient.nhs_number, "9990000018");
    assert_view(event.event.header.organisation, NULL);
    assert_true(event.event.body.has_care_plan);
    assert_false(event.event.body.has_encounter);
    assert_view(event.event.body.attributes, NULL);
    assert_taken("{" HEAD "\"type\":\"patient-died-1\",\"subject\":\"9990000018\"}", &arena, &event);
    assert_view(event.event.body.patient.nhs_number, "9990000018");
    arena_destroy(&arena);
}

static void a_number_whose_check_digit_is_wrong_is_kept_apart(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent event;
    assert_taken("{" HEAD ADMITTED
                 "\"data\":{\"patient\":{\"nhsNumber\":\"9990000019\",\"localIds\":[{\"value\":\"7\"}]},"
                 "\"encounter\":{\"spell\":\"V1\"}}}",
                 &arena, &event);
    assert_view(event.event.body.patient.nhs_number, NULL);
    assert_view(event.event.body.patient.untrusted_nhs_number, "9990000019");
    arena_destroy(&arena);
}

static void each_type_that_is_taken_is_taken(void **state)
{
    (void)state;
    static const struct {
        const char *type, *data;
        enum event_class class;
        enum urgency urgency;
    } rows[] = {
        {"encounter-admitted-1", "\"encounter\":{\"spell\":\"V1\",\"class\":\"day-case\"}", CLASS_DAY_CASE, 0},
        {"encounter-ed-arrived-1", "\"encounter\":{\"spell\":\"V1\"}", CLASS_EMERGENCY, 0},
        {"encounter-registered-1", "\"encounter\":{\"spell\":\"V1\",\"class\":\"outpatient\"}", CLASS_OUTPATIENT, 0},
        {"encounter-transferred-1", "\"encounter\":{\"spell\":\"V1\",\"class\":\"community\"}", CLASS_COMMUNITY, 0},
        {"encounter-discharged-1", "\"encounter\":{\"spell\":\"V1\",\"dischargeMethod\":\"1\"}", CLASS_UNKNOWN, 0},
        {"encounter-discharged-1", "\"encounter\":{\"spell\":\"V1\",\"dischargeMethod\":\"6\"}", CLASS_UNKNOWN,
         URGENCY_URGENT},
        {"encounter-discharged-1", "\"encounter\":{\"spell\":\"V1\",\"dischargeMethod\":\"7\"}", CLASS_UNKNOWN,
         URGENCY_URGENT},
        {"encounter-cancelled-1", "\"cancels\":\"m-0\"", CLASS_UNKNOWN, 0},
        {"care-plan-changed-1", "\"carePlan\":{\"id\":\"p\"}", CLASS_UNKNOWN, 0},
        {"patient-died-1", "\"diedAt\":\"2026-11-22T00:00:00Z\"", CLASS_UNKNOWN, 0},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct cloudevent event;
        char text[1024];
        (void)snprintf(text, sizeof text, "{" HEAD "\"type\":\"%s\",\"data\":{" PATIENT ",%s}}", rows[i].type,
                       rows[i].data);
        assert_taken(text, &arena, &event);
        assert_view(event.type, rows[i].type);
        assert_int_equal(event.event.header.class, rows[i].class);
        assert_int_equal(event.event.header.urgency, rows[i].urgency);
        if (event_type_from_name(event.type) == ENCOUNTER_CANCELLED) {
            assert_view(event.event.body.cancels, "m-0");
            assert_view(event.event.body.cancelled_type, "");
        }
        if (event_type_from_name(event.type) == PATIENT_DIED)
            assert_true(event.event.body.died_at_ms == 1795305600000);
        arena_destroy(&arena);
    }
}

static enum result read_binary(const struct cloudevent_attribute *attributes, size_t count, const char *data,
                               struct arena *arena, struct cloudevent *ret, struct problems *problems)
{
    return cloudevent_read_binary(attributes, count, view_of_text(data), arena, ret, problems);
}

#define BINARY_HEAD                                                                                                    \
    {VIEW("specversion"), VIEW("1.0")}, {VIEW("id"), VIEW("m-1")}, {VIEW("source"), VIEW("urn:ral:epr")},              \
        {VIEW("time"), VIEW("2026-11-23T10:15:30.000Z")},                                                              \
    {                                                                                                                  \
        VIEW("type"), VIEW("encounter-admitted-1")                                                                     \
    }
#define BINARY_DATA "{" PATIENT ",\"encounter\":{\"spell\":\"V1\"}}"

static void binary_and_structured_are_the_same_content(void **state)
{
    (void)state;
    const struct cloudevent_attribute attributes[] = {BINARY_HEAD};
    struct arena arena = {0};
    struct cloudevent binary, structured;
    struct problems problems;
    assert_int_equal(read_binary(attributes, 5, BINARY_DATA, &arena, &binary, &problems), OK);
    assert_taken(RIGHT, &arena, &structured);
    assert_true(view_is(binary.content, structured.content));
    assert_view(binary.event.body.encounter.spell, "V1");
    arena_destroy(&arena);
}

static void filtering_comes_as_json_in_a_header(void **state)
{
    (void)state;
    const struct cloudevent_attribute attributes[] = {
        BINARY_HEAD, {VIEW("filtering"), VIEW("{\"a\":1.50}")}, {VIEW("versionid"), VIEW("\"1\"")}};
    struct arena arena = {0};
    struct cloudevent event;
    struct problems problems;
    assert_int_equal(read_binary(attributes, 7, BINARY_DATA, &arena, &event, &problems), OK);
    assert_view(event.event.body.attributes, "{\"filtering\":{\"a\":1.50},\"versionid\":\"\\\"1\\\"\"}");
    arena_destroy(&arena);
}

static void bad_headers_are_refused(void **state)
{
    (void)state;
    const struct {
        struct cloudevent_attribute attribute;
        const char *data, *at;
    } rows[] = {
        {{VIEW("id"), VIEW("again")}, BINARY_DATA, "id"},
        {{VIEW("data"), VIEW("{}")}, BINARY_DATA, "data"},
        {{VIEW("subject"), VIEW("\xFF")}, BINARY_DATA, "subject"},
        {{VIEW("comexample"), VIEW("x")}, BINARY_DATA, "comexample"},
        {{VIEW("filtering"), VIEW("{\"a\":1,\"a\":2}")}, BINARY_DATA, "filtering"},
        {{VIEW("filtering"), VIEW("[1]")}, BINARY_DATA, "filtering"},
        {{VIEW("filtering"), VIEW("")}, BINARY_DATA, "filtering"},
        {{VIEW("versionid"), VIEW("")}, BINARY_DATA, "versionid"},
        {{VIEW("versionid"), VIEW("1")}, "{\"patient\"", "data"},
        {{VIEW("versionid"), VIEW("1")}, "[]", "data"},
        {{VIEW("versionid"), VIEW("1")}, "", "data/encounter"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const struct cloudevent_attribute attributes[] = {BINARY_HEAD, rows[i].attribute};
        struct arena arena = {0};
        struct cloudevent event;
        struct problems problems;
        assert_int_equal(read_binary(attributes, 6, rows[i].data, &arena, &event, &problems), REJECTED);
        bool found = false;
        for (size_t at = 0; at < problems.count; at++)
            found = found || strcmp(problems.list[at].at, rows[i].at) == 0;
        if (!found)
            fail_msg("row %zu: at %s: %s", i, problems.list[0].at, problems.list[0].why);
        arena_destroy(&arena);
    }
}

static void a_batch_gives_its_events_in_order(void **state)
{
    (void)state;
    static const char text[] = " [ " RIGHT " ,\n{" HEAD "\"type\":\"care-plan-changed-1\",\"filtering\":{\"a\":[1 ]},"
                               "\"data\":{" PATIENT ",\"carePlan\":{}}}] ";
    struct arena arena = {0};
    struct cloudevent *events = NULL;
    struct problems problems;
    size_t count = 0;
    assert_int_equal(cloudevent_read_batch(view_of_text(text), &arena, &events, &count, &problems), OK);
    assert_int_equal(count, 2);
    assert_view(events[0].type, "encounter-admitted-1");
    assert_view(events[1].type, "care-plan-changed-1");
    assert_view(events[0].event.body.attributes, NULL);
    assert_view(events[1].event.body.attributes, "{\"filtering\":{\"a\":[1 ]}}");
    arena_destroy(&arena);
}

static void an_empty_batch_is_a_batch(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct cloudevent *events = NULL;
    struct problems problems;
    size_t count = 9;
    assert_int_equal(cloudevent_read_batch(VIEW("[]"), &arena, &events, &count, &problems), OK);
    assert_int_equal(count, 0);
    arena_destroy(&arena);
}

static void a_batch_says_where_each_bad_one_stands(void **state)
{
    (void)state;
    static const char text[] = "[" RIGHT ",{\"specversion\":\"1.0\"},7," RIGHT "]";
    struct arena arena = {0};
    struct cloudevent *events = NULL;
    struct problems problems;
    size_t count = 9;
    bool second = false, third = false;
    assert_int_equal(cloudevent_read_batch(view_of_text(text), &arena, &events, &count, &problems), REJECTED);
    assert_null(events);
    assert_int_equal(count, 9);
    for (size_t i = 0; i < problems.count; i++) {
        second = second || strcmp(problems.list[i].at, "1/time") == 0;
        third = third || strcmp(problems.list[i].at, "2") == 0;
        assert_true(strncmp(problems.list[i].at, "0", 1) != 0 && strncmp(problems.list[i].at, "3", 1) != 0);
    }
    assert_true(second && third);
    arena_destroy(&arena);
}

static void what_is_no_batch_is_refused(void **state)
{
    (void)state;
    static const char *const rows[] = {"", "{}", RIGHT, "[", "[" RIGHT, "[" RIGHT ",]", "[" RIGHT "]x", "7", "null"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct arena arena = {0};
        struct cloudevent *events = NULL;
        struct problems problems;
        size_t count;
        assert_int_equal(cloudevent_read_batch(view_of_text(rows[i]), &arena, &events, &count, &problems), REJECTED);
        assert_string_equal(problems.list[0].at, "");
        arena_destroy(&arena);
    }
}

static void a_batch_of_too_many_is_refused(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct arena arena = {0};
    struct cloudevent *events = NULL;
    struct problems problems;
    size_t count;
    for (int i = 0; i < LIMIT_BATCH_EVENTS + 1; i++)
        buffer_add_text(&text, i == 0 ? "[" RIGHT : "," RIGHT);
    buffer_add_text(&text, "]");
    assert_int_equal(cloudevent_read_batch(buffer_view(&text), &arena, &events, &count, &problems), REJECTED);
    buffer_destroy(&text);
    arena_destroy(&arena);
}

static void an_event_over_the_limit_is_too_large_alone_and_in_a_batch(void **state)
{
    (void)state;
    struct buffer text = {0};
    struct arena arena = {0};
    struct cloudevent event, *events = NULL;
    struct problems problems;
    size_t count;
    buffer_add_text(&text, "[" RIGHT ",{\"filtering\":{\"a\":\"");
    while (text.size < LIMIT_EVENT_BYTES + 1024)
        buffer_add_text(&text, "0123456789");
    buffer_add_text(&text, "\"}," HEAD ADMITTED "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\"}}}]");
    assert_int_equal(cloudevent_read_batch(buffer_view(&text), &arena, &events, &count, &problems), REJECTED);
    assert_true(problems.too_large);
    assert_string_equal(problems.list[0].at, "1");
    assert_int_equal(cloudevent_read(buffer_view(&text), &arena, &event, &problems), REJECTED);
    assert_true(problems.too_large);
    buffer_destroy(&text);
    arena_destroy(&arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_keeps_all_that_it_says),
        cmocka_unit_test(what_happened_is_kept_member_by_member),
        cmocka_unit_test(the_order_of_members_does_not_count),
        cmocka_unit_test(other_content_is_other_content),
        cmocka_unit_test(a_subject_alone_says_who),
        cmocka_unit_test(a_number_whose_check_digit_is_wrong_is_kept_apart),
        cmocka_unit_test(each_type_that_is_taken_is_taken),
        cmocka_unit_test(binary_and_structured_are_the_same_content),
        cmocka_unit_test(filtering_comes_as_json_in_a_header),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(a_batch_gives_its_events_in_order),
        cmocka_unit_test(an_empty_batch_is_a_batch),
        cmocka_unit_test(a_batch_says_where_each_bad_one_stands),
        cmocka_unit_test(what_is_no_batch_is_refused),
        cmocka_unit_test(a_batch_of_too_many_is_refused),
        cmocka_unit_test(an_event_over_the_limit_is_too_large_alone_and_in_a_batch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
