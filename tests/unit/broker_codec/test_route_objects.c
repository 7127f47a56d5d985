/* The objects of the routes, as interface.md has them. */
#include "cloudevent_samples.h"

#include "broker/base/time.h"
#include "broker/event/limits.h"

static struct arena arena;

static int arena_end(void **state)
{
    (void)state;
    arena_destroy(&arena);
    return 0;
}

static void assert_problem(const struct problems *problems, const char *at, const char *why)
{
    for (size_t i = 0; i < problems->count; i++)
        if (strcmp(problems->list[i].at, at) == 0 && strncmp(problems->list[i].why, why, strlen(why)) == 0)
            return;
    fail_msg("wanted at %s: %s; found at %s: %s", at, why, problems->count == 0 ? "nothing" : problems->list[0].at,
             problems->count == 0 ? "" : problems->list[0].why);
}

/* ---- organisations ---- */

static void an_organisation_is_read_whole(void **state)
{
    (void)state;
    struct organisation organisation;
    struct problems problems;
    assert_int_equal(
        organisation_read(VIEW("{\"name\":\"Royal\",\"kind\":\"hospital\",\"hl7Names\":[\"RAL RF\",\"RAL\"],"
                               "\"sources\":[\"urn:x\"],\"mllpPeers\":[\"10.0.0.0/8\",\"::1\",\"192.168.1.9\"],"
                               "\"processingIds\":[\"P\",\"T\"],\"timeZone\":\"Europe/Dublin\","
                               "\"untrustedNhsNumber\":\"reject\"}"),
                          VIEW("R0A"), &arena, &organisation, &problems),
        OK);
    assert_view(organisation.id, "R0A");
    assert_view(organisation.name, "Royal");
    assert_view(organisation.kind, "hospital");
    assert_int_equal(organisation.hl7_name_count, 2);
    assert_view(organisation.hl7_names[0], "RAL RF");
    assert_view(organisation.sources[0], "urn:x");
    assert_view(organisation.mllp_peers[0], "10.0.0.0/8");
    assert_view(organisation.mllp_peers[1], "::1/128");
    assert_view(organisation.mllp_peers[2], "192.168.1.9/32");
    assert_view(organisation.processing_ids[1], "T");
    assert_view(organisation.time_zone, "Europe/Dublin");
    assert_true(organisation.reject_untrusted);
}

static void an_organisation_has_defaults(void **state)
{
    (void)state;
    struct organisation organisation;
    struct problems problems;
    assert_int_equal(organisation_read(VIEW("{\"name\":\"Practice\",\"kind\":\"gp-practice\"}"), VIEW("A81001"), &arena,
                                       &organisation, &problems),
                     OK);
    assert_int_equal(organisation.hl7_name_count, 0);
    assert_int_equal(organisation.source_count, 0);
    assert_int_equal(organisation.mllp_peer_count, 2);
    assert_view(organisation.mllp_peers[0], "127.0.0.0/8");
    assert_int_equal(organisation.processing_id_count, 1);
    assert_view(organisation.processing_ids[0], "P");
    assert_view(organisation.time_zone, "Europe/London");
    assert_false(organisation.reject_untrusted);
}

static void an_organisation_that_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *id, *at, *why;
    } rows[] = {
        {"", "R0A", "", "ends too early"},
        {"[]", "R0A", "", "is not an object"},
        {"{}", "R0A", "/name", "is required"},
        {"{}", "R0A", "/kind", "is required"},
        {"{\"name\":\"x\",\"kind\":\"hospital\"}", "R0", "", "the path's last part is not an ODS code"},
        {"{\"name\":\"x\",\"kind\":\"hospital\"}", "R0A/", "", "the path's last part is not an ODS code"},
        {"{\"name\":\"x\",\"kind\":\"prison\"}", "R0A", "/kind", "is not one of the words"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Name\":[\"x\"]}", "R0A", "/hl7Name", "is not known here"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Names\":\"x\"}", "R0A", "/hl7Names", "is not a list"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Names\":[]}", "R0A", "/hl7Names", "is not a list"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Names\":[\"x\",\"\"]}", "R0A", "/hl7Names/1", "is empty"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Names\":[\"x\",7]}", "R0A", "/hl7Names/1", "is not a text"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"hl7Names\":null}", "R0A", "/hl7Names", "is null"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"sources\":[\"a b\"]}", "R0A", "/sources/0", "is not a URI"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"mllpPeers\":[\"x\"]}", "R0A", "/mllpPeers/0", "is not a network"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"mllpPeers\":[\"10.0.0.0/33\"]}", "R0A", "/mllpPeers/0", "is not a"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"mllpPeers\":[\"10.0.0.0/\"]}", "R0A", "/mllpPeers/0", "is not a"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"mllpPeers\":[\"::1/129\"]}", "R0A", "/mllpPeers/0", "is not a"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"timeZone\":\"Europe/Wessex\"}", "R0A", "/timeZone", "is not a time"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"timeZone\":\"../../etc/passwd\"}", "R0A", "/timeZone", "is not a"},
        {"{\"name\":\"x\",\"kind\":\"hospital\",\"untrustedNhsNumber\":true}", "R0A", "/untrustedNhsNumber",
         "is not a"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct organisation organisation;
        struct problems problems;
        assert_int_equal(
            organisation_read(view_of_text(rows[i].json), view_of_text(rows[i].id), &arena, &organisation, &problems),
            REJECTED);
        assert_problem(&problems, rows[i].at, rows[i].why);
    }
}

/* ---- subscribers, tokens ---- */

static void a_subscriber_is_an_organisation_or_of_one(void **state)
{
    (void)state;
    struct subscriber subscriber;
    struct problems problems;
    assert_int_equal(subscriber_read(VIEW("{\"kind\":\"team\",\"organisation\":\"RY3\",\"name\":\"Nurses\"}"),
                                     VIEW("RY3-nurses"), &arena, &subscriber, &problems),
                     OK);
    assert_view(subscriber.id, "RY3-nurses");
    assert_view(subscriber.organisation, "RY3");
    assert_int_equal(subscriber_read(VIEW("{\"kind\":\"organisation\",\"name\":\"Practice\"}"), VIEW("A81001"), &arena,
                                     &subscriber, &problems),
                     OK);
    assert_view(subscriber.organisation, "A81001");
    assert_int_equal(
        subscriber_read(VIEW("{\"kind\":\"team\",\"name\":\"x\"}"), VIEW("a.b"), &arena, &subscriber, &problems),
        REJECTED);
    assert_problem(&problems, "/organisation", "is required");
    assert_problem(&problems, "", "the path's last part");
    assert_int_equal(subscriber_read(VIEW("{\"kind\":\"organisation\",\"name\":\"x\",\"organisation\":\"RY3\"}"),
                                     VIEW("A81001"), &arena, &subscriber, &problems),
                     REJECTED);
    assert_problem(&problems, "/organisation", "is another");
}

static void a_token_is_read(void **state)
{
    (void)state;
    struct token token;
    struct problems problems;
    assert_int_equal(token_read(VIEW("{\"organisations\":[\"R0A\",\"A81001\"],\"roles\":[\"publisher\",\"subscriber\"],"
                                     "\"expiresAt\":\"2027-01-01T00:00:00Z\"}"),
                                &arena, &token, &problems),
                     OK);
    assert_int_equal(token.roles, ROLE_PUBLISHER | ROLE_SUBSCRIBER);
    assert_int_equal(token.organisation_count, 2);
    assert_view(token.organisations[1], "A81001");
    assert_true(token.expires_at_ms == 1798761600000);
    assert_view(token.kind, "token");
    assert_int_equal(token_read(VIEW("{\"roles\":[\"metrics\"]}"), &arena, &token, &problems), OK);
    assert_int_equal(token.organisation_count, 0);
    assert_int_equal(token_read(VIEW("{\"roles\":[\"publisher\"]}"), &arena, &token, &problems), REJECTED);
    assert_problem(&problems, "/organisations", "is required");
    assert_int_equal(token_read(VIEW("{\"organisations\":[\"R0A\"],\"roles\":[]}"), &arena, &token, &problems),
                     REJECTED);
    assert_problem(&problems, "/roles", "is not a list");
    assert_int_equal(token_read(VIEW("{\"organisations\":[\"R0A\"],\"roles\":[\"root\"]}"), &arena, &token, &problems),
                     REJECTED);
    assert_problem(&problems, "/roles/0", "is not operator");
    assert_int_equal(token_read(VIEW("{\"organisations\":[\"R0A\"],\"roles\":[\"operator\"],\"expiresAt\":1}"), &arena,
                                &token, &problems),
                     REJECTED);
    assert_problem(&problems, "/expiresAt", "is not a text");
}

/* ---- registrations, subscriptions, receipts ---- */

static void a_registration_is_read(void **state)
{
    (void)state;
    struct registration_request request;
    struct problems problems;
    assert_int_equal(registration_read(VIEW("{\"patient\":\"999 000 0018\",\"subscriber\":\"A81001\",\"role\":\"gp\","
                                            "\"from\":\"2026-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\","
                                            "\"evidence\":\"form 7\"}"),
                                       &arena, &request, &problems),
                     OK);
    assert_view(request.nhs_number, "9990000018");
    assert_view(request.local.value, NULL);
    assert_view(request.registration.subscriber, "A81001");
    assert_view(request.registration.role, "gp");
    assert_true(request.registration.until_ms - request.registration.from_ms == 365LL * 86400000);
    assert_view(request.registration.evidence, "form 7");
    assert_int_equal(registration_read(VIEW("{\"patient\":{\"localId\":{\"assigner\":\"R0A\",\"value\":\"7\"}},"
                                            "\"subscriber\":\"A81001\",\"role\":\"carer\"}"),
                                       &arena, &request, &problems),
                     OK);
    assert_view(request.nhs_number, NULL);
    assert_view(request.local.assigner, "R0A");
    assert_true(request.registration.from_ms == 0 && request.registration.until_ms == 0);
}

static void a_registration_that_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *at, *why;
    } rows[] = {
        {"{}", "/patient", "is required"},
        {"{}", "/subscriber", "is required"},
        {"{}", "/role", "is required"},
        {"{\"patient\":\"9990000019\"}", "/patient", "is not an NHS number"},
        {"{\"patient\":9990000018}", "/patient", "is not a text"},
        {"{\"patient\":null}", "/patient", "is null"},
        {"{\"patient\":{}}", "/patient/nhsNumber", "must stand here"},
        {"{\"patient\":{\"nhsNumber\":\"9990000018\",\"localId\":{\"assigner\":\"R0A\",\"value\":\"7\"}}}",
         "/patient/nhsNumber", "must stand here"},
        {"{\"patient\":{\"localId\":{\"value\":\"7\"}}}", "/patient/localId/assigner", "is required"},
        {"{\"role\":\"doctor\"}", "/role", "is not a role"},
        {"{\"from\":\"2027-01-01\"}", "/from", "is not an RFC 3339"},
        {"{\"from\":\"2027-01-01T00:00:00Z\",\"until\":\"2027-01-01T00:00:00Z\"}", "/until", "is not after from"},
        {"{\"till\":\"x\"}", "/till", "is not known here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct registration_request request;
        struct problems problems;
        assert_int_equal(registration_read(view_of_text(rows[i].json), &arena, &request, &problems), REJECTED);
        assert_problem(&problems, rows[i].at, rows[i].why);
    }
}

static void a_subscription_is_read(void **state)
{
    (void)state;
    struct subscription subscription;
    struct problems problems;
    assert_int_equal(subscription_read(VIEW("{\"subscriber\":\"A81001\"}"), false, &arena, &subscription, &problems),
                     OK);
    assert_int_equal(subscription.type_count, 0);
    assert_int_equal(subscription.role_count, 0);
    assert_int_equal(subscription.payload, PAYLOAD_FULL);
    assert_view(subscription.purpose, "direct-care");
    assert_view(subscription.channel, "pull");
    assert_false(subscription.own);
    assert_int_equal(
        subscription_read(VIEW("{\"subscriber\":\"A81001\",\"types\":[\"encounter-*-1\",\"patient-died-1\"],"
                               "\"roles\":[\"gp\"],\"payload\":\"id-only\",\"purpose\":\"direct-care\","
                               "\"own\":true,\"channel\":{\"kind\":\"pull\"}}"),
                          false, &arena, &subscription, &problems),
        OK);
    assert_view(subscription.types[0], "encounter-*-1");
    assert_view(subscription.roles[0], "gp");
    assert_int_equal(subscription.payload, PAYLOAD_ID_ONLY);
    assert_true(subscription.own);
}

static void a_patch_changes_what_it_names(void **state)
{
    (void)state;
    struct subscription subscription;
    struct problems problems;
    assert_int_equal(subscription_read(VIEW("{\"subscriber\":\"A81001\",\"types\":[\"tracer-1\"],\"roles\":[\"gp\"],"
                                            "\"payload\":\"empty\",\"own\":true}"),
                                       false, &arena, &subscription, &problems),
                     OK);
    assert_int_equal(subscription_read(VIEW("{}"), true, &arena, &subscription, &problems), OK);
    assert_view(subscription.types[0], "tracer-1");
    assert_int_equal(subscription.payload, PAYLOAD_EMPTY);
    assert_true(subscription.own);
    assert_int_equal(subscription_read(VIEW("{\"own\":false,\"types\":null,\"roles\":[\"carer\",\"gp\"]}"), true,
                                       &arena, &subscription, &problems),
                     OK);
    assert_int_equal(subscription.type_count, 0);
    assert_int_equal(subscription.role_count, 2);
    assert_false(subscription.own);
    assert_view(subscription.subscriber, "A81001");
    assert_int_equal(subscription_read(VIEW("{\"subscriber\":\"RY3\"}"), true, &arena, &subscription, &problems),
                     REJECTED);
    assert_problem(&problems, "/subscriber", "cannot be changed");
    assert_view(subscription.subscriber, "A81001");
}

static void a_subscription_that_is_wrong_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *json, *at, *why;
    } rows[] = {
        {"{}", "/subscriber", "is required"},
        {"{\"types\":[\"encounter-admited-1\"]}", "/types/0", "matches no event type"},
        {"{\"types\":[\"encounter-*-9\"]}", "/types/0", "matches no event type"},
        {"{\"types\":[]}", "/types", "is not a list"},
        {"{\"types\":null}", "/types", "is null"},
        {"{\"roles\":[\"doctor\"]}", "/roles/0", "is not a role"},
        {"{\"payload\":\"all\"}", "/payload", "is not full"},
        {"{\"purpose\":\"research\"}", "/purpose", "is not direct-care"},
        {"{\"own\":\"true\"}", "/own", "is neither true nor false"},
        {"{\"channel\":\"pull\"}", "/channel", "is not an object"},
        {"{\"channel\":{}}", "/channel/kind", "is required"},
        {"{\"channel\":{\"kind\":\"fax\"}}", "/channel/kind", "is not a channel"},
        {"{\"channel\":{\"kind\":\"webhook\",\"url\":\"https://x\"}}", "/channel/kind", "is not taken yet"},
        {"{\"channel\":{\"kind\":\"pull\",\"url\":\"https://x\"}}", "/channel/url", "is not known here"},
        {"{\"status\":\"active\"}", "/status", "is not known here"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct subscription subscription = {0};
        struct problems problems;
        assert_int_equal(subscription_read(view_of_text(rows[i].json), false, &arena, &subscription, &problems),
                         REJECTED);
        assert_problem(&problems, rows[i].at, rows[i].why);
    }
}

static void a_receipt_is_read(void **state)
{
    (void)state;
    struct receipt_request receipt;
    struct problems problems;
    assert_int_equal(
        receipt_read(VIEW("{\"number\":17,\"state\":\"opened\",\"by\":\"dr-7\"}"), &arena, &receipt, &problems), OK);
    assert_true(receipt.number == 17);
    assert_view(receipt.state, "opened");
    assert_view(receipt.by, "dr-7");
    static const struct {
        const char *json, *at;
    } rows[] = {
        {"{\"state\":\"opened\"}", "/number"},
        {"{\"number\":0,\"state\":\"opened\"}", "/number"},
        {"{\"number\":-1,\"state\":\"opened\"}", "/number"},
        {"{\"number\":1.0,\"state\":\"opened\"}", "/number"},
        {"{\"number\":\"1\",\"state\":\"opened\"}", "/number"},
        {"{\"number\":1}", "/state"},
        {"{\"number\":1,\"state\":\"delivered\"}", "/state"},
        {"{\"number\":1,\"state\":\"opened\",\"by\":\"\"}", "/by"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(receipt_read(view_of_text(rows[i].json), &arena, &receipt, &problems), REJECTED);
        assert_problem(&problems, rows[i].at, "is ");
    }
}

static void a_search_names_one_patient(void **state)
{
    (void)state;
    struct view number;
    struct local_id local;
    struct problems problems;
    assert_int_equal(patient_search_read(VIEW("{\"nhsNumber\":\"9990000018\"}"), &arena, &number, &local, &problems),
                     OK);
    assert_view(number, "9990000018");
    assert_int_equal(patient_search_read(VIEW("{\"localId\":{\"assigner\":\"R0A\",\"value\":\"7\"}}"), &arena, &number,
                                         &local, &problems),
                     OK);
    assert_view(number, NULL);
    assert_view(local.value, "7");
    static const char *const rows[] = {
        "{}", "[]", "", "{\"nhsNumber\":\"9990000019\"}", "{\"nhsNumber\":null}", "{\"name\":\"x\"}"};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_equal(patient_search_read(view_of_text(rows[i]), &arena, &number, &local, &problems), REJECTED);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_organisation_is_read_whole),
        cmocka_unit_test(an_organisation_has_defaults),
        cmocka_unit_test(an_organisation_that_is_wrong_is_refused),
        cmocka_unit_test(a_subscriber_is_an_organisation_or_of_one),
        cmocka_unit_test(a_token_is_read),
        cmocka_unit_test(a_registration_is_read),
        cmocka_unit_test(a_registration_that_is_wrong_is_refused),
        cmocka_unit_test(a_subscription_is_read),
        cmocka_unit_test(a_patch_changes_what_it_names),
        cmocka_unit_test(a_subscription_that_is_wrong_is_refused),
        cmocka_unit_test(a_receipt_is_read),
        cmocka_unit_test(a_search_names_one_patient),
    };
    return cmocka_run_group_tests(tests, NULL, arena_end);
}
