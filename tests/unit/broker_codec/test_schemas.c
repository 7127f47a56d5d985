/* Every schema, written and read back; and wire format that is none. */
#include "broker/codec/schemas.h"

#include "broker/base/bytes.h"
#include "broker/codec/built_in_schemas.h"
#include "broker/codec/shapes.h"
#include "broker/event/care_event.h"
#include "broker/event/data_key.h"
#include "tests/unit/broker_codec/random_struct.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct avro_shape *const shapes[SCHEMA_COUNT] = {
    &record_shape,       &event_header_shape, &event_body_shape,    &telling_shape,
    &subscription_shape, &receipt_shape,      &receipt_body_shape,  &tick_shape,
    &rules_shape,        &data_key_shape,     &organisation_shape,  &subscriber_shape,
    &token_shape,        &work_item_shape,    &patient_state_shape, &subscriber_state_shape,
};

static int open_schemas(void **state)
{
    (void)state;
    struct error err = {0};
    if (schemas_open(&err) == OK)
        return 0;
    print_error("%s\n", err.text);
    return -1;
}

static int close_schemas(void **state)
{
    (void)state;
    schemas_close();
    return 0;
}

static void every_schema_comes_back_as_it_was_written(void **state)
{
    (void)state;
    struct dice dice = {7};
    struct arena arena = {0};
    struct buffer wire = {0};
    for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++) {
        for (int round = 0; round < 500; round++) {
            unsigned char *from = arena_take(&arena, shapes[schema]->size),
                          *back = arena_take(&arena, shapes[schema]->size);
            struct error err = {0};
            enum schema found = SCHEMA_COUNT;
            random_struct(&dice, &arena, shapes[schema], from);
            buffer_clear(&wire);
            schema_encode(schema, from, &wire);
            assert_int_equal(schema_of(buffer_view(&wire), &found, &err), OK);
            assert_int_equal(found, schema);
            if (schema_decode(schema, buffer_view(&wire), &arena, back, &err) != OK)
                fail_msg("%s: %s", shapes[schema]->name, err.text);
            assert_null(struct_difference(shapes[schema], from, back));
            arena_reset(&arena);
        }
    }
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

static size_t size_of(const struct avro_field *field)
{
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        return sizeof(bool);
    case AVRO_KIND_INT:
        return sizeof(int32_t);
    case AVRO_KIND_LONG:
        return sizeof(int64_t);
    case AVRO_KIND_STRING:
    case AVRO_KIND_BYTES:
        return sizeof(struct view);
    case AVRO_KIND_FIXED:
        return field->size;
    case AVRO_KIND_RECORD:
        return field->shape->size;
    case AVRO_KIND_ARRAY:
        return sizeof(void *);
    }
    return 0;
}

/* Marks the bytes that a shape knows of, in shapes inside it too. */
static void mark(const struct avro_shape *shape, unsigned char *known)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const struct avro_field *field = &shape->fields[i];
        if (field->kind == AVRO_KIND_RECORD)
            mark(field->shape, known + field->offset);
        else
            memset(known + field->offset, 1, size_of(field));
        if (field->kind == AVRO_KIND_RECORD && field->present_offset != SIZE_MAX)
            known[field->present_offset] = 1;
        if (field->kind == AVRO_KIND_ARRAY)
            memset(known + field->count_offset, 1, sizeof(size_t));
    }
}

/* What a shape does not name would be lost without a word. Members lie in order, so a gap is padding only if it ends
 * where something of a larger alignment begins, and is smaller than that. */
static void assert_whole(const struct avro_shape *shape)
{
    unsigned char known[1024] = {0};
    assert_true(shape->size < sizeof known);
    mark(shape, known);
    known[shape->size] = 1;
    for (size_t i = 0; i < shape->size; i++) {
        size_t gap = 0;
        while (known[i + gap] == 0)
            gap++;
        size_t end = i + gap;
        if (gap >= 8 || (gap >= 4 && end % 8 != 0) || (gap > 0 && end % 4 != 0))
            fail_msg("%s: nothing is known of %zu bytes from byte %zu of its struct", shape->name, gap, i);
        i = end;
    }
    for (size_t i = 0; i < shape->field_count; i++)
        if (shape->fields[i].shape != NULL)
            assert_whole(shape->fields[i].shape);
}

static void every_member_of_every_struct_is_in_its_shape(void **state)
{
    (void)state;
    for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++)
        assert_whole(shapes[schema]);
}

static void what_is_not_said_and_what_is_said_to_be_empty_stay_apart(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct error err = {0};
    struct event_body body = {.cancelled_type = VIEW("")}, back;
    schema_encode(SCHEMA_EVENT_BODY, &body, &wire);
    assert_int_equal(schema_decode(SCHEMA_EVENT_BODY, buffer_view(&wire), &arena, &back, &err), OK);
    assert_null(back.cancels.data);
    assert_non_null(back.cancelled_type.data);
    assert_int_equal(back.cancelled_type.size, 0);
    assert_false(back.has_encounter);
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

static void bytes_that_are_no_text_are_mended_when_written(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct error err = {0};
    struct event_body body = {.state = VIEW("a\xFFz")}, back;
    schema_encode(SCHEMA_EVENT_BODY, &body, &wire);
    assert_int_equal(schema_decode(SCHEMA_EVENT_BODY, buffer_view(&wire), &arena, &back, &err), OK);
    assert_true(view_is_text(back.state, "a\xEF\xBF\xBDz"));
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

static void a_key_id_of_64_bits_survives(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct error err = {0};
    struct data_key key = {.owner = VIEW("owner"), .id = 0xFEDCBA9876543210U, .wrapped = {1, 2, 3}}, back;
    schema_encode(SCHEMA_DATA_KEY, &key, &wire);
    assert_int_equal(schema_decode(SCHEMA_DATA_KEY, buffer_view(&wire), &arena, &back, &err), OK);
    assert_true(back.id == key.id);
    assert_memory_equal(back.wrapped, key.wrapped, sizeof key.wrapped);
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

static void wire_format_that_is_none_is_refused(void **state)
{
    (void)state;
    static const struct view refused[] = {
        {NULL, 0},
        {"\0\0\0\0", 4},
        {"\1\0\0\0\1\0\0", 7},   /* another version */
        {"\0\0\0\0\0\0\0", 7},   /* id 0 */
        {"\0\0\0\0\xFA\0\0", 7}, /* ids nobody knows */
        {"\0\0\1\0\1\0\0", 7},
        {"\0\xFF\xFF\xFF\xFF\0\0", 7},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error err = {0};
        struct record_value value;
        enum schema schema = SCHEMA_COUNT;
        assert_int_equal(schema_of(refused[i], &schema, &err), REJECTED);
        assert_int_equal(schema_decode(SCHEMA_RECORD, refused[i], &arena, &value, &err), REJECTED);
        assert_int_equal(schema, SCHEMA_COUNT);
        assert_true(err.text[0] != '\0');
    }
    arena_destroy(&arena);
}

static void one_schema_is_not_read_as_another(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer wire = {0};
    struct error err = {0};
    struct record_value value = {VIEW("h"), VIEW("s")};
    struct event_header header;
    schema_encode(SCHEMA_RECORD, &value, &wire);
    assert_int_equal(schema_decode(SCHEMA_EVENT_HEADER, buffer_view(&wire), &arena, &header, &err), REJECTED);
    assert_string_equal(err.text, "wire format: a Record where a EventHeader should be");
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

static void every_cut_of_a_value_is_refused(void **state)
{
    (void)state;
    struct dice dice = {11};
    struct arena arena = {0};
    struct buffer wire = {0};
    for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++) {
        unsigned char *from = arena_take(&arena, shapes[schema]->size),
                      *back = arena_take(&arena, shapes[schema]->size);
        random_struct(&dice, &arena, shapes[schema], from);
        buffer_clear(&wire);
        schema_encode(schema, from, &wire);
        for (size_t size = 0; size < wire.size; size++) {
            char *exact = memory_text(view_make(wire.data, size)); /* of its own, so that a byte read too far is seen */
            assert_int_equal(schema_decode(schema, view_make(exact, size), &arena, back, NULL), REJECTED);
            free(exact);
        }
        buffer_add_byte(&wire, 0);
        assert_int_equal(schema_decode(schema, buffer_view(&wire), &arena, back, NULL), REJECTED);
        arena_reset(&arena);
    }
    buffer_destroy(&wire);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_schema_comes_back_as_it_was_written),
        cmocka_unit_test(every_member_of_every_struct_is_in_its_shape),
        cmocka_unit_test(what_is_not_said_and_what_is_said_to_be_empty_stay_apart),
        cmocka_unit_test(bytes_that_are_no_text_are_mended_when_written),
        cmocka_unit_test(a_key_id_of_64_bits_survives),
        cmocka_unit_test(wire_format_that_is_none_is_refused),
        cmocka_unit_test(one_schema_is_not_read_as_another),
        cmocka_unit_test(every_cut_of_a_value_is_refused),
    };
    return cmocka_run_group_tests(tests, open_schemas, close_schemas);
}
