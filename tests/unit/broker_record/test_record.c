/* Records, made and opened; and bytes that are none. */
#include "broker/record/record.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

#define ANNE "9990000018"
#define BILL "9990000026"

struct scene {
    struct lab lab;
    struct care_event event;
    struct buffer record;
};

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    struct error err = {0};
    lab_open(&scene->lab);
    scene->event = lab_event(&scene->lab, ANNE, "encounter-admitted-1", "V1");
    assert_int_equal(
        keyring_find_any(scene->lab.keyring, scene->event.header.patient, &scene->event.header.key_id, &err), OK);
    assert_int_equal(
        record_seal_event(scene->lab.keyring, &scene->event.header, &scene->event.body, &scene->record, &err), OK);
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    buffer_destroy(&scene->record);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static enum result open_and_unseal(struct scene *scene, struct view record, struct event_body *ret)
{
    struct error err = {0};
    struct opened_record opened;
    enum result result = record_open(record, &scene->lab.arena, &opened, &err);
    if (result == OK)
        result = record_unseal_body(scene->lab.keyring, &opened, &scene->lab.arena, ret, &err);
    return result;
}

static void an_event_comes_back_as_it_was(void **state)
{
    struct scene *scene = *state;
    struct event_body body;
    assert_int_equal(open_and_unseal(scene, buffer_view(&scene->record), &body), OK);
    assert_true(view_is_text(body.patient.nhs_number, ANNE));
    assert_true(view_is_text(body.encounter.spell, "V1"));
}

static void sealed_again_it_is_the_same_bytes(void **state)
{
    struct scene *scene = *state;
    struct buffer again = {0};
    struct error err = {0};
    assert_int_equal(record_seal_event(scene->lab.keyring, &scene->event.header, &scene->event.body, &again, &err), OK);
    assert_true(view_is(buffer_view(&scene->record), buffer_view(&again)));
    buffer_destroy(&again);
}

static void the_record_shows_no_number_and_no_name(void **state)
{
    struct scene *scene = *state;
    assert_null(memmem(scene->record.data, scene->record.size, ANNE, 10));
    assert_null(memmem(scene->record.data, scene->record.size, "V1", 2));
}

static void a_telling_carries_the_events_own_pair(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct opened_record event, telling;
    struct event_body body;
    struct buffer value = {0};
    assert_int_equal(record_open(buffer_view(&scene->record), &scene->lab.arena, &event, &err), OK);
    struct telling told = {.subscriber = VIEW("A81001"), .event_header = event.header};
    record_write_telling(&told, event.sealed, &value);
    assert_int_equal(record_open(buffer_view(&value), &scene->lab.arena, &telling, &err), OK);
    assert_int_equal(telling.kind, SCHEMA_TELLING);
    assert_true(view_is(telling.telling.event_header, event.header));
    assert_true(view_is(telling.sealed, event.sealed));
    assert_int_equal(record_unseal_body(scene->lab.keyring, &telling, &scene->lab.arena, &body, &err), OK);
    buffer_destroy(&value);
}

static void a_body_under_another_header_does_not_open(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct opened_record opened;
    struct buffer other = {0}, value = {0};
    struct event_body body;
    assert_int_equal(record_open(buffer_view(&scene->record), &scene->lab.arena, &opened, &err), OK);
    struct event_header header = scene->event.header;
    header.type = VIEW("encounter-discharged-1");
    schema_encode(SCHEMA_EVENT_HEADER, &header, &other);
    struct record_value pair = {buffer_view(&other), opened.sealed};
    schema_encode(SCHEMA_RECORD, &pair, &value);
    assert_int_equal(open_and_unseal(scene, buffer_view(&value), &body), REJECTED);
    buffer_destroy(&other);
    buffer_destroy(&value);
}

static void every_record_cut_or_bent_is_refused_or_another_and_never_read_beyond(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    for (size_t size = 0; size < scene->record.size; size++) { /* cut: in memory of just that size */
        struct opened_record opened;
        struct arena arena = {0};
        char *exact = memory_text(view_make(scene->record.data, size));
        char *cut = memory_take(size == 0 ? 1 : size);
        memcpy(cut, exact, size);
        assert_int_equal(record_open(view_make(cut, size), &arena, &opened, &err), REJECTED);
        free(exact);
        free(cut);
        arena_destroy(&arena);
    }
    for (size_t i = 0; i < scene->record.size * 8; i++) { /* one bit bent */
        struct event_body body;
        struct buffer bent = {0};
        buffer_add_view(&bent, buffer_view(&scene->record));
        bent.data[i / 8] ^= (uint8_t)(1u << i % 8);
        assert_int_not_equal(open_and_unseal(scene, buffer_view(&bent), &body), OK);
        buffer_destroy(&bent);
    }
}

static void a_header_that_is_no_headers_schema_is_refused(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct opened_record opened;
    struct receipt_body body = {VIEW("x")};
    struct buffer value = {0};
    record_write_plain(SCHEMA_RECEIPT_BODY, &body, &value);
    assert_int_equal(record_open(buffer_view(&value), &scene->lab.arena, &opened, &err), REJECTED);
    buffer_destroy(&value);
}

static void without_its_key_a_record_is_erased_and_nothing_else(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct opened_record opened;
    struct event_body body;
    struct event_header header = scene->event.header;
    struct buffer clear = {0}, value = {0};
    header.key_id++; /* a key that the keys topic does not have */
    schema_encode(SCHEMA_EVENT_HEADER, &header, &clear);
    struct record_value pair = {buffer_view(&clear), VIEW("sealed by a key that is gone, of some length")};
    schema_encode(SCHEMA_RECORD, &pair, &value);
    assert_int_equal(record_open(buffer_view(&value), &scene->lab.arena, &opened, &err), OK);
    assert_int_equal(record_unseal_body(scene->lab.keyring, &opened, &scene->lab.arena, &body, &err), NOTHING);
    buffer_destroy(&clear);
    buffer_destroy(&value);
}

static void a_receipt_names_its_giver_only_under_the_subscriptions_key(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct opened_record opened;
    struct buffer value = {0};
    struct receipt receipt = {.subscription = VIEW("A81001.s1"), .number = 7, .state = VIEW("opened"), .at_ms = 1};
    struct log_entry key =
        keyring_new_key(scene->lab.keyring, receipt.subscription, &receipt.key_id, &scene->lab.arena);
    (void)lab_append_raw(&scene->lab, key.topic, 0, key.key, key.value);
    assert_int_equal(record_seal_receipt(scene->lab.keyring, &receipt, VIEW("clinician-7"), &value, &err), OK);
    assert_null(memmem(value.data, value.size, "clinician", 9));
    assert_int_equal(record_open(buffer_view(&value), &scene->lab.arena, &opened, &err), OK);
    assert_int_equal(opened.kind, SCHEMA_RECEIPT);
    assert_int_equal(opened.receipt.number, 7);
    buffer_destroy(&value);
}

static void the_courtesy_headers_hold_the_pseudonym_and_no_number(void **state)
{
    struct scene *scene = *state;
    struct log_header headers[RECORD_HEADERS];
    size_t count = record_headers(&scene->event.header, VIEW("wessex"), &scene->lab.arena, headers);
    assert_in_range(count, 6, RECORD_HEADERS);
    for (size_t i = 0; i < count; i++) {
        assert_null(memmem(headers[i].value.data, headers[i].value.size, ANNE, 10));
        if (strcmp(headers[i].name, "ce_subject") == 0)
            assert_true(view_is(headers[i].value, scene->event.header.patient));
    }
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(an_event_comes_back_as_it_was),
        SENTENCE(sealed_again_it_is_the_same_bytes),
        SENTENCE(the_record_shows_no_number_and_no_name),
        SENTENCE(a_telling_carries_the_events_own_pair),
        SENTENCE(a_body_under_another_header_does_not_open),
        SENTENCE(every_record_cut_or_bent_is_refused_or_another_and_never_read_beyond),
        SENTENCE(a_header_that_is_no_headers_schema_is_refused),
        SENTENCE(without_its_key_a_record_is_erased_and_nothing_else),
        SENTENCE(a_receipt_names_its_giver_only_under_the_subscriptions_key),
        SENTENCE(the_courtesy_headers_hold_the_pseudonym_and_no_number),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
