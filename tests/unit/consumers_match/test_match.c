/* Who is told, decided over a real log by the real runner. */
#include "consumers/match/match.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>

#define ANNE "9990000018"
#define BILL "9990000026"

enum { MOST = 64 };

struct scene {
    struct lab lab;
    struct telling tellings[MOST];
    struct event_header events[MOST];
    size_t count;
};

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

/* Matches all there is, and reads the tellings of the whole log. */
static void match_all(struct scene *scene)
{
    struct fold fold = match_fold();
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    struct runner *runner;
    struct error err = {0};
    assert_int_equal(runner_open(&fold, &options, &runner, &err), OK);
    while (runner_step(runner, 0, &err) == OK)
        ;
    runner_close(runner);
    scene->count = lab_tellings(&scene->lab, scene->tellings, scene->events, MOST);
    assert_true(scene->count <= MOST);
}

static size_t told(const struct scene *scene, const char *subscriber, enum alert_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < scene->count; i++)
        count += view_is_text(scene->tellings[i].subscriber, subscriber) && scene->tellings[i].kind == kind;
    return count;
}

static void say(struct scene *scene, const char *nhs_number, const char *type, const char *spell)
{
    struct care_event event = lab_event(&scene->lab, nhs_number, type, spell);
    (void)lab_append(&scene->lab, &event);
}

static void cancel(struct scene *scene, const char *nhs_number, const char *spell, const char *type)
{
    struct care_event event = lab_event(&scene->lab, nhs_number, "encounter-cancelled-1", spell);
    event.body.cancelled_type = view_of_text(type);
    (void)lab_append(&scene->lab, &event);
}

static void an_admission_tells_everyone_who_looks_after_the_patient_and_nobody_else(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    (void)lab_register(&scene->lab, ANNE, "VN001", "care-home");
    (void)lab_register(&scene->lab, BILL, "A82002", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    match_all(scene);
    assert_int_equal(scene->count, 2);
    assert_int_equal(told(scene, "A81001", ALERT_NEW), 1);
    assert_int_equal(told(scene, "VN001", ALERT_NEW), 1);
}

static void one_event_is_one_telling_however_many_registrations_match(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    (void)lab_register(&scene->lab, ANNE, "A81001", "palliative");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    match_all(scene);
    assert_int_equal(scene->count, 1);
    assert_int_equal(scene->tellings[0].because_count, 2);
    assert_true(view_is_text(scene->tellings[0].because[0].role, "gp"));
    assert_true(view_is_text(scene->tellings[0].because[1].role, "palliative"));
}

static void who_registers_later_is_not_told_of_what_was_before(void **state)
{
    struct scene *scene = *state;
    say(scene, ANNE, "encounter-admitted-1", "V1");
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    match_all(scene);
    assert_int_equal(scene->count, 0);
}

static void who_has_left_is_not_told(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_register(&scene->lab, ANNE, "A81001", "gp");
    lab_end_registration(&scene->lab, ANNE, id);
    say(scene, ANNE, "encounter-admitted-1", "V1");
    match_all(scene);
    assert_int_equal(scene->count, 0);
}

static void a_registration_is_compared_with_when_the_event_was_recorded(void **state)
{
    struct scene *scene = *state;
    struct care_event event = lab_event(&scene->lab, ANNE, "registration-started-1", NULL);
    event.body.has_registration = true;
    event.body.registration =
        (struct registration){.id = arena_format(&scene->lab.arena, "%.*s.later", VIEW_ARGS(event.header.patient)),
                              .subscriber = VIEW("A81001"),
                              .role = VIEW("gp"),
                              .from_ms = scene->lab.now_ms + 1000,
                              .until_ms = scene->lab.now_ms + 2000};
    (void)lab_append(&scene->lab, &event);
    say(scene, ANNE, "encounter-admitted-1", "V1");
    scene->lab.now_ms += 1200;
    say(scene, ANNE, "encounter-admitted-1", "V2");
    scene->lab.now_ms += 1000;
    say(scene, ANNE, "encounter-admitted-1", "V3");
    match_all(scene);
    assert_int_equal(scene->count, 1);
}

static void a_retraction_goes_to_exactly_those_who_were_told(void **state)
{
    struct scene *scene = *state;
    struct view id = lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    lab_end_registration(&scene->lab, ANNE, id);
    (void)lab_register(&scene->lab, ANNE, "A82002", "gp");
    cancel(scene, ANNE, "V1", "encounter-admitted-1");
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_NEW), 1);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 1);
    assert_int_equal(told(scene, "A82002", ALERT_RETRACTION), 0);
    const struct telling *first = &scene->tellings[0], *second = &scene->tellings[1];
    assert_memory_equal(&second->concerned.event, &scene->events[0].id, sizeof(struct event_id));
    assert_int_equal(second->concerned.cause.offset, first->cause.offset);
    assert_int_equal(second->concerned.cause.index, first->cause.index);
}

static void a_repeated_admission_gives_no_second_telling_until_the_first_is_taken_back(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    cancel(scene, ANNE, "V1", "encounter-admitted-1");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_NEW), 2);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 1);
}

static void the_same_message_under_a_new_time_is_applied_once(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-transferred-1", "V1");
    (void)lab_append(&scene->lab, &event);
    (void)lab_append(&scene->lab, &event);
    match_all(scene);
    assert_int_equal(scene->count, 1);
}

static void a_counter_that_wrapped_is_a_new_message(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-transferred-1", "V1");
    (void)lab_append(&scene->lab, &event);
    scene->lab.now_ms += 25LL * 3600 * 1000;
    event.header.content[0] ^= 1;
    (void)lab_append(&scene->lab, &event);
    match_all(scene);
    assert_int_equal(scene->count, 2);
}

static void a_cancelled_discharge_takes_back_the_death_it_told(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    say(scene, ANNE, "encounter-discharged-1", "V1");
    say(scene, ANNE, "patient-died-1", "V1");
    cancel(scene, ANNE, "V1", "encounter-discharged-1");
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_NEW), 3);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 2);
    assert_int_equal(scene->tellings[3].place, 0);
    assert_int_equal(scene->tellings[4].place, 1);
}

static void a_cancellation_of_nothing_is_put_before_a_person_and_tells_nobody(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    cancel(scene, ANNE, "V9", "encounter-admitted-1");
    match_all(scene);
    assert_int_equal(scene->count, 0);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 1);
    assert_true(view_is_text(items[0].kind, "cancels-nothing"));
    assert_true(view_is_text(items[0].organisation, "R0A"));
}

static void a_cancellation_names_the_message_it_cancels(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event plan = lab_event(&scene->lab, ANNE, "care-plan-changed-1", NULL);
    (void)lab_append(&scene->lab, &plan);
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-cancelled-1", NULL);
    event.body.cancels = plan.body.message_id;
    (void)lab_append(&scene->lab, &event);
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 1);
}

static void matching_again_from_a_lost_store_tells_nobody_twice_in_number(void **state)
{
    struct scene *scene = *state;
    char command[160];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    match_all(scene);
    (void)snprintf(command, sizeof command, "rm -f %s/match.store*", scene->lab.folder);
    assert_int_equal(system(command), 0);
    say(scene, ANNE, "encounter-discharged-1", "V1");
    match_all(scene); /* the group's offset stands: silent up to it */
    assert_int_equal(scene->count, 2);
}

static void one_patients_flood_does_not_change_another_patients_tellings(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    (void)lab_register(&scene->lab, BILL, "A82002", "gp");
    for (int i = 0; i < 30; i++)
        say(scene, ANNE, "encounter-transferred-1", "V1");
    say(scene, BILL, "encounter-admitted-1", "V2");
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_NEW), 30);
    assert_int_equal(told(scene, "A82002", ALERT_NEW), 1);
}

static void say_at(struct scene *scene, const char *type, const char *spell, int64_t happened_at_ms)
{
    struct care_event event = lab_event(&scene->lab, ANNE, type, spell);
    event.body.happened_at_ms = happened_at_ms;
    (void)lab_append(&scene->lab, &event);
}

static void what_comes_after_something_later_was_told_is_late_and_says_where_the_patient_is(void **state)
{
    struct scene *scene = *state;
    struct event_body bodies[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say_at(scene, "encounter-discharged-1", "V1", 2000);
    (void)lab_register(&scene->lab, ANNE, "VN001", "care-home");
    say_at(scene, "encounter-admitted-1", "V1", 1000);
    match_all(scene);
    assert_int_equal(scene->count, 3);
    assert_int_equal(lab_told_bodies(&scene->lab, bodies, 4), 3);
    for (size_t i = 0; i < 3; i++) {
        bool is_late = i > 0 && view_is_text(scene->tellings[i].subscriber, "A81001");
        assert_int_equal(scene->tellings[i].late, is_late); /* the care home was told of nothing later */
        assert_int_equal(view_is_text(bodies[i].state, "discharged"), is_late);
    }
    assert_memory_equal(&scene->events[1].id, &scene->events[2].id, sizeof(struct event_id));
    assert_true(view_is_text(scene->events[1].type, "encounter-admitted-1"));
}

static void the_two_events_of_one_message_do_not_make_each_other_late(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event discharge = lab_event(&scene->lab, ANNE, "encounter-discharged-1", "V1");
    discharge.body.happened_at_ms = 2000;
    struct care_event death = discharge;
    death.header.type = VIEW("patient-died-1");
    death.header.index = 1;
    death.body.happened_at_ms = 1000;
    (void)lab_append(&scene->lab, &discharge);
    (void)lab_append(&scene->lab, &death);
    match_all(scene);
    assert_int_equal(scene->count, 2);
    assert_false(scene->tellings[1].late);
}

static void a_transfer_in_a_stay_never_seen_tells_the_admission(void **state)
{
    struct scene *scene = *state;
    struct event_body bodies[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-transferred-1", "V1");
    event.header.urgency = URGENCY_ROUTINE;
    event.body.encounter.admitted_at_ms = 500;
    (void)lab_append(&scene->lab, &event);
    say_at(scene, "encounter-admitted-1", "V1", 500); /* known by now */
    say_at(scene, "encounter-transferred-1", "V1", 3000);
    cancel(scene, ANNE, "V1", "encounter-admitted-1");
    match_all(scene);
    assert_int_equal(scene->count, 3);
    assert_int_equal(lab_told_bodies(&scene->lab, bodies, 4), 3);
    assert_true(view_is_text(scene->events[0].type, "encounter-admitted-1"));
    assert_int_equal(scene->events[0].urgency, URGENCY_NORMAL);
    assert_true(scene->tellings[0].late);
    assert_true(view_is_text(bodies[0].state, "in-hospital"));
    assert_int_equal(bodies[0].happened_at_ms, 500);
    assert_true(view_is_text(scene->events[1].type, "encounter-transferred-1"));
    assert_int_equal(scene->tellings[2].kind, ALERT_RETRACTION);
    assert_memory_equal(&scene->tellings[2].concerned.event, &scene->events[0].id, sizeof(struct event_id));
}

static void a_cancelled_discharge_of_a_stay_never_seen_leaves_the_patient_in_hospital(void **state)
{
    struct scene *scene = *state;
    struct event_body bodies[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-discharged-1", "V1");
    cancel(scene, ANNE, "V1", "encounter-discharged-1");
    match_all(scene);
    assert_int_equal(lab_told_bodies(&scene->lab, bodies, 4), 2);
    assert_true(view_is_text(bodies[1].state, "in-hospital"));
}

static void a_cancelled_admission_is_as_if_it_never_was(void **state)
{
    struct scene *scene = *state;
    struct event_body bodies[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    cancel(scene, ANNE, "V1", "encounter-admitted-1");
    match_all(scene);
    assert_int_equal(lab_told_bodies(&scene->lab, bodies, 4), 2);
    assert_true(view_is_text(bodies[1].state, "not-admitted"));
}

static void a_cancellation_by_id_finds_only_its_own_publishers_event(void **state)
{
    struct scene *scene = *state;
    struct work_item items[4];
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    struct care_event event = lab_event(&scene->lab, ANNE, "encounter-admitted-1", "V1");
    event.header.origin = ORIGIN_CLOUDEVENTS;
    (void)lab_append(&scene->lab, &event);
    struct care_event foreign = lab_event(&scene->lab, ANNE, "encounter-cancelled-1", NULL);
    foreign.header.origin = ORIGIN_CLOUDEVENTS;
    foreign.header.publisher = VIEW("R0B");
    foreign.body.cancels = event.body.message_id;
    (void)lab_append(&scene->lab, &foreign);
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 0);
    assert_int_equal(lab_work_items(&scene->lab, items, 4), 1);
    assert_true(view_is_text(items[0].kind, "cancels-nothing"));
    struct care_event own = lab_event(&scene->lab, ANNE, "encounter-cancelled-1", NULL);
    own.header.origin = ORIGIN_CLOUDEVENTS;
    own.body.cancels = event.body.message_id;
    (void)lab_append(&scene->lab, &own);
    match_all(scene);
    assert_int_equal(told(scene, "A81001", ALERT_RETRACTION), 1);
}

static void an_admission_that_stands_outlives_any_number_of_changed_care_plans(void **state)
{
    struct scene *scene = *state;
    (void)lab_register(&scene->lab, ANNE, "A81001", "gp");
    say(scene, ANNE, "encounter-admitted-1", "V1");
    lab_end_registration(&scene->lab, ANNE, lab_register(&scene->lab, ANNE, "X", "carer"));
    for (int i = 0; i < 300; i++)
        say(scene, ANNE, "care-plan-changed-1", NULL);
    cancel(scene, ANNE, "V1", "encounter-admitted-1");
    struct fold fold = match_fold();
    struct runner_options options = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    struct runner *runner;
    struct error err = {0};
    struct telling *tellings = memory_array(400, sizeof *tellings);
    assert_int_equal(runner_open(&fold, &options, &runner, &err), OK);
    while (runner_step(runner, 0, &err) == OK)
        ;
    runner_close(runner);
    assert_int_equal(lab_tellings(&scene->lab, tellings, NULL, 400), 302);
    assert_int_equal(tellings[301].kind, ALERT_RETRACTION);
    free(tellings);
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(an_admission_tells_everyone_who_looks_after_the_patient_and_nobody_else),
        SENTENCE(one_event_is_one_telling_however_many_registrations_match),
        SENTENCE(who_registers_later_is_not_told_of_what_was_before),
        SENTENCE(who_has_left_is_not_told),
        SENTENCE(a_registration_is_compared_with_when_the_event_was_recorded),
        SENTENCE(a_retraction_goes_to_exactly_those_who_were_told),
        SENTENCE(a_repeated_admission_gives_no_second_telling_until_the_first_is_taken_back),
        SENTENCE(the_same_message_under_a_new_time_is_applied_once),
        SENTENCE(a_counter_that_wrapped_is_a_new_message),
        SENTENCE(a_cancelled_discharge_takes_back_the_death_it_told),
        SENTENCE(a_cancellation_of_nothing_is_put_before_a_person_and_tells_nobody),
        SENTENCE(a_cancellation_names_the_message_it_cancels),
        SENTENCE(matching_again_from_a_lost_store_tells_nobody_twice_in_number),
        SENTENCE(one_patients_flood_does_not_change_another_patients_tellings),
        SENTENCE(what_comes_after_something_later_was_told_is_late_and_says_where_the_patient_is),
        SENTENCE(the_two_events_of_one_message_do_not_make_each_other_late),
        SENTENCE(a_transfer_in_a_stay_never_seen_tells_the_admission),
        SENTENCE(a_cancelled_discharge_of_a_stay_never_seen_leaves_the_patient_in_hospital),
        SENTENCE(a_cancelled_admission_is_as_if_it_never_was),
        SENTENCE(a_cancellation_by_id_finds_only_its_own_publishers_event),
        SENTENCE(an_admission_that_stands_outlives_any_number_of_changed_care_plans),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
