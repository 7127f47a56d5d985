/* A message's way into the log: once, in order, recognised when it comes again, answered when it is durable. */
#include "tests/unit/broker_publisher/scene.h"

static void a_new_message_is_in_the_log_when_it_is_answered(void **state)
{
    struct scene *scene = *state;
    struct publication_answer answer = say(scene, (struct said){.id = "m1"});
    assert_int_equal(answer.outcome, PUBLICATION_DURABLE);
    assert_int_equal(events_read(scene), 1);
    const struct event_header *event = &scene->events[0].event;
    assert_int_equal(scene->offsets[0], answer.position.offset);
    assert_memory_equal(&event->id, &answer.first_id, sizeof event->id);
    assert_int_equal(event->recorded_at_ms, answer.recorded_at_ms);
    assert_true(view_is_text(event->publisher, "R0A"));
    assert_true(view_is_text(event->organisation, "R0A"));
    assert_true(view_is(event->patient, lab_patient(&scene->lab, ANNE)));
    assert_int_equal(event->count, 1);
    struct event_body body = body_of(scene, 0);
    assert_true(view_is_text(body.message_id, "m1"));
    assert_true(view_is_text(body.patient.nhs_number, ANNE));
}

static void a_message_that_gives_nothing_is_answered_at_once_and_leaves_nothing(void **state)
{
    struct scene *scene = *state;
    struct publication_answer answer = say(scene, (struct said){.id = "m1", .event_count = SIZE_MAX});
    assert_int_equal(answer.outcome, PUBLICATION_DURABLE);
    assert_int_equal(answer.position.partition, -1);
    assert_int_equal(events_read(scene), 0);
}

static void the_same_message_while_the_first_is_on_its_way_has_one_effect(void **state)
{
    struct scene *scene = *state;
    uint64_t first, second;
    assert_int_equal(say_to(scene, scene->publisher, (struct said){.id = "m1"}, &first), OK);
    assert_int_equal(say_to(scene, scene->publisher, (struct said){.id = "m1"}, &second), OK);
    struct publication_answer one = answer_of(scene->publisher), two = answer_of(scene->publisher);
    assert_int_equal(one.token, first);
    assert_int_equal(two.token, second);
    assert_int_equal(one.outcome, PUBLICATION_DURABLE);
    assert_int_equal(two.outcome, PUBLICATION_DUPLICATE);
    assert_memory_equal(&one.first_id, &two.first_id, sizeof one.first_id);
    assert_int_equal(events_read(scene), 1);
}

static void the_same_message_again_gets_the_first_answer(void **state)
{
    struct scene *scene = *state;
    struct publication_answer one = say(scene, (struct said){.id = "m1", .at_ms = 1790000000000});
    for (int i = 0; i < 3; i++) {
        struct publication_answer again = say(scene, (struct said){.id = "m1", .at_ms = 1790000005000 + i});
        assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
        assert_memory_equal(&one.first_id, &again.first_id, sizeof one.first_id);
        assert_int_equal(one.position.offset, again.position.offset);
        assert_int_equal(one.recorded_at_ms, again.recorded_at_ms);
        settle(scene->publisher);
    }
    assert_int_equal(events_read(scene), 1);
}

static void the_same_message_after_a_restart_gets_the_first_answer(void **state)
{
    struct scene *scene = *state;
    struct publication_answer one = say(scene, (struct said){.id = "m1"});
    restart(scene);
    settle(scene->publisher);
    struct publication_answer again = say(scene, (struct said){.id = "m1"});
    assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
    assert_memory_equal(&one.first_id, &again.first_id, sizeof one.first_id);
    assert_int_equal(events_read(scene), 1);
}

static void the_same_message_through_another_process_gets_the_first_answer(void **state)
{
    struct scene *scene = *state;
    uint64_t token;
    struct publication_answer one = say(scene, (struct said){.id = "m1"});
    struct publisher *other = publisher_start(scene, scene->other_folder);
    settle(other);
    assert_int_equal(say_to(scene, other, (struct said){.id = "m1"}, &token), OK);
    struct publication_answer again = answer_of(other);
    assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
    assert_memory_equal(&one.first_id, &again.first_id, sizeof one.first_id);
    publisher_close(other);
    assert_int_equal(events_read(scene), 1);
}

static void the_same_id_with_other_content_is_a_conflict_and_on_the_work_list(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    (void)say(scene, (struct said){.id = "m1", .content = "one"});
    assert_int_equal(say(scene, (struct said){.id = "m1", .content = "two"}).outcome, PUBLICATION_CONFLICT);
    settle(scene->publisher);
    assert_int_equal(say(scene, (struct said){.id = "m1", .content = "two"}).outcome, PUBLICATION_CONFLICT);
    assert_int_equal(events_read(scene), 1);
    settle(scene->publisher);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 2);
    assert_true(view_is_text(items[0].kind, "conflict"));
    assert_true(view_is_text(items[0].organisation, "R0A"));
    assert_true(view_is_text(items[0].message_id, "m1"));
    assert_true(view_is_text(items[0].code, "205"));
}

static void a_counter_that_wrapped_is_a_new_message_and_compared_with_from_then_on(void **state)
{
    struct scene *scene = *state;
    const int64_t day_ms = 24LL * 3600 * 1000, at_ms = 1790000000000;
    (void)say(scene, (struct said){.id = "m1", .content = "one", .at_ms = at_ms});
    settle(scene->publisher);
    struct publication_answer wrapped =
        say(scene, (struct said){.id = "m1", .content = "two", .at_ms = at_ms + day_ms + 1});
    assert_int_equal(wrapped.outcome, PUBLICATION_DURABLE);
    settle(scene->publisher);
    struct publication_answer again =
        say(scene, (struct said){.id = "m1", .content = "two", .at_ms = at_ms + day_ms + 2});
    assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
    assert_memory_equal(&wrapped.first_id, &again.first_id, sizeof again.first_id);
    assert_int_equal(events_read(scene), 2);
}

static void a_cloudevents_id_never_wraps(void **state)
{
    struct scene *scene = *state;
    const int64_t day_ms = 24LL * 3600 * 1000, at_ms = 1790000000000;
    (void)say(scene, (struct said){.id = "m1", .content = "one", .at_ms = at_ms});
    settle(scene->publisher);
    assert_int_equal(say(scene, (struct said){.id = "m1", .content = "two", .at_ms = at_ms + 2 * day_ms}).outcome,
                     PUBLICATION_CONFLICT);
    assert_int_equal(events_read(scene), 1);
}

static void the_two_events_of_a_message_stand_together_and_are_one_message(void **state)
{
    struct scene *scene = *state;
    struct publication_answer one = say(scene, (struct said){.id = "m1", .event_count = 2});
    assert_int_equal(one.outcome, PUBLICATION_DURABLE);
    settle(scene->publisher);
    assert_int_equal(say(scene, (struct said){.id = "m1", .event_count = 2}).outcome, PUBLICATION_DUPLICATE);
    assert_int_equal(events_read(scene), 2);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(scene->events[i].event.index, i);
        assert_int_equal(scene->events[i].event.count, 2);
    }
    assert_false(event_id_is_same_message(&scene->events[0].event.id, &scene->events[1].event.id));
}

static void of_a_message_of_which_only_the_first_event_is_durable_the_rest_comes_with_the_next_sending(void **state)
{
    struct scene *scene = *state;
    (void)say(scene, (struct said){.id = "m1"}); /* the first of two, as if it died between them */
    restart(scene);
    settle(scene->publisher);
    struct publication_answer again = say(scene, (struct said){.id = "m1", .event_count = 2});
    assert_int_equal(again.outcome, PUBLICATION_DURABLE);
    assert_int_equal(events_read(scene), 3);
    assert_true(event_id_is_same_message(&scene->events[0].event.id, &scene->events[1].event.id));
    assert_int_equal(scene->events[2].event.index, 1);
    settle(scene->publisher);
    assert_int_equal(say(scene, (struct said){.id = "m1", .event_count = 2}).outcome, PUBLICATION_DUPLICATE);
    assert_int_equal(events_read(scene), 3);
}

static void a_patients_new_key_is_durable_before_the_event_that_needs_it(void **state)
{
    struct scene *scene = *state;
    with_script(scene, "append keys 1 fail");
    assert_int_equal(say(scene, (struct said){.id = "m1"}).outcome, PUBLICATION_UNCERTAIN);
    assert_int_equal(events_read(scene), 0);
    assert_int_equal(say(scene, (struct said){.id = "m1"}).outcome, PUBLICATION_DURABLE);
    assert_int_equal(events_read(scene), 1);
    (void)body_of(scene, 0); /* its key is found */
}

static void messages_of_a_patient_whose_key_is_awaited_stay_in_order(void **state)
{
    struct scene *scene = *state;
    static const char *const ids[] = {"m1", "m2", "m3", "m4", "m5"};
    uint64_t token;
    size_t seen = 0;
    with_script(scene, "append keys 1 delay 100");
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(
            say_to(scene, scene->publisher, (struct said){.id = ids[i], .nhs_number = i == 2 ? BILL : ANNE}, &token),
            OK);
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(answer_of(scene->publisher).outcome, PUBLICATION_DURABLE);
    assert_int_equal(events_read(scene), 5);
    static const char *const annes[] = {"m1", "m2", "m4", "m5"};
    for (size_t i = 0; i < 5; i++) {
        struct event_body body = body_of(scene, i);
        if (view_is_text(body.patient.nhs_number, ANNE))
            assert_true(view_is_text(body.message_id, annes[seen++]));
    }
    assert_int_equal(seen, 4);
}

static void a_lost_answer_is_uncertain_and_the_same_again_has_one_effect(void **state)
{
    struct scene *scene = *state;
    (void)lab_patient(&scene->lab, ANNE);
    with_script(scene, "append events 1 lose-answer");
    assert_int_equal(say(scene, (struct said){.id = "m1"}).outcome, PUBLICATION_UNCERTAIN);
    settle(scene->publisher);
    struct publication_answer again = say(scene, (struct said){.id = "m1"});
    assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
    assert_int_equal(events_read(scene), 1);
    assert_memory_equal(&scene->events[0].event.id, &again.first_id, sizeof again.first_id);
}

static void a_failed_append_fails_those_behind_it_and_all_come_in_when_sent_again(void **state)
{
    struct scene *scene = *state;
    static const char *const ids[] = {"m1", "m2", "m3"};
    uint64_t token;
    (void)lab_patient(&scene->lab, ANNE);
    with_script(scene, "append events 1 fail");
    for (size_t i = 0; i < 3; i++)
        (void)say_to(scene, scene->publisher, (struct said){.id = ids[i]}, &token);
    struct publication_answer answer;
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (publisher_waiting(scene->publisher) > 0 && time_monotonic_ms() < give_up_ms) {
        step(scene->publisher);
        while (publisher_collect(scene->publisher, &answer) == OK)
            assert_int_not_equal(answer.outcome, PUBLICATION_DURABLE);
    }
    for (size_t i = 0; i < 3; i++)
        assert_int_not_equal(say(scene, (struct said){.id = ids[i]}).outcome, PUBLICATION_UNCERTAIN);
    assert_int_equal(events_read(scene), 3);
    for (size_t i = 0; i < 3; i++)
        assert_true(view_is_text(body_of(scene, i).message_id, ids[i]));
}

static void who_waits_too_long_is_told_that_it_is_not_known_and_it_becomes_durable_once(void **state)
{
    struct scene *scene = *state;
    (void)lab_patient(&scene->lab, ANNE);
    with_script(scene, "append events 1 delay 8500");
    int64_t asked_ms = time_monotonic_ms();
    assert_int_equal(say(scene, (struct said){.id = "m1"}).outcome, PUBLICATION_UNCERTAIN);
    assert_true(time_monotonic_ms() - asked_ms < 8400);
    struct publication_answer again = say(scene, (struct said){.id = "m1"});
    if (again.outcome == PUBLICATION_UNCERTAIN) { /* still on its way */
        settle(scene->publisher);
        while (publisher_waiting(scene->publisher) > 0)
            (void)publisher_collect(scene->publisher, &again);
        again = say(scene, (struct said){.id = "m1"});
    }
    assert_int_equal(again.outcome, PUBLICATION_DUPLICATE);
    assert_int_equal(events_read(scene), 1);
}

static void a_patient_known_only_by_the_senders_local_number_is_taken(void **state)
{
    struct scene *scene = *state;
    char ref[PATIENT_REF_SIZE];
    assert_int_equal(say(scene, (struct said){.id = "m1", .local = true, .item_count = 1}).outcome,
                     PUBLICATION_DURABLE);
    assert_int_equal(events_read(scene), 1);
    vault_patient_ref_of_local_id(scene->lab.vault, VIEW("R0A"), VIEW("4711"), ref);
    assert_true(view_is_text(scene->events[0].event.patient, ref));
}

static void nobody_is_found_by_another_organisations_local_number(void **state)
{
    struct scene *scene = *state;
    uint64_t token;
    assert_int_equal(
        say_to(scene, scene->publisher, (struct said){.id = "m1", .local = true, .assigner = "R0B"}, &token), REJECTED);
    assert_int_equal(events_read(scene), 0);
}

static void what_is_for_the_work_list_is_durable_with_the_event(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    struct publication_answer answer = say(scene, (struct said){.id = "m1", .item_count = 1});
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 1);
    assert_int_equal(items[0].recorded_at_ms, answer.recorded_at_ms);
    assert_int_equal(items[0].source_partition, -1);
    answer = say(scene, (struct said){.id = "m2", .event_count = SIZE_MAX, .item_count = 1});
    assert_int_equal(answer.outcome, PUBLICATION_DURABLE);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 2);
}

static void a_report_is_appended_until_it_is_durable(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    struct publication_answer none;
    struct work_item item = {.organisation = VIEW("R0A"), .kind = VIEW("refused"), .why = VIEW("why")};
    with_script(scene, "append quarantine * fail-until 4");
    publisher_report(scene->publisher, &item, 1);
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (lab_work_items(&scene->lab, items, 4) == 0 && time_monotonic_ms() < give_up_ms) {
        step(scene->publisher);
        assert_int_equal(publisher_collect(scene->publisher, &none), NOTHING);
    }
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 1);
    assert_true(items[0].recorded_at_ms != 0);
}

static void two_contents_taken_by_two_processes_at_once_are_listed_afterwards(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    uint64_t token;
    struct publisher *other = publisher_start(scene, scene->other_folder);
    (void)lab_patient(&scene->lab, ANNE);
    settle(scene->publisher);
    settle(other);
    assert_int_equal(say_to(scene, scene->publisher, (struct said){.id = "m1", .content = "one"}, &token), OK);
    assert_int_equal(say_to(scene, other, (struct said){.id = "m1", .content = "two"}, &token), OK);
    assert_int_equal(answer_of(scene->publisher).outcome, PUBLICATION_DURABLE);
    assert_int_equal(answer_of(other).outcome, PUBLICATION_DURABLE);
    settle(scene->publisher);
    settle(other);
    publisher_close(other);
    assert_true(lab_work_items(&scene->lab, items, 4) >= 1);
    assert_true(view_is_text(items[0].kind, "conflict"));
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(a_new_message_is_in_the_log_when_it_is_answered),
        SENTENCE(a_message_that_gives_nothing_is_answered_at_once_and_leaves_nothing),
        SENTENCE(the_same_message_while_the_first_is_on_its_way_has_one_effect),
        SENTENCE(the_same_message_again_gets_the_first_answer),
        SENTENCE(the_same_message_after_a_restart_gets_the_first_answer),
        SENTENCE(the_same_message_through_another_process_gets_the_first_answer),
        SENTENCE(the_same_id_with_other_content_is_a_conflict_and_on_the_work_list),
        SENTENCE(a_counter_that_wrapped_is_a_new_message_and_compared_with_from_then_on),
        cmocka_unit_test_setup_teardown(a_cloudevents_id_never_wraps, scene_open_cloudevents, scene_close),
        SENTENCE(the_two_events_of_a_message_stand_together_and_are_one_message),
        SENTENCE(of_a_message_of_which_only_the_first_event_is_durable_the_rest_comes_with_the_next_sending),
        SENTENCE(a_patients_new_key_is_durable_before_the_event_that_needs_it),
        SENTENCE(messages_of_a_patient_whose_key_is_awaited_stay_in_order),
        SENTENCE(a_lost_answer_is_uncertain_and_the_same_again_has_one_effect),
        SENTENCE(a_failed_append_fails_those_behind_it_and_all_come_in_when_sent_again),
        SENTENCE(who_waits_too_long_is_told_that_it_is_not_known_and_it_becomes_durable_once),
        SENTENCE(a_patient_known_only_by_the_senders_local_number_is_taken),
        SENTENCE(nobody_is_found_by_another_organisations_local_number),
        SENTENCE(what_is_for_the_work_list_is_durable_with_the_event),
        SENTENCE(a_report_is_appended_until_it_is_durable),
        SENTENCE(two_contents_taken_by_two_processes_at_once_are_listed_afterwards),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
