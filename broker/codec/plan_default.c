/* Sets what the writer lacks to the reader's default. */
#include "broker/codec/plan_read.h"

/* Bytes and fixed stand in JSON as a text whose code points are the bytes. */
static bool default_bytes(struct arena *arena, struct view text, struct view *ret)
{
    const unsigned char *at = text.data, *end = at + text.size;
    unsigned char *bytes = arena_take(arena, text.size + 1);
    size_t size = 0;
    while (at < end) {
        if (*at < 0x80)
            bytes[size++] = *at++;
        else if (*at <= 0xC3 && end - at >= 2) {
            bytes[size++] = (unsigned char)((*at & 3U) << 6 | (at[1] & 0x3FU));
            at += 2;
        } else
            return false;
    }
    *ret = view_make(bytes, size);
    return true;
}

static enum result set_record_defaults(struct read_maker *maker, const struct avro_type *type, json_t *value,
                                       const struct avro_shape *shape, size_t offset, int depth)
{
    enum result result = OK;
    for (size_t i = 0; i < type->field_count && result == OK; i++) {
        const struct avro_type_field *field = &type->fields[i];
        json_t *own = json_object_get(value, field->name);
        result = plan_set_default(maker, field->type, own == NULL ? field->default_value : own,
                                  plan_find_field(shape, field->name), offset, depth + 1);
    }
    return result;
}

static enum result set_text(struct read_maker *maker, const struct avro_field *field, size_t offset, json_t *value,
                            bool is_text)
{
    struct arena *arena = &maker->plan->arena;
    struct view text = view_make(json_string_value(value), json_string_length(value)), bytes;
    if (is_text)
        bytes = arena_copy(arena, text);
    else if (!default_bytes(arena, text, &bytes))
        return error_set(maker->err, REJECTED, "%s: its default is not bytes", field->name);
    if (field->kind == AVRO_KIND_FIXED && bytes.size != field->size)
        return error_set(maker->err, REJECTED, "%s: its default has another size", field->name);
    (void)read_add(maker, (struct plan_step){.op = field->kind == AVRO_KIND_FIXED ? SET_FIXED : SET_TEXT,
                                             .offset = (uint32_t)offset,
                                             .size = (uint32_t)bytes.size,
                                             .data = bytes.data,
                                             .name = field->name});
    return OK;
}

enum result plan_set_default(struct read_maker *maker, const struct avro_type *type, json_t *value,
                             const struct avro_field *field, size_t offset, int depth)
{
    size_t at = offset + field->offset;
    struct plan_step step = {.offset = (uint32_t)at, .name = field->name};
    if (read_too_deep(maker, depth))
        return read_refuse_depth(maker, field->name);
    if (value == NULL)
        return error_set(maker->err, REJECTED, "%s: the writer lacks it and it has no default", field->name);
    if (type->kind == AVRO_TYPE_UNION)
        type = type->branches[0]; /* a union's default is of its first branch */
    if (type->kind == AVRO_TYPE_NULL && json_is_null(value))
        return OK;
    if (type->kind == AVRO_TYPE_ARRAY && json_is_array(value) && json_array_size(value) == 0)
        return OK;
    if (type->kind == AVRO_TYPE_RECORD && json_is_object(value)) {
        if (field->present_offset != SIZE_MAX)
            (void)read_add(
                maker,
                (struct plan_step){.op = SET_BOOL, .offset = (uint32_t)(offset + field->present_offset), .number = 1});
        return set_record_defaults(maker, type, value, field->shape, at, depth);
    }
    if ((type->kind == AVRO_TYPE_STRING || type->kind == AVRO_TYPE_BYTES || type->kind == AVRO_TYPE_FIXED) &&
        json_is_string(value))
        return set_text(maker, field, at, value, type->kind == AVRO_TYPE_STRING);
    if (type->kind == AVRO_TYPE_BOOLEAN && json_is_boolean(value)) {
        step.op = SET_BOOL;
        step.number = json_is_true(value);
    } else if (type->kind == AVRO_TYPE_LONG && json_is_integer(value)) {
        step.op = SET_LONG;
        step.number = json_integer_value(value);
    } else if (type->kind == AVRO_TYPE_INT && json_is_integer(value) && json_integer_value(value) <= INT32_MAX &&
               json_integer_value(value) >= INT32_MIN) {
        step.op = SET_INT;
        step.number = json_integer_value(value);
    } else
        return error_set(maker->err, REJECTED, "%s: its default does not fit", field->name);
    (void)read_add(maker, step);
    return OK;
}
