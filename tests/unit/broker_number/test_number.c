/* Which subscription gets which alert, and its number, over a real log. */
#include "broker/number/number.h"
#include "consumers/match/match.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ANNE "9990000018"

struct scene {
    struct lab lab;
    struct number *number;
    struct runner *numbers;
};

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    *state = scene;
    return 0;
}

static void numbers_close(struct scene *scene)
{
    runner_close(scene->numbers);
    number_destroy(scene->number);
    scene->numbers = NULL;
    scene->number = NULL;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    numbers_close(scene);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static struct runner *runner_start(struct scene *scene, const struct fold *fold)
{
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    struct runner *runner;
    struct error err = {0};
    if (runner_open(fold, &options, &runner, &err) != OK)
        fail_msg("%s", err.text);
    return runner;
}

static void run_dry(struct runner *runner)
{
    struct error err = {0};
    enum result result;
    while ((result = runner_step(runner, 0, &err)) == OK)
        ;
    if (result != NOTHING)
        fail_msg("%s", err.text);
}

/* Matches, then numbers, all there is. */
static void fold_all(struct scene *scene)
{
    struct fold match = match_fold();
    struct runner *runner = runner_start(scene, &match);
    run_dry(runner);
    runner_close(runner);
    if (scene->numbers == NULL) {
        scene->number = number_create();
        struct fold numbers = number_fold("numbers", false, scene->number, NULL);
        scene->numbers = runner_start(scene, &numbers);
    }
    run_dry(scene->numbers);
}

static int64_t head_of(struct scene *scene, const char *subscriber, struct view id)
{
    struct buffer bytes = {0};
    struct subscriber_state state = {0};
    struct error err;
    int64_t head = -1;
    if (runner_find_state(scene->numbers, view_of_text(subscriber), &bytes) == OK)
        assert_int_equal(subscriber_state_read(buffer_view(&bytes), &scene->lab.arena, &state, &err), OK);
    for (size_t i = 0; i < state.subscription_count; i++)
        if (view_is(state.subscriptions[i].subscription.id, id))
            head = state.subscriptions[i].head;
    buffer_destroy(&bytes);
    return head;
}

static void say(struct scene *scene, const char *type, const char *spell, enum urgency urgency)
{
    struct care_event event = lab_event(&scene->lab, ANNE, type, spell);
    event.header.urgency = urgency;
    event.header.origin = ORIGIN_CLOUDEVENTS; /* as it is said, whatever is known of the stay */
    (void)lab_append(&scene->lab, &event);
}

static void cancel(struct scene *scene, const char *spell)
{
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-cancelled-1", spell);
    event.body.cancelled_type = VIEW("encounter-admitted-1");
    (void)lab_append(&scene->lab, &event);
}

static void numbers_count_from_one_without_a_gap(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 5; i++)
        say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", id), 5);
    int64_t before = -1;
    for (int64_t number = 1; number <= 5; number++) {
        struct numbered_alert alert;
        assert_int_equal(number_find(runner_store(scene->numbers), id, number, &alert), OK);
        assert_true(alert.telling.offset > before);
        before = alert.telling.offset;
    }
    struct numbered_alert none;
    assert_int_equal(number_find(runner_store(scene->numbers), id, 6, &none), NOTHING);
}

static void a_subscription_gets_what_comes_after_it(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", id), 1);
}

static void types_and_roles_choose(void **state)
{
    struct scene *scene = *state;
    struct view all = lab_subscribe(&scene->lab, "A81001", "", "", false);
    struct view discharges = lab_subscribe(&scene->lab, "A81001", "encounter-discharged-1", "", false);
    struct view encounters = lab_subscribe(&scene->lab, "A81001", "encounter-*-1", "", false);
    struct view homes = lab_subscribe(&scene->lab, "A81001", "", "care-home", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    say(scene, "care-plan-changed-1", NULL, URGENCY_NORMAL);
    say(scene, "encounter-discharged-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", all), 3);
    assert_int_equal(head_of(scene, "A81001", discharges), 1);
    assert_int_equal(head_of(scene, "A81001", encounters), 2);
    assert_int_equal(head_of(scene, "A81001", homes), 0);
}

static void what_is_off_or_routine_goes_only_to_who_names_it_in_full(void **state)
{
    struct scene *scene = *state;
    struct view all = lab_subscribe(&scene->lab, "A81001", "", "", false);
    struct view pattern = lab_subscribe(&scene->lab, "A81001", "encounter-*-1", "", false);
    struct view named =
        lab_subscribe(&scene->lab, "A81001", "encounter-transferred-1 encounter-registered-1", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-transferred-1", "V1", URGENCY_ROUTINE);
    say(scene, "encounter-registered-1", "V2", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", all), 0);
    assert_int_equal(head_of(scene, "A81001", pattern), 0);
    assert_int_equal(head_of(scene, "A81001", named), 2);
}

static void publishers_do_not_get_their_own_events_back_unless_they_ask(void **state)
{
    struct scene *scene = *state;
    struct view plain = lab_subscribe(&scene->lab, "R0A", "", "", false);
    struct view own = lab_subscribe(&scene->lab, "R0A", "", "", true);
    (void)lab_register(&scene->lab, ANNE, "R0A", "hospital-team");
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "R0A", plain), 0);
    assert_int_equal(head_of(scene, "R0A", own), 1);
}

static void a_retraction_reaches_who_had_the_first_whatever_they_ask_for_now(void **state)
{
    struct scene *scene = *state;
    struct view had = lab_subscribe(&scene->lab, "A81001", "", "", false);
    struct view had_not = lab_subscribe(&scene->lab, "A81001", "care-plan-changed-1", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    lab_change_subscription(&scene->lab, had, "A81001", "care-plan-changed-1", "carer", SUBSCRIPTION_ACTIVE);
    lab_change_subscription(&scene->lab, had_not, "A81001", "", "", SUBSCRIPTION_ACTIVE);
    struct view later = lab_subscribe(&scene->lab, "A81001", "", "", false);
    cancel(scene, "V1");
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", had), 2);
    assert_int_equal(head_of(scene, "A81001", had_not), 0);
    assert_int_equal(head_of(scene, "A81001", later), 0);
}

/* Many source partitions in one subscription: the first telling is found among the others by its cause. */
static void what_is_taken_back_is_found_among_many(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    static const char *const patients[] = {"9990000018", "9990000026", "9990000034",
                                           "9990000042", "9990000050", "9990000069"};
    char spells[60][8];
    for (size_t i = 0; i < 6; i++)
        (void)lab_register(&scene->lab, patients[i], "A81001", "gp");
    for (size_t i = 0; i < 60; i++) {
        (void)snprintf(spells[i], sizeof spells[i], "V%zu", i);
        struct care_event event = lab_event(&scene->lab, patients[i * 7 % 6], "encounter-admitted-1", spells[i]);
        (void)lab_append(&scene->lab, &event);
    }
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", id), 60);
    for (size_t i = 0; i < 60; i++) {
        struct care_event event = lab_event(&scene->lab, patients[i * 7 % 6], "encounter-cancelled-1", spells[i]);
        event.body.cancelled_type = VIEW("encounter-admitted-1");
        (void)lab_append(&scene->lab, &event);
        fold_all(scene);
        assert_int_equal(head_of(scene, "A81001", id), 61 + (int64_t)i);
    }
}

static void an_ended_subscription_gets_nothing_more_and_keeps_its_numbers(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    lab_change_subscription(&scene->lab, id, "A81001", "", "", SUBSCRIPTION_ENDED);
    say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", id), 1);
}

static void folding_again_from_a_lost_store_gives_the_same_numbers(void **state)
{
    struct scene *scene = *state;
    char command[160];
    struct numbered_alert before[8], after;
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    for (int i = 0; i < 8; i++)
        say(scene, "encounter-transferred-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    for (int i = 0; i < 8; i++)
        assert_int_equal(number_find(runner_store(scene->numbers), id, i + 1, &before[i]), OK);
    numbers_close(scene);
    (void)snprintf(command, sizeof command, "rm -f %s/numbers.store*", scene->lab.folder);
    assert_int_equal(system(command), 0);
    fold_all(scene);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(number_find(runner_store(scene->numbers), id, i + 1, &after), OK);
        assert_int_equal(after.telling.offset, before[i].telling.offset);
    }
}

static void an_alerts_id_depends_on_what_it_tells_and_to_whom(void **state)
{
    (void)state;
    struct event_id event = {{1}}, other = {{2}};
    char a[ALERT_ID_SIZE], b[ALERT_ID_SIZE];
    alert_id(VIEW("A81001.x"), &event, ALERT_NEW, 0, a);
    alert_id(VIEW("A81001.x"), &event, ALERT_NEW, 0, b);
    assert_string_equal(a, b);
    alert_id(VIEW("A81001.x"), &other, ALERT_NEW, 0, b);
    assert_string_not_equal(a, b);
    alert_id(VIEW("A81001.y"), &event, ALERT_NEW, 0, b);
    assert_string_not_equal(a, b);
    alert_id(VIEW("A81001.x"), &event, ALERT_RETRACTION, 0, b);
    assert_string_not_equal(a, b);
    alert_id(VIEW("A81001.x"), &event, ALERT_NEW, 1, b);
    assert_string_not_equal(a, b);
}

static void what_is_ended_stays_ended(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_subscribe(&scene->lab, "A81001", "", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    lab_change_subscription(&scene->lab, id, "A81001", "", "", SUBSCRIPTION_ENDED);
    lab_change_subscription(&scene->lab, id, "A81001", "", "", SUBSCRIPTION_ACTIVE);
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", id), 0);
}

static void ended_subscriptions_make_room_for_new_ones(void **state)
{
    struct scene *scene = *state;
    struct view first = lab_subscribe(&scene->lab, "A81001", "", "", false), last = VIEW_NONE;
    struct view ended = lab_subscribe(&scene->lab, "A81001", "", "", false);
    lab_change_subscription(&scene->lab, ended, "A81001", "", "", SUBSCRIPTION_ENDED);
    for (int i = 0; i < 99; i++)
        last = lab_subscribe(&scene->lab, "A81001", "", "", false);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", first), 1);
    assert_int_equal(head_of(scene, "A81001", last), 1);
    assert_int_equal(head_of(scene, "A81001", ended), -1);
}

static void a_subscription_under_another_subscribers_id_gets_nothing(void **state)
{
    struct scene *scene = *state;
    struct view own = lab_subscribe(&scene->lab, "B82002", "", "", false);
    lab_change_subscription(&scene->lab, own, "A81001", "", "", SUBSCRIPTION_ACTIVE);
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    (void)lab_register(&scene->lab, ANNE, "B82002", "gp");
    say(scene, "encounter-admitted-1", "V1", URGENCY_NORMAL);
    fold_all(scene);
    assert_int_equal(head_of(scene, "A81001", own), -1);
    assert_int_equal(head_of(scene, "B82002", own), 1);
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(numbers_count_from_one_without_a_gap),
        SENTENCE(a_subscription_gets_what_comes_after_it),
        SENTENCE(types_and_roles_choose),
        SENTENCE(what_is_off_or_routine_goes_only_to_who_names_it_in_full),
        SENTENCE(publishers_do_not_get_their_own_events_back_unless_they_ask),
        SENTENCE(a_retraction_reaches_who_had_the_first_whatever_they_ask_for_now),
        SENTENCE(what_is_taken_back_is_found_among_many),
        SENTENCE(an_ended_subscription_gets_nothing_more_and_keeps_its_numbers),
        SENTENCE(folding_again_from_a_lost_store_gives_the_same_numbers),
        SENTENCE(an_alerts_id_depends_on_what_it_tells_and_to_whom),
        SENTENCE(what_is_ended_stays_ended),
        SENTENCE(ended_subscriptions_make_room_for_new_ones),
        SENTENCE(a_subscription_under_another_subscribers_id_gets_nothing),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
