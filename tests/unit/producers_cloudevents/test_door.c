/* POST /events, from the socket to the log and back. */
#include "world.h"

#define STRUCTURED "Content-Type: application/cloudevents+json\r\n"
#define BATCH      "Content-Type: application/cloudevents-batch+json\r\n"
#define EVENT_OF(id, source, patient, ward)                                                                            \
    "{\"specversion\":\"1.0\",\"id\":\"" id "\",\"source\":\"" source                                                  \
    "\",\"type\":\"encounter-admitted-1\",\"time\":\"2026-11-23T10:15:30.000Z\",\"data\":{\"patient\":{" patient       \
    "},\"encounter\":{\"spell\":\"V1\",\"ward\":\"" ward "\"}}}"
#define NUMBER          "\"nhsNumber\":\"9990000018\""
#define EVENT(id, ward) EVENT_OF(id, "urn:ral", NUMBER, ward)

static struct buffer got;

static int got_end(void **state)
{
    (void)state;
    buffer_destroy(&got);
    return 0;
}

static size_t event_count(struct world *world)
{
    struct view values[64];
    return world_records(world, TOPIC_EVENTS, values, 64);
}

static void an_event_is_answered_with_its_id_when_it_is_durable(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    assert_int_equal(world_post(&world, STRUCTURED "X-Correlation-ID: 11C46F5F\r\n", EVENT("m-1", "W1"), &got), 200);
    assert_true(has(&got, "\r\nX-Correlation-ID: 11C46F5F\r\n"));
    assert_true(has(&got, "\r\nTidings-Position: e."));
    assert_true(has(&got, "\r\nContent-Type: application/json\r\n"));
    struct event_id id = vault_event_id(VIEW("R0A"), VIEW("urn:ral"), VIEW("m-1"), 0, 1795428930000);
    char text[EVENT_ID_TEXT_SIZE], body[64];
    (void)event_id_to_text(&id, text);
    (void)snprintf(body, sizeof body, "\r\n\r\n{\"id\":\"%s\"}", text);
    assert_true(has(&got, body));
    assert_int_equal(event_count(&world), 1);
    assert_int_equal(cloudevents_door_waiting(world.door), 0);
    world_close(&world);
}

static void the_same_again_is_the_same_answer_and_one_effect(void **state)
{
    (void)state;
    struct world world;
    struct buffer first = {0};
    world_open(&world, NULL);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &first), 200);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 200);
    assert_string_equal(strstr((const char *)first.data, "\r\n\r\n"), strstr((const char *)got.data, "\r\n\r\n"));
    /* and in binary mode, without a Content-Type, as a well-known SDK sends it */
    assert_int_equal(
        world_post(&world,
                   "ce-specversion: 1.0\r\nCE-ID: m-1\r\nce-source: urn%3Aral\r\nce-type: encounter-admitted-1\r\n"
                   "ce-time: 2026-11-23T10:15:30.000Z\r\n",
                   "{\"encounter\":{\"spell\":\"V1\",\"ward\":\"W1\"},\"patient\":{" NUMBER "}}", &got),
        200);
    assert_string_equal(strstr((const char *)first.data, "\r\n\r\n"), strstr((const char *)got.data, "\r\n\r\n"));
    assert_int_equal(event_count(&world), 1);
    buffer_destroy(&first);
    world_close(&world);
}

static void the_same_id_with_other_content_is_a_conflict_on_the_work_list(void **state)
{
    (void)state;
    struct world world;
    struct work_item item;
    world_open(&world, NULL);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 200);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W2"), &got), 409);
    assert_true(has(&got, "{\"errors\":\"the same source and id were used before, with other content\"}"));
    world_items(&world, &item, 1);
    assert_true(view_is_text(item.kind, "conflict"));
    assert_true(view_is_text(item.message_id, "m-1"));
    assert_int_equal(event_count(&world), 1);
    world_close(&world);
}

static void a_batch_has_its_ids_in_order(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    assert_int_equal(world_post(&world, BATCH,
                                "[" EVENT("m-1", "W1") "," EVENT_OF("m-2", "urn:rx1", "\"nhsNumber\":\"9990000026\"",
                                                                    "W2") "," EVENT("m-1", "W1") "]",
                                &got),
                     200);
    char body[256], text[3][EVENT_ID_TEXT_SIZE];
    struct event_id ids[] = {vault_event_id(VIEW("R0A"), VIEW("urn:ral"), VIEW("m-1"), 0, 1795428930000),
                             vault_event_id(VIEW("RX1"), VIEW("urn:rx1"), VIEW("m-2"), 0, 1795428930000)};
    (void)event_id_to_text(&ids[0], text[0]);
    (void)event_id_to_text(&ids[1], text[1]);
    (void)snprintf(body, sizeof body, "\r\n\r\n{\"ids\":[\"%s\",\"%s\",\"%s\"]}", text[0], text[1], text[0]);
    assert_true(has(&got, body));
    assert_int_equal(event_count(&world), 2);
    assert_int_equal(world_post(&world, BATCH, "[]", &got), 200);
    assert_true(has(&got, "{\"ids\":[]}"));
    world_close(&world);
}

static void a_batch_with_a_bad_one_is_refused_whole(void **state)
{
    (void)state;
    struct world world;
    struct work_item item;
    world_open(&world, NULL);
    assert_int_equal(
        world_post(&world, BATCH, "[" EVENT("m-1", "W1") "," EVENT("m-2", "") "," EVENT("m-3", "W") "]", &got), 400);
    assert_true(has(&got, "{\"validationErrors\":{\"1/data/encounter/ward\":\"is empty"));
    world_items(&world, &item, 1);
    assert_true(view_is_text(item.kind, "refused"));
    assert_true(view_is_text(item.source, "urn:ral"));
    assert_true(view_is_text(item.message_id, "m-2"));
    assert_true(view_is_text(item.at, "1/data/encounter/ward"));
    assert_true(view_is_text(item.code, "400"));
    assert_int_equal(event_count(&world), 0);
    world_close(&world);
}

static void a_batch_with_a_conflict_says_where_and_keeps_the_rest(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 200);
    assert_int_equal(world_post(&world, BATCH, "[" EVENT("m-0", "W") "," EVENT("m-1", "W2") "]", &got), 409);
    assert_true(has(&got, "with other content; in the batch: 1\"}"));
    assert_int_equal(event_count(&world), 2);
    world_close(&world);
}

static void who_may_not_publish_is_told_so(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    world.token_is_known = false;
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 401);
    assert_true(has(&got, "\r\nWWW-Authenticate: Bearer\r\n"));
    world.token_is_known = true;
    world.token.roles = ROLE_SUBSCRIBER | ROLE_OPERATOR;
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 403);
    assert_true(has(&got, "{\"errors\":\""));
    world.token.roles = ROLE_PUBLISHER;
    world.token.organisation_count = 1;
    assert_int_equal(world_post(&world, STRUCTURED, EVENT_OF("m-1", "urn:rx1", NUMBER, "W"), &got), 403);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT_OF("m-1", "urn:ral/", NUMBER, "W"), &got), 403);
    assert_int_equal(
        world_post(&world, BATCH, "[" EVENT("m-1", "W") "," EVENT_OF("m-2", "urn:nobody", NUMBER, "W") "]", &got), 403);
    struct work_item items[3];
    world_items(&world, items, 3); /* a token of one organisation: it is that one's reject */
    assert_true(view_is_text(items[2].organisation, "R0A"));
    assert_true(view_is_text(items[2].message_id, "m-2"));
    assert_true(view_is_text(items[2].code, "403"));
    assert_int_equal(event_count(&world), 0);
    world_close(&world);
}

static void what_is_not_an_event_is_refused_with_the_right_status(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, NULL);
    static const struct {
        const char *headers, *body;
        int status;
        const char *says;
    } rows[] = {
        {STRUCTURED, "", 400, "{\"validationErrors\":{\"body\":\"ends too early"},
        {STRUCTURED, "{\"id\":\"a\",\"id\":\"b\"}", 400, "{\"validationErrors\":{\"body\":\"says one thing twice"},
        {STRUCTURED, EVENT("m-1", "W\xFF"), 400, "{\"validationErrors\":{\"body\":\"is not UTF-8"},
        {STRUCTURED, EVENT("m-1", "W") "x", 400, "{\"validationErrors\":{\"body\":\"goes on after its end"},
        {STRUCTURED, "{\"specversion\":\"1.0\"}", 400, "\"time\":\"is required\""},
        {BATCH, EVENT("m-1", "W"), 400, "{\"validationErrors\":{\"body\":\"is not a list"},
        {"Content-Type: text/plain\r\n", EVENT("m-1", "W"), 415, "{\"errors\":\""},
        {"Content-Type: application/json\r\n", EVENT("m-1", "W"), 415, "{\"errors\":\""},
        {"", EVENT("m-1", "W"), 415, "{\"errors\":\""},
        {STRUCTURED "Content-Encoding: gzip\r\n", EVENT("m-1", "W"), 415, "{\"errors\":\""},
        {"ce-id: m-1\r\nce-id: m-2\r\n", "{}", 400, "\"id\":\"stands twice\""},
        {STRUCTURED, EVENT_OF("m-1", "urn:ral", "\"localIds\":[{\"assigner\":\"RX1\",\"value\":\"7\"}]", "W"), 400,
         "\"data/patient\":\"says nobody"},
        {STRUCTURED, EVENT_OF("m-1", "urn:rx1", "\"nhsNumber\":\"9990000019\",\"localIds\":[{\"value\":\"7\"}]", "W"),
         400, "\"data/patient/nhsNumber\":\"fails its check digit\""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = world_post(&world, rows[i].headers, rows[i].body, &got);
        if (status != rows[i].status || !has(&got, rows[i].says))
            fail_msg("row %zu: %d", i, status);
    }
    assert_int_equal(event_count(&world), 0);
    world_close(&world);
}

static void an_event_over_256_kib_is_413(void **state)
{
    (void)state;
    struct world world;
    struct buffer body = {0};
    world_open(&world, NULL);
    buffer_add_text(&body, EVENT("m-1", "W"));
    while (body.size <= LIMIT_EVENT_BYTES)
        buffer_add_text(&body, "          ");
    buffer_add_byte(&body, 0);
    assert_int_equal(world_post(&world, STRUCTURED, (const char *)body.data, &got), 413);
    assert_true(has(&got, "{\"errors\":\"an event may have 256 KiB at most\"}"));
    buffer_destroy(&body);
    world_close(&world);
}

static void untrusted_and_missing_numbers_are_accepted_and_listed(void **state)
{
    (void)state;
    struct world world;
    struct work_item items[2];
    world_open(&world, NULL);
    assert_int_equal(
        world_post(&world, STRUCTURED,
                   EVENT_OF("m-1", "urn:ral", "\"nhsNumber\":\"9990000019\",\"localIds\":[{\"value\":\"7\"}]", "W"),
                   &got),
        200);
    assert_int_equal(
        world_post(&world, STRUCTURED, EVENT_OF("m-2", "urn:ral", "\"localIds\":[{\"value\":\"8\"}]", "W"), &got), 200);
    world_items(&world, items, 2);
    assert_true(view_is_text(items[0].kind, "untrusted-nhs-number"));
    assert_true(view_is_text(items[1].kind, "missing-nhs-number"));
    assert_true(view_is_text(items[1].message_id, "m-2"));
    assert_int_equal(event_count(&world), 2);
    world_close(&world);
}

static void what_is_not_known_to_be_durable_is_503_and_safe_to_send_again(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, "append events 1 lose-answer");
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 503);
    assert_true(has(&got, "\r\nRetry-After: "));
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 200);
    world_close(&world);
}

static void a_batch_that_is_not_durable_as_a_whole_is_503(void **state)
{
    (void)state;
    struct world world;
    world_open(&world, "append events 2 fail");
    static const char batch[] = "[" EVENT("m-1", "W1") "," EVENT("m-2", "W2") "," EVENT("m-3", "W3") "]";
    assert_int_equal(world_post(&world, BATCH, batch, &got), 503);
    assert_int_equal(world_post(&world, BATCH, batch, &got), 200);
    assert_int_equal(event_count(&world), 3);
    assert_int_equal(cloudevents_door_waiting(world.door), 0);
    world_close(&world);
}

static void a_client_that_leaves_is_forgotten_and_its_event_kept(void **state)
{
    (void)state;
    struct world world;
    struct caller caller;
    world_open(&world, "append events 1 delay 300");
    caller_open(&caller, &world);
    caller_send(&world, &caller, STRUCTURED, VIEW(EVENT("m-1", "W1")));
    TURN_UNTIL(&world, &caller, cloudevents_door_waiting(world.door) == 1);
    caller_close(&caller);
    TURN_UNTIL(&world, NULL, cloudevents_door_waiting(world.door) == 0);
    assert_int_equal(world_post(&world, STRUCTURED, EVENT("m-1", "W1"), &got), 200);
    assert_int_equal(event_count(&world), 1);
    world_close(&world);
}

static void many_wait_together_and_each_gets_its_own(void **state)
{
    (void)state;
    struct world world;
    struct caller callers[30];
    world_open(&world, NULL);
    for (size_t i = 0; i < 30; i++) {
        char body[512];
        (void)snprintf(body, sizeof body, EVENT("m-%zu", "W1"), i);
        caller_open(&callers[i], &world);
        caller_send(&world, &callers[i], STRUCTURED, view_of_text(body));
    }
    for (size_t i = 0; i < 30; i++) {
        char id[32], text[EVENT_ID_TEXT_SIZE];
        int status = 0;
        const char *body = NULL;
        (void)snprintf(id, sizeof id, "m-%zu", i);
        struct event_id wanted = vault_event_id(VIEW("R0A"), VIEW("urn:ral"), view_of_text(id), 0, 1795428930000);
        TURN_UNTIL(&world, &callers[i], caller_answered(&callers[i], &status, &body));
        assert_int_equal(status, 200);
        (void)event_id_to_text(&wanted, text);
        assert_non_null(strstr(body, text));
        caller_close(&callers[i]);
    }
    assert_int_equal(event_count(&world), 30);
    world_close(&world);
}

static void what_was_counted_has_its_outcome(void **state)
{
    (void)state;
    struct buffer text = {0};
    metrics_render(&text);
    buffer_add_byte(&text, 0);
#define COUNTED(type, outcome) "tidings_events_total{source=\"cloudevents\",type=\"" type "\",outcome=\"" outcome "\"} "
    assert_true(has(&text, COUNTED("encounter-admitted-1", "accepted")));
    assert_true(has(&text, COUNTED("encounter-admitted-1", "duplicate")));
    assert_true(has(&text, COUNTED("encounter-admitted-1", "conflict")));
    assert_true(has(&text, COUNTED("encounter-admitted-1", "refused")));
    assert_true(has(&text, COUNTED("encounter-admitted-1", "uncertain")));
    assert_true(has(&text, COUNTED("other", "refused")));
    buffer_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_event_is_answered_with_its_id_when_it_is_durable),
        cmocka_unit_test(the_same_again_is_the_same_answer_and_one_effect),
        cmocka_unit_test(the_same_id_with_other_content_is_a_conflict_on_the_work_list),
        cmocka_unit_test(a_batch_has_its_ids_in_order),
        cmocka_unit_test(a_batch_with_a_bad_one_is_refused_whole),
        cmocka_unit_test(a_batch_with_a_conflict_says_where_and_keeps_the_rest),
        cmocka_unit_test(who_may_not_publish_is_told_so),
        cmocka_unit_test(what_is_not_an_event_is_refused_with_the_right_status),
        cmocka_unit_test(an_event_over_256_kib_is_413),
        cmocka_unit_test(untrusted_and_missing_numbers_are_accepted_and_listed),
        cmocka_unit_test(what_is_not_known_to_be_durable_is_503_and_safe_to_send_again),
        cmocka_unit_test(a_batch_that_is_not_durable_as_a_whole_is_503),
        cmocka_unit_test(a_client_that_leaves_is_forgotten_and_its_event_kept),
        cmocka_unit_test(many_wait_together_and_each_gets_its_own),
        cmocka_unit_test(what_was_counted_has_its_outcome), /* last: what the others did */
    };
    return cmocka_run_group_tests(tests, NULL, got_end);
}
