/* Values of avro-c, made at random from any schema, and compared with structs of ours. */
#pragma once

#include "tests/unit/broker_codec/random_struct.h"

#include <avro.h>

static inline void avro_c_random(struct dice *dice, struct arena *arena, avro_value_t *value);

static inline void avro_c_random_elements(struct dice *dice, struct arena *arena, avro_value_t *value, bool map)
{
    size_t count = dice_below(dice, 4);
    for (size_t i = 0; i < count; i++) {
        avro_value_t element;
        char key[2] = {(char)('a' + i), '\0'};
        int is_new;
        if (map)
            avro_value_add(value, key, &element, NULL, &is_new);
        else
            avro_value_append(value, &element, NULL);
        avro_c_random(dice, arena, &element);
    }
}

static inline void avro_c_random_inside(struct dice *dice, struct arena *arena, avro_value_t *value)
{
    avro_value_t child;
    size_t count = 0;
    if (avro_value_get_type(value) == AVRO_UNION) {
        count = avro_schema_union_size(avro_value_get_schema(value));
        avro_value_set_branch(value, (int)dice_below(dice, count), &child);
        avro_c_random(dice, arena, &child);
        return;
    }
    avro_value_get_size(value, &count);
    for (size_t i = 0; i < count; i++) {
        avro_value_get_by_index(value, i, &child, NULL);
        avro_c_random(dice, arena, &child);
    }
}

static inline void avro_c_random(struct dice *dice, struct arena *arena, avro_value_t *value)
{
    int64_t number = dice_number(dice);
    struct view text;
    unsigned char fixed[256];
    switch (avro_value_get_type(value)) {
    case AVRO_STRING:
        text = random_text(dice, arena);
        avro_value_set_string_len(value, (char *)(uintptr_t)text.data, text.size + 1); /* it counts a NUL */
        break;
    case AVRO_BYTES:
        text = one_of_two(dice) ? random_text(dice, arena) : random_bytes(dice, arena);
        avro_value_set_bytes(value, (void *)(uintptr_t)text.data, text.size);
        break;
    case AVRO_INT32:
        avro_value_set_int(value, (int32_t)(number >> dice_below(dice, 33)));
        break;
    case AVRO_INT64:
        avro_value_set_long(value, number);
        break;
    case AVRO_FLOAT:
        avro_value_set_float(value, (float)number);
        break;
    case AVRO_DOUBLE:
        avro_value_set_double(value, (double)number);
        break;
    case AVRO_BOOLEAN:
        avro_value_set_boolean(value, one_of_two(dice));
        break;
    case AVRO_NULL:
        avro_value_set_null(value);
        break;
    case AVRO_ENUM:
        avro_value_set_enum(value, (int)dice_below(dice, 3));
        break;
    case AVRO_FIXED:
        for (size_t i = 0; i < sizeof fixed; i++)
            fixed[i] = (unsigned char)dice_roll(dice);
        avro_value_set_fixed(value, fixed, (size_t)avro_schema_fixed_size(avro_value_get_schema(value)));
        break;
    case AVRO_MAP:
    case AVRO_ARRAY:
        avro_c_random_elements(dice, arena, value, avro_value_get_type(value) == AVRO_MAP);
        break;
    case AVRO_UNION:
    case AVRO_RECORD:
        avro_c_random_inside(dice, arena, value);
        break;
    case AVRO_LINK:
        abort();
    }
}

/* Text or bytes, without the NUL that avro-c counts. */
static inline struct view avro_c_text(const avro_value_t *value)
{
    const char *text = NULL;
    const void *bytes = NULL;
    size_t size = 0;
    if (avro_value_get_type(value) == AVRO_BYTES) {
        avro_value_get_bytes(value, &bytes, &size);
        return view_make(bytes, size);
    }
    avro_value_get_string(value, &text, &size);
    return view_make(text, size - 1);
}

static inline int64_t avro_c_number(const avro_value_t *value)
{
    int64_t large = 0;
    int32_t small = 0;
    int truth = 0;
    if (avro_value_get_type(value) == AVRO_INT32)
        return avro_value_get_int(value, &small) == 0 ? small : 0;
    if (avro_value_get_type(value) == AVRO_BOOLEAN)
        return avro_value_get_boolean(value, &truth) == 0 ? truth != 0 : 0;
    return avro_value_get_long(value, &large) == 0 ? large : 0;
}

static inline const char *avro_c_difference(const avro_value_t *value, const struct avro_shape *shape,
                                            const unsigned char *from);

static inline bool avro_c_array_differs(const avro_value_t *value, const struct avro_field *field,
                                        const unsigned char *from)
{
    const unsigned char *elements;
    size_t count, expected = 0;
    memcpy(&elements, from + field->offset, sizeof elements);
    memcpy(&count, from + field->count_offset, sizeof count);
    if (value != NULL)
        avro_value_get_size(value, &expected);
    if (count != expected)
        return true;
    for (size_t i = 0; i < count; i++) {
        avro_value_t element;
        struct view text;
        avro_value_get_by_index(value, i, &element, NULL);
        if (field->element == AVRO_KIND_RECORD) {
            if (avro_c_difference(&element, field->shape, elements + i * field->shape->size) != NULL)
                return true;
            continue;
        }
        memcpy(&text, elements + i * sizeof text, sizeof text);
        if (!view_is(text, avro_c_text(&element)))
            return true;
    }
    return false;
}

/* value NULL: the writer lacks the field, or says null; so the struct must say nothing (the default of all of ours that
 * have one). */
static inline bool avro_c_field_differs(const avro_value_t *value, const struct avro_field *field,
                                        const unsigned char *from)
{
    int64_t expected = value == NULL ? 0 : 1, large;
    int32_t small;
    bool truth = true;
    struct view text;
    const void *fixed = NULL;
    size_t size = 0;
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        memcpy(&truth, from + field->offset, sizeof truth);
        return truth != (value != NULL && avro_c_number(value) != 0);
    case AVRO_KIND_INT:
        memcpy(&small, from + field->offset, sizeof small);
        return small != (value == NULL ? 0 : avro_c_number(value));
    case AVRO_KIND_LONG:
        memcpy(&large, from + field->offset, sizeof large);
        return large != (value == NULL ? 0 : avro_c_number(value));
    case AVRO_KIND_STRING:
    case AVRO_KIND_BYTES:
        memcpy(&text, from + field->offset, sizeof text);
        return value == NULL ? text.data != NULL : text.data == NULL || !view_is(text, avro_c_text(value));
    case AVRO_KIND_FIXED:
        return value == NULL || avro_value_get_fixed(value, &fixed, &size) != 0 || size != field->size ||
               memcmp(fixed, from + field->offset, size) != 0;
    case AVRO_KIND_RECORD:
        if (field->present_offset != SIZE_MAX)
            memcpy(&truth, from + field->present_offset, sizeof truth);
        return truth != (expected != 0) ||
               (truth && avro_c_difference(value, field->shape, from + field->offset) != NULL);
    case AVRO_KIND_ARRAY:
        return avro_c_array_differs(value, field, from);
    }
    return true;
}

/* The name of the first field in which avro-c's value and our struct differ; NULL: none. */
static inline const char *avro_c_difference(const avro_value_t *value, const struct avro_shape *shape,
                                            const unsigned char *from)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        avro_value_t member, branch;
        const avro_value_t *found = NULL;
        if (avro_value_get_by_name(value, shape->fields[i].name, &member, NULL) == 0)
            found = &member;
        if (found != NULL && avro_value_get_type(found) == AVRO_UNION) {
            avro_value_get_current_branch(found, &branch);
            found = avro_value_get_type(&branch) == AVRO_NULL ? NULL : &branch;
        }
        if (avro_c_field_differs(found, &shape->fields[i], from))
            return shape->fields[i].name;
    }
    return NULL;
}
