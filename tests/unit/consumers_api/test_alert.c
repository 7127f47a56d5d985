/* The alert as it is written, for each payload and kind, and the table of routes. */
#include "consumers/api/inside.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

struct example {
    struct opened_record record;
    struct event_body body;
    struct subscription subscription;
    struct because because[2];
    struct local_id local;
    struct buffer text;
};

static int example_open(void **state)
{
    struct example *example = memory_take(sizeof *example);
    struct event_header *event = &example->record.told;
    for (int i = 0; i < EVENT_ID_SIZE; i++)
        event->id.bytes[i] = (uint8_t)i;
    event->type = VIEW("encounter-discharged-1");
    event->publisher = VIEW("R0A");
    event->patient = VIEW("ref-of-the-patient");
    event->recorded_at_ms = 1790000000123;
    example->because[0] = (struct because){VIEW("ref-of-the-patient.r1"), VIEW("gp")};
    example->because[1] = (struct because){VIEW("ref-of-the-patient.r2"), VIEW("palliative")};
    example->record.kind = SCHEMA_TELLING;
    example->record.telling =
        (struct telling){.subscriber = VIEW("A81001"), .because = example->because, .because_count = 2};
    example->subscription = (struct subscription){.id = VIEW("A81001.s1"), .subscriber = VIEW("A81001")};
    example->local = (struct local_id){VIEW("R0A"), VIEW("654321")};
    example->body = (struct event_body){
        .happened_at_ms = 1790000000000,
        .patient = {.nhs_number = VIEW("9990000018"),
                    .local_ids = &example->local,
                    .local_id_count = 1,
                    .family_name = VIEW("O'\"Neil"),
                    .given_name = VIEW("Anne"),
                    .birth_date = VIEW("1950-02-01"),
                    .practice = VIEW("")},
        .has_encounter = true,
        .encounter = {.spell = VIEW("V1"), .organisation = VIEW("R0A"), .ward = VIEW("W12"), .class = CLASS_INPATIENT}};
    *state = example;
    return 0;
}

static int example_close(void **state)
{
    struct example *example = *state;
    buffer_destroy(&example->text);
    free(example);
    return 0;
}

static const char *written(struct example *example, const struct event_body *body, enum payload payload)
{
    buffer_clear(&example->text);
    alert_write(&example->subscription, 17, &example->record, body, "lab", payload, &example->text);
    buffer_add_byte(&example->text, 0);
    return (const char *)example->text.data;
}

static const char *id_of(struct example *example, enum alert_kind kind, int32_t place)
{
    static char id[ALERT_ID_SIZE];
    alert_id(example->subscription.id, &example->record.told.id, kind, place, id);
    return id;
}

/* The text with the alert's id in the place of the one %s. */
static void assert_alert(struct example *example, const char *got, const char *format, const char *id)
{
    struct buffer wanted = {0};
    const char *at = strstr(format, "%s");
    (void)example;
    assert_non_null(at);
    buffer_add(&wanted, format, (size_t)(at - format));
    buffer_add_text(&wanted, id);
    buffer_add_text(&wanted, at + 2);
    buffer_add_byte(&wanted, 0);
    assert_string_equal(got, (const char *)wanted.data);
    buffer_destroy(&wanted);
}

#define EVENT "00010203-0405-0607-0809-0a0b0c0d0e0f"

static void a_full_alert_says_all_that_is_known_and_nothing_that_is_not(void **state)
{
    struct example *example = *state;
    assert_alert(
        example, written(example, &example->body, PAYLOAD_FULL),
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"urn:tidings:lab\",\"type\":\"encounter-discharged-1\","
        "\"time\":\"2026-09-21T14:13:20.000Z\",\"subject\":\"9990000018\",\"datacontenttype\":\"application/json\","
        "\"data\":{\"subscription\":\"A81001.s1\",\"number\":17,\"kind\":\"new\",\"event\":\"" EVENT "\","
        "\"publisher\":\"R0A\",\"publishedAt\":\"2026-09-21T14:13:20.123Z\",\"patientRef\":\"ref-of-the-patient\","
        "\"because\":[{\"registration\":\"ref-of-the-patient.r1\",\"role\":\"gp\"},"
        "{\"registration\":\"ref-of-the-patient.r2\",\"role\":\"palliative\"}],"
        "\"patient\":{\"nhsNumber\":\"9990000018\",\"localIds\":[{\"assigner\":\"R0A\",\"value\":\"654321\"}],"
        "\"familyName\":\"O'\\\"Neil\",\"givenName\":\"Anne\",\"birthDate\":\"1950-02-01\"},"
        "\"encounter\":{\"spell\":\"V1\",\"organisation\":\"R0A\",\"class\":\"inpatient\",\"ward\":\"W12\"}}}",
        id_of(example, ALERT_NEW, 0));
}

static void an_id_only_alert_has_identifiers_and_no_names_nor_clinical_words(void **state)
{
    struct example *example = *state;
    example->body.state = VIEW("discharged");
    example->body.has_care_plan = true;
    example->body.care_plan = (struct care_plan){.id = VIEW("plan"), .title = VIEW("Secret"), .status = VIEW("active")};
    assert_alert(
        example, written(example, &example->body, PAYLOAD_ID_ONLY),
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"urn:tidings:lab\",\"type\":\"encounter-discharged-1\","
        "\"time\":\"2026-09-21T14:13:20.000Z\",\"subject\":\"9990000018\",\"datacontenttype\":\"application/json\","
        "\"data\":{\"subscription\":\"A81001.s1\",\"number\":17,\"kind\":\"new\",\"event\":\"" EVENT "\","
        "\"publisher\":\"R0A\",\"publishedAt\":\"2026-09-21T14:13:20.123Z\",\"patientRef\":\"ref-of-the-patient\","
        "\"because\":[{\"registration\":\"ref-of-the-patient.r1\",\"role\":\"gp\"},"
        "{\"registration\":\"ref-of-the-patient.r2\",\"role\":\"palliative\"}],"
        "\"patient\":{\"nhsNumber\":\"9990000018\",\"localIds\":[{\"assigner\":\"R0A\",\"value\":\"654321\"}]},"
        "\"encounter\":{\"spell\":\"V1\",\"organisation\":\"R0A\"},\"carePlan\":{\"id\":\"plan\"}}}",
        id_of(example, ALERT_NEW, 0));
}

static void an_empty_alert_names_nobody(void **state)
{
    struct example *example = *state;
    example->body.state = VIEW("discharged");
    example->body.died_at_ms = 1790000000000;
    assert_alert(
        example, written(example, &example->body, PAYLOAD_EMPTY),
        "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"urn:tidings:lab\",\"type\":\"encounter-discharged-1\","
        "\"time\":\"2026-09-21T14:13:20.000Z\",\"datacontenttype\":\"application/json\","
        "\"data\":{\"subscription\":\"A81001.s1\",\"number\":17,\"kind\":\"new\",\"event\":\"" EVENT "\","
        "\"publisher\":\"R0A\",\"publishedAt\":\"2026-09-21T14:13:20.123Z\","
        "\"because\":[{\"role\":\"gp\"},{\"role\":\"palliative\"}]}}",
        id_of(example, ALERT_NEW, 0));
}

static void a_retraction_names_the_alert_that_the_subscription_had(void **state)
{
    struct example *example = *state;
    char concerns[ALERT_ID_SIZE];
    struct event_id first = {{0xff, 1}};
    example->record.told.type = VIEW("encounter-cancelled-1");
    example->record.telling.kind = ALERT_RETRACTION;
    example->record.telling.place = 1;
    example->record.telling.late = true;
    example->record.telling.has_concerned = true;
    example->record.telling.concerned = (struct concerned){.event = first, .kind = ALERT_NEW};
    example->body.state = VIEW("in-hospital");
    alert_id(example->subscription.id, &first, ALERT_NEW, 0, concerns);
    const char *text = written(example, &example->body, PAYLOAD_FULL);
    char wanted[160];
    (void)snprintf(wanted, sizeof wanted,
                   "\"concerns\":\"%s\",\"concernsEvent\":\"ff010000-0000-0000-0000-000000000000\",\"late\":true,"
                   "\"state\":\"in-hospital\"",
                   concerns);
    assert_non_null(strstr(text, wanted));
    assert_non_null(strstr(text, "\"kind\":\"retraction\""));
    assert_non_null(strstr(text, id_of(example, ALERT_RETRACTION, 1)));
    assert_string_not_equal(concerns, id_of(example, ALERT_RETRACTION, 1));
}

static void a_withheld_alert_keeps_its_number_and_id_and_holds_nothing_else(void **state)
{
    struct example *example = *state;
    assert_alert(example, written(example, NULL, PAYLOAD_FULL),
                 "{\"specversion\":\"1.0\",\"id\":\"%s\",\"source\":\"urn:tidings:lab\",\"type\":\"withheld-1\","
                 "\"time\":\"2026-09-21T14:13:20.123Z\",\"datacontenttype\":\"application/json\","
                 "\"data\":{\"subscription\":\"A81001.s1\",\"number\":17,\"kind\":\"withheld\"}}",
                 id_of(example, ALERT_NEW, 0));
}

static void the_same_event_has_another_alert_id_in_another_subscription_kind_or_place(void **state)
{
    struct example *example = *state;
    char one[ALERT_ID_SIZE], other[ALERT_ID_SIZE];
    const struct event_id *event = &example->record.told.id;
    alert_id(VIEW("A81001.s1"), event, ALERT_NEW, 0, one);
    alert_id(VIEW("A81001.s2"), event, ALERT_NEW, 0, other);
    assert_string_not_equal(one, other);
    alert_id(VIEW("A81001.s1"), event, ALERT_RETRACTION, 0, other);
    assert_string_not_equal(one, other);
    alert_id(VIEW("A81001.s1"), event, ALERT_NEW, 1, other);
    assert_string_not_equal(one, other);
}

/* Content is for subscribers alone; what needs no token is known by name. */
static void every_route_says_who_may_use_it(void **state)
{
    static const struct {
        const char *method, *path;
        int32_t roles;
    } known[] = {
        {"GET", "/health/live", 0},
        {"GET", "/health/ready", 0},
        {"POST", "/session", 0},
        {"GET", "/metrics", ROLE_OPERATOR | ROLE_METRICS},
        {"POST", "/tokens", ROLE_OPERATOR},
        {"POST", "/tokens/link", ROLE_OPERATOR},
        {"DELETE", "/tokens/x", ROLE_OPERATOR},
        {"PUT", "/organisations/x", ROLE_OPERATOR},
        {"GET", "/quarantine", ROLE_OPERATOR},
        {"GET", "/worklist", ROLE_OPERATOR | ROLE_PUBLISHER},
        {"GET", "/subscriptions/x/alerts", ROLE_SUBSCRIBER},
        {"GET", "/subscriptions/x/alerts/1", ROLE_SUBSCRIBER},
        {"GET", "/subscriptions/x/stream", ROLE_SUBSCRIBER},
        {"POST", "/subscriptions/x/receipts", ROLE_SUBSCRIBER},
        {"POST", "/patients/search", ROLE_SUBSCRIBER | ROLE_PUBLISHER},
    };
    static const char *const methods[] = {"GET", "POST", "PUT", "PATCH", "DELETE"};
    static const char *const paths[] = {"/status",
                                        "/organisations",
                                        "/subscribers",
                                        "/subscribers/x",
                                        "/registrations",
                                        "/registrations/x/end",
                                        "/subscriptions",
                                        "/subscriptions/x",
                                        "/subscriptions/x/pause",
                                        "/subscriptions/x/resume",
                                        "/subscriptions/x/replay"};
    struct view params[CALL_PARAMS];
    bool path_known;
    (void)state;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        const struct route *route =
            route_find(view_of_text(known[i].method), view_of_text(known[i].path), params, &path_known);
        assert_non_null(route);
        assert_int_equal(route->roles, known[i].roles);
    }
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        size_t found = 0;
        for (size_t j = 0; j < sizeof methods / sizeof methods[0]; j++) {
            const struct route *route =
                route_find(view_of_text(methods[j]), view_of_text(paths[i]), params, &path_known);
            found += route != NULL;
            assert_true(route == NULL || route->roles != 0);
            assert_true(path_known);
        }
        assert_true(found > 0);
    }
}

static void a_path_matches_whole_segments_only(void **state)
{
    static const char *const none[] = {"",
                                       "/",
                                       "//",
                                       "/subscriptions/",
                                       "/subscriptions//alerts",
                                       "/subscriptions/x/alerts/",
                                       "/subscriptions/x/alerts/1/2",
                                       "/health",
                                       "health/live"};
    struct view params[CALL_PARAMS];
    bool path_known;
    (void)state;
    for (size_t i = 0; i < sizeof none / sizeof none[0]; i++) {
        assert_null(route_find(VIEW("GET"), view_of_text(none[i]), params, &path_known));
        assert_false(path_known);
    }
    assert_non_null(route_find(VIEW("GET"), VIEW("/subscriptions/A81001.x/alerts/17"), params, &path_known));
    assert_true(view_is_text(params[0], "A81001.x"));
    assert_true(view_is_text(params[1], "17"));
    assert_null(route_find(VIEW("PUT"), VIEW("/subscriptions/x/alerts"), params, &path_known));
    assert_true(path_known);
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, example_open, example_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(a_full_alert_says_all_that_is_known_and_nothing_that_is_not),
        SENTENCE(an_id_only_alert_has_identifiers_and_no_names_nor_clinical_words),
        SENTENCE(an_empty_alert_names_nobody),
        SENTENCE(a_retraction_names_the_alert_that_the_subscription_had),
        SENTENCE(a_withheld_alert_keeps_its_number_and_id_and_holds_nothing_else),
        SENTENCE(the_same_event_has_another_alert_id_in_another_subscription_kind_or_place),
        SENTENCE(every_route_says_who_may_use_it),
        SENTENCE(a_path_matches_whole_segments_only),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
