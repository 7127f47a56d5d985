/* Who has to be told, counted from the messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "producers/simulator/expectation.h"

#include "producers/simulator/adt_message.h"
#include "producers/simulator/care_plan.h"

/* Somebody with a practice, a home and a team, and one who has only a practice. */
static struct person well_known, at_home;
static struct time_zone *zone;

static int people_find(void **state)
{
    bool found = false, found_other = false;
    (void)state;
    zone = time_zone_open("Europe/London");
    for (int i = 0; i < 5000 && !(found && found_other); i++) {
        struct person person;
        person_read(i, &person);
        bool home = person.subscribers[CARE_HOME] != NOBODY, team = person.subscribers[COMMUNITY] != NOBODY;
        if (home && team)
            well_known = person;
        else if (!home && !team)
            at_home = person;
        found = found || (home && team);
        found_other = found_other || (!home && !team);
    }
    return zone != NULL && found && found_other ? 0 : -1;
}

static int zone_close(void **state)
{
    (void)state;
    time_zone_close(zone);
    return 0;
}

/* One patient's messages, one after the other. */
struct story {
    const struct person *person;
    struct stay stay;
    struct standing standing;
    int64_t now_ms;
    struct expected_alert alerts[EXPECTED_MOST];
    size_t count;
};

static struct story story_begin(const struct person *person, char class)
{
    return (struct story){.person = person,
                          .now_ms = 1795510500000,
                          .stay = {.class = class, .visit = 1, .bed = {0, 1, 1, 1}, .left = {0, 2, 1, 1}}};
}

static size_t tell(struct story *story, const char *trigger)
{
    struct buffer bytes = {0};
    struct adt_message message = {.trigger = trigger,
                                  .id = "1",
                                  .tag = "TAG",
                                  .time_ms = story->now_ms += 60000,
                                  .person = story->person,
                                  .stay = &story->stay};
    bool starts = trigger[2] == '1' || trigger[2] == '4';
    if (starts && trigger[1] == '0')
        story->stay.arrived_ms = story->stay.admitted_ms = story->now_ms;
    story->stay.discharged_ms = trigger[2] == '3' && trigger[1] == '0' ? story->now_ms : 0;
    adt_message_write(&message, zone, &bytes);
    story->count = expectation_of_adt(buffer_view(&bytes), story->person, zone, &story->standing, story->alerts);
    buffer_destroy(&bytes);
    return story->count;
}

static void an_admission_is_told_to_everybody_who_looks_after_the_patient(void **state)
{
    struct story story = story_begin(&well_known, 'I');
    (void)state;
    assert_int_equal(tell(&story, "A01"), 3);
    for (int i = 0; i < 3; i++)
        assert_int_equal(story.alerts[i].subscriber, well_known.subscribers[i]);
    story = story_begin(&at_home, 'I');
    assert_int_equal(tell(&story, "A01"), 1);
    assert_int_equal(story.alerts[0].subscriber, at_home.subscribers[PRACTICE]);
}

static void an_arrival_in_ed_is_told_and_a_clinic_is_not(void **state)
{
    struct story story = story_begin(&well_known, 'E');
    (void)state;
    assert_int_equal(tell(&story, "A04"), 3);
    story = story_begin(&well_known, 'O');
    assert_int_equal(tell(&story, "A04"), 0);
}

static void a_move_within_the_site_is_told_only_to_the_team_that_names_it(void **state)
{
    struct story story = story_begin(&well_known, 'I');
    (void)state;
    (void)tell(&story, "A01");
    assert_int_equal(tell(&story, "A02"), 1);
    assert_int_equal(story.alerts[0].kind, COMMUNITY);
    story.stay.bed.site = 1;
    assert_int_equal(tell(&story, "A02"), 3);
}

static void a_repeated_admission_is_told_once_until_it_is_taken_back(void **state)
{
    struct story story = story_begin(&at_home, 'I');
    (void)state;
    assert_int_equal(tell(&story, "A01"), 1);
    assert_int_equal(tell(&story, "A01"), 0);
    assert_int_equal(tell(&story, "A11"), 1);
    assert_int_equal(tell(&story, "A11"), 0);
    assert_int_equal(tell(&story, "A01"), 1);
}

static void taking_back_an_admission_leaves_the_arrival(void **state)
{
    struct story story = story_begin(&at_home, 'E');
    (void)state;
    assert_int_equal(tell(&story, "A04"), 1);
    story.stay.class = 'I';
    assert_int_equal(tell(&story, "A01"), 1);
    assert_int_equal(tell(&story, "A11"), 1);
    assert_true(story.standing.arrived);
    assert_false(story.standing.admitted);
}

static void a_death_is_told_besides_the_discharge_and_taken_back_with_it(void **state)
{
    struct story story = story_begin(&well_known, 'I');
    (void)state;
    (void)tell(&story, "A01");
    story.stay.method = 4;
    story.stay.whereabouts = DIED;
    assert_int_equal(tell(&story, "A03"), 5); /* the team names no deaths */
    story.stay.whereabouts = ON_WARD;
    assert_int_equal(tell(&story, "A13"), 5);
    story.stay.method = 1;
    assert_int_equal(tell(&story, "A03"), 3);
}

static void nobody_is_told_of_a_patient_without_a_right_nhs_number(void **state)
{
    struct story story = story_begin(&well_known, 'I');
    (void)state;
    story.stay.identification = WITHOUT_NHS_NUMBER;
    assert_int_equal(tell(&story, "A01"), 0);
    story.stay.identification = WITH_A_WRONG_NHS_NUMBER;
    assert_int_equal(tell(&story, "A03"), 0);
}

static void every_hospital_writes_a_number_that_is_recognised(void **state)
{
    (void)state;
    for (int hospital = 0; hospital < 3; hospital++) {
        struct story story = story_begin(&at_home, 'I');
        story.stay.hospital = hospital;
        assert_int_equal(tell(&story, "A01"), 1);
    }
}

static void a_care_plan_is_told_to_all_but_its_sender(void **state)
{
    struct buffer event = {0};
    struct expected_alert alerts[EXPECTED_MOST];
    (void)state;
    struct care_plan_change change = {
        .id = "TAG1", .time_ms = 1795510500123, .person = &well_known, .publisher = well_known.subscribers[COMMUNITY]};
    care_plan_write(&change, &event);
    assert_int_equal(expectation_of_care_plan(buffer_view(&event), &well_known, alerts), 2);
    assert_int_equal(alerts[0].kind, PRACTICE);
    assert_int_equal(alerts[1].kind, CARE_HOME);
    buffer_destroy(&event);
}

static void keys_differ_in_everything_that_makes_an_alert(void **state)
{
    struct told_things one = {1, VIEW("new"), VIEW("encounter-admitted-1"), VIEW("V1"), VIEW("9990000018"), 5};
    struct told_things others[] = {one, one, one, one, one, one};
    (void)state;
    others[0].subscriber = 2;
    others[1].kind = VIEW("retraction");
    others[2].type = VIEW("encounter-discharged-1");
    others[3].about = VIEW("V2");
    others[4].nhs_number = VIEW("9990000026");
    others[5].time_ms = 6;
    for (size_t i = 0; i < sizeof others / sizeof others[0]; i++)
        assert_int_not_equal(expectation_key(&one), expectation_key(&others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_admission_is_told_to_everybody_who_looks_after_the_patient),
        cmocka_unit_test(an_arrival_in_ed_is_told_and_a_clinic_is_not),
        cmocka_unit_test(a_move_within_the_site_is_told_only_to_the_team_that_names_it),
        cmocka_unit_test(a_repeated_admission_is_told_once_until_it_is_taken_back),
        cmocka_unit_test(taking_back_an_admission_leaves_the_arrival),
        cmocka_unit_test(a_death_is_told_besides_the_discharge_and_taken_back_with_it),
        cmocka_unit_test(nobody_is_told_of_a_patient_without_a_right_nhs_number),
        cmocka_unit_test(every_hospital_writes_a_number_that_is_recognised),
        cmocka_unit_test(a_care_plan_is_told_to_all_but_its_sender),
        cmocka_unit_test(keys_differ_in_everything_that_makes_an_alert),
    };
    return cmocka_run_group_tests(tests, people_find, zone_close);
}
