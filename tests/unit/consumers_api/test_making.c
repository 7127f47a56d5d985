/* What is made, changed and ended over a real api: once, by whom it may, and seen at once. */
#include "tests/unit/consumers_api/scene.h"

static void the_same_key_makes_the_same_token_and_it_opens(void **state)
{
    struct scene *scene = *state;
    const char *body = "{\"organisations\":[\"A81001\"],\"roles\":[\"subscriber\"]}", *first, *second, *third;
    const char *key = "Idempotency-Key: k1\r\n";
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key, body, &first), 201);
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key, body, &second), 201);
    assert_string_equal(member(scene, first, "token"), member(scene, second, "token"));
    assert_int_equal(ask(scene, "GET", "/subscriptions", member(scene, second, "token"), NULL, NULL), 200);
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key,
                              "{\"organisations\":[\"B82002\"],\"roles\":[\"subscriber\"]}", NULL),
                     409);
    assert_int_equal(ask(scene, "POST", "/tokens", scene->operator, body, &third), 201);
    assert_string_not_equal(member(scene, first, "token"), member(scene, third, "token"));
    assert_int_equal(
        ask(scene, "DELETE", target(scene, "/tokens/$", member(scene, first, "id")), scene->operator, NULL, NULL), 204);
    assert_int_equal(ask(scene, "GET", "/subscriptions", member(scene, first, "token"), NULL, NULL), 401);
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key, body, NULL), 409);
}

static void a_token_acts_for_each_of_its_organisations_in_whatever_order_they_were_said(void **state)
{
    struct scene *scene = *state;
    const char *answer, *key = "Idempotency-Key: k2\r\n";
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key,
                              "{\"organisations\":[\"B82002\",\"A81001\",\"C83003\"],\"roles\":[\"subscriber\"]}",
                              &answer),
                     201);
    const char *token = member(scene, answer, "token");
    assert_int_equal(ask(scene, "POST", "/subscriptions", token, "{\"subscriber\":\"A81001\"}", NULL), 201);
    assert_int_equal(ask(scene, "POST", "/subscriptions", token, "{\"subscriber\":\"B82002\"}", NULL), 201);
    assert_int_equal(ask(scene, "POST", "/subscriptions", token, "{\"subscriber\":\"C84004\"}", NULL), 404);
    assert_int_equal(ask_with(scene, "POST", "/tokens", scene->operator, key,
                              "{\"organisations\":[\"C83003\",\"B82002\",\"A81001\"],\"roles\":[\"subscriber\"]}",
                              NULL),
                     201);
}

static const char *code_make(struct scene *scene)
{
    const char *answer;
    assert_int_equal(ask(scene, "POST", "/tokens/link", scene->operator, "{\"organisation\":\"A81001\"}", &answer),
                     201);
    return target(scene, "{\"code\":\"$\"}", member(scene, answer, "code"));
}

static void a_code_signs_in_once_even_when_it_comes_twice_at_the_same_moment(void **state)
{
    struct scene *scene = *state;
    const char *code = code_make(scene);
    struct client one = connect_to(scene), two = connect_to(scene);
    client_ask(&one, "POST", "/session", NULL, "", code);
    client_ask(&two, "POST", "/session", NULL, "", code);
    int first = answer_take(scene, &one, NULL), second = answer_take(scene, &two, NULL);
    assert_int_equal(first + second, 201 + 401);
    assert_int_equal(ask(scene, "POST", "/session", NULL, code, NULL), 401);
}

static void a_code_is_no_token(void **state)
{
    struct scene *scene = *state;
    const char *answer;
    assert_int_equal(ask(scene, "POST", "/tokens/link", scene->operator, "{\"organisation\":\"A81001\"}", &answer),
                     201);
    assert_int_equal(ask(scene, "GET", "/subscriptions", member(scene, answer, "code"), NULL, NULL), 401);
    assert_int_equal(
        ask(scene, "POST", "/session", NULL, target(scene, "{\"token\":\"$\"}", member(scene, answer, "code")), NULL),
        401);
}

static void a_page_of_another_site_neither_acts_nor_signs_in(void **state)
{
    struct scene *scene = *state;
    const char *answer;
    const char *code = code_make(scene);
    assert_int_equal(ask_with(scene, "POST", "/session", NULL, "Sec-Fetch-Site: cross-site\r\n", code, NULL), 403);
    assert_int_equal(ask(scene, "POST", "/session", NULL, code, &answer), 201);
    const char *cookie = strstr(answer, "tidings=");
    assert_non_null(cookie);
    struct view text = arena_format(&scene->lab.arena, "Cookie: %.*s\r\n", (int)strcspn(cookie, ";"), cookie);
    struct view elsewhere = arena_format(&scene->lab.arena, "%sSec-Fetch-Site: same-site\r\n", (const char *)text.data);
    assert_int_equal(ask_with(scene, "GET", "/subscriptions", NULL, text.data, NULL, NULL), 200);
    assert_int_equal(
        ask_with(scene, "POST", "/subscriptions", NULL, elsewhere.data, "{\"subscriber\":\"A81001\"}", NULL), 401);
    assert_int_equal(ask_with(scene, "POST", "/subscriptions", NULL, text.data, "{\"subscriber\":\"A81001\"}", NULL),
                     201);
    assert_int_equal(ask_with(scene, "DELETE", "/session", NULL, text.data, NULL, NULL), 204);
    assert_int_equal(ask_with(scene, "GET", "/subscriptions", NULL, text.data, NULL, NULL), 401);
}

static void a_session_ends_with_the_token_that_it_was_opened_with(void **state)
{
    struct scene *scene = *state;
    const char *answer;
    assert_int_equal(ask(scene, "POST", "/session", NULL, target(scene, "{\"token\":\"$\"}", scene->practice), &answer),
                     201);
    const char *cookie = strstr(answer, "tidings=");
    struct view text = arena_format(&scene->lab.arena, "Cookie: %.*s\r\n", (int)strcspn(cookie, ";"), cookie);
    assert_int_equal(ask_with(scene, "GET", "/subscriptions", NULL, text.data, NULL, NULL), 200);
    assert_int_equal(ask(scene, "DELETE", target(scene, "/tokens/$", scene->practice_id), scene->operator, NULL, NULL),
                     204);
    assert_int_equal(ask_with(scene, "GET", "/subscriptions", NULL, text.data, NULL, NULL), 401);
}

static void what_is_not_yours_is_not_there(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *theirs, *nobodys;
    static const char *const paths[] = {"/subscriptions/$", "/subscriptions/$/alerts", "/subscriptions/$/stream",
                                        "/subscriptions/$/alerts/1"};
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        assert_int_equal(ask(scene, "GET", target(scene, paths[i], id), scene->other, NULL, &theirs), 404);
        assert_int_equal(ask(scene, "GET", target(scene, paths[i], "A81001.no-such"), scene->other, NULL, &nobodys),
                         404);
        assert_string_equal(strstr(theirs, "\r\n\r\n"), strstr(nobodys, "\r\n\r\n"));
    }
    assert_int_equal(ask(scene, "DELETE", target(scene, "/subscriptions/$", id), scene->other, NULL, NULL), 404);
    assert_int_equal(ask(scene, "POST", target(scene, "/subscriptions/$/receipts", id), scene->other,
                         "{\"number\":1,\"state\":\"opened\"}", NULL),
                     404);
    assert_int_equal(ask(scene, "POST", "/subscriptions", scene->other, "{\"subscriber\":\"A81001\"}", NULL), 404);
    assert_int_equal(ask(scene, "GET", "/registrations?subscriber=A81001", scene->other, NULL, NULL), 404);
}

static void an_operator_reads_no_content(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$", id), scene->operator, NULL, NULL), 200);
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$/alerts", id), scene->operator, NULL, NULL), 403);
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$/stream", id), scene->operator, NULL, NULL), 403);
    assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$/alerts/1", id), scene->operator, NULL, NULL),
                     403);
    assert_int_equal(ask(scene, "POST", "/patients/search", scene->operator, "{\"nhsNumber\":\"" ANNE "\"}", NULL),
                     403);
}

static void what_was_made_is_seen_by_the_next_request_without_a_position(void **state)
{
    struct scene *scene = *state;
    const char *answer;
    for (int i = 0; i < 5; i++) {
        const char *id = subscribe(scene, "full");
        assert_int_equal(ask(scene, "DELETE", target(scene, "/subscriptions/$", id), scene->practice, NULL, NULL), 204);
        assert_int_equal(
            ask(scene, "PATCH", target(scene, "/subscriptions/$", id), scene->practice, "{\"own\":true}", NULL), 409);
    }
    assert_int_equal(ask(scene, "POST", "/registrations", scene->practice,
                         "{\"patient\":\"" ANNE "\",\"subscriber\":\"A81001\",\"role\":\"gp\"}", &answer),
                     201);
    assert_null(strstr(strstr(answer, "\r\n\r\n"), ANNE));
    const char *id = member(scene, answer, "id");
    assert_int_equal(ask(scene, "POST", target(scene, "/registrations/$/end", id), scene->practice, NULL, &answer),
                     200);
    assert_int_equal(ask(scene, "GET", "/registrations?subscriber=A81001", scene->practice, NULL, &answer), 200);
    assert_non_null(strstr(answer, "\"until\":"));
}

static void the_same_key_makes_one_registration(void **state)
{
    struct scene *scene = *state;
    const char *body = "{\"patient\":\"" ANNE "\",\"subscriber\":\"A81001\",\"role\":\"gp\"}", *first, *second;
    const char *key = "Idempotency-Key: r1\r\n";
    assert_int_equal(ask_with(scene, "POST", "/registrations", scene->practice, key, body, &first), 201);
    assert_int_equal(ask_with(scene, "POST", "/registrations", scene->practice, key, body, &second), 201);
    assert_string_equal(member(scene, first, "id"), member(scene, second, "id"));
    assert_int_equal(ask_with(scene, "POST", "/registrations", scene->practice, key,
                              "{\"patient\":\"" ANNE "\",\"subscriber\":\"A81001\",\"role\":\"carer\"}", NULL),
                     409);
    const char *id = subscribe(scene, "full");
    scene->lab.now_ms = time_now_ms(); /* recorded after the registration begins */
    say(scene);
    head_is(scene, id, 1);
}

static void a_receipt_with_a_name_waits_for_its_key_and_holds_up_nobody(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full"), *key = "";
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene);
    head_is(scene, id, 1);
    struct client clients[6];
    for (size_t i = 0; i < 6; i++) {
        clients[i] = connect_to(scene);
        if (i % 2 == 0)
            client_ask(&clients[i], "POST", target(scene, "/subscriptions/$/receipts", id), scene->practice, key,
                       "{\"number\":1,\"state\":\"opened\",\"by\":\"clinician-7\"}");
        else
            client_ask(&clients[i], "POST", "/subscriptions", scene->practice, key, "{\"subscriber\":\"A81001\"}");
    }
    int64_t asked_ms = time_monotonic_ms();
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(answer_take(scene, &clients[i], NULL), i % 2 == 0 ? 204 : 201);
    assert_true(time_monotonic_ms() - asked_ms < 5000);
}

static void positions_that_are_none_are_refused_and_those_to_come_are_waited_for(void **state)
{
    struct scene *scene = *state;
    const char *id = subscribe(scene, "full");
    static const char *const bad[] = {"x", "e.1", "e.-1.2", "e.1.2,", ",", "e.99999999999.1", "z.1.2"};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct view header = arena_format(&scene->lab.arena, "Tidings-Position: %s\r\n", bad[i]);
        assert_int_equal(
            ask_with(scene, "GET", target(scene, "/subscriptions/$", id), scene->practice, header.data, NULL, NULL),
            400);
    }
    struct view patient = lab_patient(&scene->lab, ANNE);
    struct view next = arena_format(&scene->lab.arena, "Tidings-Position: e.%d.0\r\n",
                                    (int)log_partition_of(scene->lab.log, TOPIC_EVENTS, patient));
    struct client client = connect_to(scene);
    client_ask(&client, "GET", target(scene, "/subscriptions/$", id), scene->practice, next.data, NULL);
    for (int i = 0; i < 20; i++) {
        turn(scene);
        client_take(&client);
    }
    assert_int_equal(client.got.size, 0);
    say(scene);
    assert_int_equal(answer_take(scene, &client, NULL), 200);
}

static void the_work_list_of_several_organisations_is_paged_to_its_end(void **state)
{
    struct scene *scene = *state;
    char token[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
    struct view names[] = {VIEW("B82002"), VIEW("A81001")}; /* not in order */
    struct token made = {
        .organisations = names, .organisation_count = 2, .roles = ROLE_PUBLISHER, .kind = VIEW("token")};
    vault_token_create(id, token, made.hash);
    made.id = view_of_text(id);
    struct log_entry entry = directory_put_token(&made, &scene->lab.arena);
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, entry.key, entry.value);
    for (int i = 0; i < 10; i++) {
        struct work_item item = {.organisation = names[i % 2],
                                 .kind = VIEW("refused"),
                                 .message_id = arena_format(&scene->lab.arena, "m%d", i),
                                 .why = VIEW("why"),
                                 .recorded_at_ms = 1000 + i,
                                 .source_partition = -1};
        struct buffer value = {0};
        record_write_plain(SCHEMA_WORK_ITEM, &item, &value);
        (void)lab_append_raw(&scene->lab, TOPIC_QUARANTINE, 0, item.organisation, buffer_view(&value));
        buffer_destroy(&value);
    }
    int items = 0, pages = 0;
    const char *path = "/worklist?limit=3", *answer;
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    do { /* the list follows the log */
        assert_int_equal(ask(scene, "GET", "/worklist", token, NULL, &answer), 200);
        assert_true(time_monotonic_ms() < give_up_ms);
    } while (strstr(answer, "m9") == NULL || strstr(answer, "m8") == NULL);
    for (bool more = true; more && pages < 10; pages++) {
        assert_int_equal(ask(scene, "GET", path, token, NULL, &answer), 200);
        for (const char *at = answer; (at = strstr(at, "\"messageId\"")) != NULL; at++)
            items++;
        more = strstr(answer, "\"next\"") != NULL;
        if (more)
            path = target(scene, "/worklist?limit=3&after=$", member(scene, answer, "next"));
    }
    assert_int_equal(items, 10);
    assert_int_equal(pages, 4);
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(the_same_key_makes_the_same_token_and_it_opens),
        SENTENCE(a_token_acts_for_each_of_its_organisations_in_whatever_order_they_were_said),
        SENTENCE(a_code_signs_in_once_even_when_it_comes_twice_at_the_same_moment),
        SENTENCE(a_code_is_no_token),
        SENTENCE(a_page_of_another_site_neither_acts_nor_signs_in),
        SENTENCE(a_session_ends_with_the_token_that_it_was_opened_with),
        SENTENCE(what_is_not_yours_is_not_there),
        SENTENCE(an_operator_reads_no_content),
        SENTENCE(what_was_made_is_seen_by_the_next_request_without_a_position),
        SENTENCE(the_same_key_makes_one_registration),
        SENTENCE(a_receipt_with_a_name_waits_for_its_key_and_holds_up_nobody),
        SENTENCE(positions_that_are_none_are_refused_and_those_to_come_are_waited_for),
        SENTENCE(the_work_list_of_several_organisations_is_paged_to_its_end),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
