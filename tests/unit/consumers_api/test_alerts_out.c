/* Pull and live stream over a real api: without a gap, without a double, and no longer than they may. */
#include "tests/unit/consumers_api/scene.h"

static void a_stream_goes_from_replay_to_live_without_a_gap_or_a_double(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 150; i++) /* more than a stream is replayed at once */
        say(scene);
    head_is(scene, id, 150);
    struct client stream = connect_to(scene);
    client_ask(&stream, "GET", target(scene, "/subscriptions/$/stream?after=3", id), scene->practice, "", NULL);
    wait_for(scene, &stream, "id: 4\n");
    for (int i = 0; i < 50; i++) { /* while it is replayed */
        say(scene);
        turn(scene);
    }
    wait_for(scene, &stream, "id: 200\n");
    const char *at = arena_copy(&scene->lab.arena, buffer_view(&stream.got)).data;
    for (int number = 3; number <= 200; number++) {
        at = strstr(at, "id: ");
        assert_non_null(at);
        assert_int_equal(strtol(at + 4, NULL, 10), number);
        at += 4;
    }
    assert_null(strstr(at, "id: "));
    client_end(&stream);
}

static void a_stream_without_a_number_starts_at_now(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene);
    head_is(scene, id, 1);
    struct client stream = connect_to(scene);
    client_ask(&stream, "GET", target(scene, "/subscriptions/$/stream", id), scene->practice, "", NULL);
    wait_for(scene, &stream, "id: 1\n\n");
    say(scene);
    wait_for(scene, &stream, "id: 2\nevent: alert\n");
    assert_null(memmem(stream.got.data, stream.got.size, "\"number\":1,", 11));
    client_end(&stream);
}

static void the_last_event_id_counts_before_the_address(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 3; i++)
        say(scene);
    head_is(scene, id, 3);
    struct client stream = connect_to(scene);
    client_ask(&stream, "GET", target(scene, "/subscriptions/$/stream?after=0", id), scene->practice,
               "Last-Event-ID: 2\r\n", NULL);
    wait_for(scene, &stream, "id: 3\n");
    assert_null(memmem(stream.got.data, stream.got.size, "\"number\":2,", 11));
    client_end(&stream);
}

static void a_number_that_was_never_given_is_a_conflict_in_pull_and_stream(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    assert_int_equal(
        ask(scene, "GET", target(scene, "/subscriptions/$/alerts?after=1", id), scene->practice, NULL, NULL), 409);
    assert_int_equal(
        ask(scene, "GET", target(scene, "/subscriptions/$/stream?after=1", id), scene->practice, NULL, NULL), 409);
}

static void a_number_that_another_machine_gave_a_moment_ago_is_no_conflict(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *answer;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct client pull = connect_to(scene);
    client_ask(&pull, "GET", target(scene, "/subscriptions/$/alerts?after=1", id), scene->practice, "", NULL);
    int64_t until_ms = time_monotonic_ms() + 100; /* the request is there, the number is not */
    while (time_monotonic_ms() < until_ms)
        turn(scene);
    say(scene);
    assert_int_equal(answer_take(scene, &pull, &answer), 200);
    assert_non_null(strstr(answer, "\"head\":1"));
}

static void a_payload_that_is_changed_holds_for_streams_that_are_open(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct client early = connect_to(scene), late = connect_to(scene);
    client_ask(&early, "GET", target(scene, "/subscriptions/$/stream?after=0", id), scene->practice, "", NULL);
    wait_for(scene, &early, "id: 0\n");
    say(scene);
    wait_for(scene, &early, "Secret title");
    assert_int_equal(
        ask(scene, "PATCH", target(scene, "/subscriptions/$", id), scene->practice, "{\"payload\":\"empty\"}", NULL),
        200);
    client_ask(&late, "GET", target(scene, "/subscriptions/$/stream?after=0", id), scene->practice, "", NULL);
    wait_for(scene, &late, "id: 1\n");
    buffer_clear(&early.got);
    say(scene);
    wait_for(scene, &early, "\"number\":2,");
    wait_for(scene, &late, "\"number\":2,");
    wait_for(scene, &early, "\n\n");
    wait_for(scene, &late, "\n\n");
    assert_null(memmem(early.got.data, early.got.size, "Secret", 6));
    assert_null(memmem(late.got.data, late.got.size, "Secret", 6));
    assert_null(memmem(early.got.data, early.got.size, ANNE, 10));
    client_end(&early);
    client_end(&late);
}

static void a_stream_ends_with_the_token_that_opened_it(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    struct client stream = connect_to(scene);
    client_ask(&stream, "GET", target(scene, "/subscriptions/$/stream", id), scene->practice, "", NULL);
    wait_for(scene, &stream, "id: 0\n");
    assert_int_equal(ask(scene, "DELETE", target(scene, "/tokens/$", scene->practice_id), scene->operator, NULL, NULL),
                     204);
    wait_for_close(scene, &stream);
    client_end(&stream);
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$", id), scene->practice, NULL, NULL), 401);
}

static void a_stream_of_an_ended_subscription_gives_what_there_is_and_ends(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct client open = connect_to(scene), after = connect_to(scene);
    client_ask(&open, "GET", target(scene, "/subscriptions/$/stream", id), scene->practice, "", NULL);
    wait_for(scene, &open, "id: 0\n");
    say(scene);
    wait_for(scene, &open, "id: 1\n");
    assert_int_equal(ask(scene, "DELETE", target(scene, "/subscriptions/$", id), scene->practice, NULL, NULL), 204);
    wait_for_close(scene, &open);
    client_end(&open);
    client_ask(&after, "GET", target(scene, "/subscriptions/$/stream?after=0", id), scene->practice, "", NULL);
    wait_for(scene, &after, "id: 1\nevent: alert\n");
    wait_for_close(scene, &after);
    client_end(&after);
    assert_int_equal(
        ask(scene, "GET", target(scene, "/subscriptions/$/stream?after=1", id), scene->practice, NULL, NULL), 204);
}

static void a_pull_that_waits_is_woken_by_the_first_alert(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *answer;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct client pull = connect_to(scene);
    int64_t asked_ms = time_monotonic_ms();
    client_ask(&pull, "GET", target(scene, "/subscriptions/$/alerts?wait=30", id), scene->practice, "", NULL);
    for (int i = 0; i < 20; i++)
        turn(scene);
    say(scene);
    assert_int_equal(answer_take(scene, &pull, &answer), 200);
    assert_non_null(strstr(answer, "\"last\":1"));
    assert_true(time_monotonic_ms() - asked_ms < DEADLINE_MS);
}

static void a_pull_that_waits_gets_nothing_when_its_token_ends(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *answer;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct client pull = connect_to(scene);
    client_ask(&pull, "GET", target(scene, "/subscriptions/$/alerts?wait=30", id), scene->practice, "", NULL);
    for (int i = 0; i < 20; i++)
        turn(scene);
    assert_int_equal(ask(scene, "DELETE", target(scene, "/tokens/$", scene->practice_id), scene->operator, NULL, NULL),
                     204);
    say(scene);
    assert_int_equal(answer_take(scene, &pull, &answer), 401);
    assert_null(strstr(answer, "Secret"));
}

static void a_pull_that_waits_for_nothing_is_answered_with_an_empty_page(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *answer;
    assert_int_equal(
        ask(scene, "GET", target(scene, "/subscriptions/$/alerts?wait=1", id), scene->practice, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"after\":0,\"head\":0,\"alerts\":[],\"last\":0"));
}

static void a_client_that_leaves_while_it_waits_leaves_nothing_behind(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 3; i++) {
        struct client pull = connect_to(scene), stream = connect_to(scene);
        client_ask(&pull, "GET", target(scene, "/subscriptions/$/alerts?after=0&wait=30", id), scene->practice, "",
                   NULL);
        client_ask(&stream, "GET", target(scene, "/subscriptions/$/stream", id), scene->practice, "", NULL);
        wait_for(scene, &stream, "id: ");
        client_end(&pull);
        client_end(&stream);
        for (int j = 0; j < 5; j++)
            turn(scene);
    }
    say(scene);
    head_is(scene, id, 1);
    api_quiesce(scene->api);
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (!api_is_quiet(scene->api) && time_monotonic_ms() < give_up_ms)
        turn(scene);
    assert_true(api_is_quiet(scene->api));
}

static void an_alert_that_cannot_be_opened_does_not_hold_up_those_behind_it(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    const char *id = subscribe(scene, "full"), *answer;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event event = lab_event(&scene->lab, ANNE, "care-plan-changed-1", NULL);
    struct buffer header = {0}, value = {0};
    assert_int_equal(keyring_find_any(scene->lab.keyring, event.header.patient, &event.header.key_id, &err), OK);
    schema_encode(SCHEMA_EVENT_HEADER, &event.header, &header);
    struct telling telling = {
        .subscriber = VIEW("A81001"), .cause = {TOPIC_EVENTS, 0, 0, 0}, .event_header = buffer_view(&header)};
    record_write_telling(&telling, VIEW("sealed by nobody we know, but long enough for a nonce"), &value);
    (void)lab_append_raw(&scene->lab, TOPIC_ALERTS, log_partition_of(scene->lab.log, TOPIC_ALERTS, VIEW("A81001")),
                         VIEW("A81001"), buffer_view(&value));
    buffer_destroy(&header);
    buffer_destroy(&value);
    head_is(scene, id, 1);
    say(scene);
    head_is(scene, id, 2);
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$/alerts", id), scene->practice, NULL, &answer),
                     200);
    assert_non_null(strstr(answer, "\"kind\":\"withheld\""));
    assert_non_null(strstr(answer, "Secret title"));
}

static void after_a_restart_the_same_numbers_are_there(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *before, *after;
    const char *pull = target(scene, "/subscriptions/$/alerts?after=0&limit=10", id);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 4; i++)
        say(scene);
    head_is(scene, id, 4);
    assert_int_equal(ask(scene, "GET", pull, scene->practice, NULL, &before), 200);
    api_stop(scene);
    api_start(scene);
    assert_int_equal(ask(scene, "GET", pull, scene->practice, NULL, &after), 200);
    assert_string_equal(strstr(before, "\r\n\r\n"), strstr(after, "\r\n\r\n"));
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(a_stream_goes_from_replay_to_live_without_a_gap_or_a_double),
        SENTENCE(a_stream_without_a_number_starts_at_now),
        SENTENCE(the_last_event_id_counts_before_the_address),
        SENTENCE(a_number_that_was_never_given_is_a_conflict_in_pull_and_stream),
        SENTENCE(a_number_that_another_machine_gave_a_moment_ago_is_no_conflict),
        SENTENCE(a_payload_that_is_changed_holds_for_streams_that_are_open),
        SENTENCE(a_stream_ends_with_the_token_that_opened_it),
        SENTENCE(a_stream_of_an_ended_subscription_gives_what_there_is_and_ends),
        SENTENCE(a_pull_that_waits_is_woken_by_the_first_alert),
        SENTENCE(a_pull_that_waits_gets_nothing_when_its_token_ends),
        SENTENCE(a_pull_that_waits_for_nothing_is_answered_with_an_empty_page),
        SENTENCE(a_client_that_leaves_while_it_waits_leaves_nothing_behind),
        SENTENCE(an_alert_that_cannot_be_opened_does_not_hold_up_those_behind_it),
        SENTENCE(after_a_restart_the_same_numbers_are_there),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
