/* Verify: a log that is right is found right, and every way in which it can be wrong is found, with its position. */
#include "tests/unit/broker_main/told_scene.h"

static void what_match_told_is_right(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    if (verify(scene) != OK)
        fail_msg("%s", scene->err.text);
    assert_int_equal(scene->counts.events, 4);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.numbered, 2);
    assert_int_equal(scene->counts.duplicates, 0);
    assert_int_equal(scene->counts.untold, 0);
    assert_int_equal(scene->counts.erased, 0);
}

static void what_is_not_told_yet_is_no_difference(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append(scene, 0);
    telling_append(scene, 1);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.untold, 2);
}

static void what_was_told_twice_is_dropped_and_counted(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    telling_append(scene, 2);
    telling_append(scene, 3);
    assert_int_equal(verify(scene), OK);
    assert_int_equal(scene->counts.tellings, 4);
    assert_int_equal(scene->counts.duplicates, 2);
    assert_int_equal(scene->counts.numbered, 2);
}

static void a_telling_that_was_left_out_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append(scene, 0);
    telling_append(scene, 1);
    telling_append(scene, 3); /* not 2: it went to another subscriber, perhaps in another partition */
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.events partition");
    says(scene, "is missing in tidings.alerts partition");
}

static void a_telling_that_nobody_decided_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    telling_append_changed(scene, 3, false, 7);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.alerts partition");
    says(scene, "which the events do not give");
}

static void a_telling_that_says_something_else_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    telling_append_changed(scene, 0, true, 0);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "is not the telling that tidings.events partition");
}

static void an_event_id_that_its_message_does_not_give_is_found(void **state)
{
    struct scene *scene = *state;
    struct lab *lab = &scene->lab;
    struct buffer value = {0};
    struct care_event event = lab_event(lab, ANNE, "encounter-admitted-1", "V1");
    (void)lab_append(lab, &event);
    event.header.id.bytes[15] ^= 1;
    assert_int_equal(record_seal_event(lab->keyring, &event.header, &event.body, &value, &scene->err), OK);
    (void)lab_append_raw(lab, TOPIC_EVENTS, log_partition_of(lab->log, TOPIC_EVENTS, event.header.patient),
                         event.header.patient, buffer_view(&value));
    buffer_destroy(&value);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "the event's id is not what its publisher and message id give");
}

static void bytes_that_are_no_record_are_found(void **state)
{
    struct scene *scene = *state;
    (void)lab_append_raw(&scene->lab, TOPIC_EVENTS, 1, VIEW("x"), VIEW("no record"));
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "tidings.events partition 1, offset 0: ");
}

static void a_record_in_the_wrong_partition_is_found(void **state)
{
    struct scene *scene = *state;
    four_tellings(scene);
    struct log_entry *entry = &scene->tellings[0];
    (void)lab_append_raw(&scene->lab, TOPIC_ALERTS, (entry->partition + 1) % LAB_PARTITIONS, entry->key, entry->value);
    assert_int_equal(verify(scene), REJECTED);
    says(scene, "belongs to another partition");
}

static void an_erased_patient_is_no_difference(void **state)
{
    struct scene *scene = *state;
    struct lab *lab = &scene->lab;
    uint64_t id;
    four_tellings(scene);
    for (size_t i = 0; i < scene->count; i++)
        telling_append(scene, i);
    struct view anne = lab_patient(lab, ANNE);
    assert_int_equal(keyring_find_any(lab->keyring, anne, &id, &scene->err), OK);
    struct view name = arena_format(&lab->arena, "%.*s/%016llx", VIEW_ARGS(anne), (unsigned long long)id);
    (void)lab_append_raw(lab, TOPIC_KEYS, 0, name, VIEW_NONE);
    struct care_event event = lab_event(lab, BILL, "encounter-admitted-1", "V2");
    (void)lab_append(lab, &event);
    if (verify(scene) != OK)
        fail_msg("%s", scene->err.text);
    assert_int_equal(scene->counts.erased, 8); /* four events, four tellings */
    assert_int_equal(scene->counts.events, 5);
    assert_int_equal(scene->counts.numbered, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SENTENCE(what_match_told_is_right),
        SENTENCE(what_is_not_told_yet_is_no_difference),
        SENTENCE(what_was_told_twice_is_dropped_and_counted),
        SENTENCE(a_telling_that_was_left_out_is_found),
        SENTENCE(a_telling_that_nobody_decided_is_found),
        SENTENCE(a_telling_that_says_something_else_is_found),
        SENTENCE(an_event_id_that_its_message_does_not_give_is_found),
        SENTENCE(bytes_that_are_no_record_are_found),
        SENTENCE(a_record_in_the_wrong_partition_is_found),
        SENTENCE(an_erased_patient_is_no_difference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
