/* Compiles how a struct is written: the reader's (today's) schema, field by field in its order. */
#include "broker/codec/plan.h"

struct write_maker {
    struct plan_steps *steps;
    struct error *err;
};

static const enum avro_type_kind types_of_kinds[] = {
    [AVRO_KIND_BOOL] = AVRO_TYPE_BOOLEAN,  [AVRO_KIND_INT] = AVRO_TYPE_INT,     [AVRO_KIND_LONG] = AVRO_TYPE_LONG,
    [AVRO_KIND_STRING] = AVRO_TYPE_STRING, [AVRO_KIND_BYTES] = AVRO_TYPE_BYTES, [AVRO_KIND_FIXED] = AVRO_TYPE_FIXED,
    [AVRO_KIND_RECORD] = AVRO_TYPE_RECORD, [AVRO_KIND_ARRAY] = AVRO_TYPE_ARRAY,
};

static enum result add_record(struct write_maker *maker, const struct avro_type *type, const struct avro_shape *shape,
                              size_t offset, int depth);

static enum result differs(struct write_maker *maker, const struct avro_field *field)
{
    return error_set(maker->err, REJECTED, "%s: the schema and the struct differ", field->name);
}

static enum result add_array(struct write_maker *maker, const struct avro_type *type, const struct avro_field *field,
                             size_t offset, int depth)
{
    uint32_t array = plan_add(maker->steps, (struct plan_step){.op = WRITE_ARRAY,
                                                               .offset = (uint32_t)(offset + field->offset),
                                                               .count_offset = (uint32_t)(offset + field->count_offset),
                                                               .name = field->name});
    enum result result = OK;
    if (field->element == AVRO_KIND_RECORD && type->items->kind == AVRO_TYPE_RECORD)
        result = add_record(maker, type->items, field->shape, 0, depth + 1);
    else if (field->element == AVRO_KIND_STRING && type->items->kind == AVRO_TYPE_STRING)
        (void)plan_add(maker->steps, (struct plan_step){.op = WRITE_STRING, .name = field->name});
    else
        return differs(maker, field);
    (void)plan_add(maker->steps, (struct plan_step){.op = WRITE_END});
    maker->steps->steps[array].size =
        (uint32_t)(field->element == AVRO_KIND_RECORD ? field->shape->size : sizeof(struct view));
    maker->steps->steps[array].child = (uint32_t)maker->steps->count;
    return result;
}

static enum result add_optional(struct write_maker *maker, const struct avro_type *type, const struct avro_type *value,
                                const struct avro_field *field, size_t offset, int depth)
{
    bool null_first = type->branches[1] == value;
    struct plan_step step = {.offset = (uint32_t)(offset + field->offset),
                             .null_branch = null_first ? 0 : 2, /* zigzag of 0 and 1 */
                             .value_branch = null_first ? 2 : 0,
                             .name = field->name};
    if (field->kind == AVRO_KIND_RECORD && field->present_offset != SIZE_MAX) {
        step.op = WRITE_OPTIONAL;
        step.offset = (uint32_t)(offset + field->present_offset);
        uint32_t optional = plan_add(maker->steps, step);
        enum result result = add_record(maker, value, field->shape, offset + field->offset, depth + 1);
        maker->steps->steps[optional].child = (uint32_t)maker->steps->count;
        return result;
    }
    if (field->kind != AVRO_KIND_STRING && field->kind != AVRO_KIND_BYTES)
        return differs(maker, field);
    step.op = field->kind == AVRO_KIND_STRING ? WRITE_OPTIONAL_STRING : WRITE_OPTIONAL_BYTES;
    (void)plan_add(maker->steps, step);
    return OK;
}

static enum result add_field(struct write_maker *maker, const struct avro_type *type, const struct avro_field *field,
                             size_t offset, int depth)
{
    static const enum write_op simple[] = {
        [AVRO_KIND_BOOL] = WRITE_BOOL,     [AVRO_KIND_INT] = WRITE_INT,     [AVRO_KIND_LONG] = WRITE_LONG,
        [AVRO_KIND_STRING] = WRITE_STRING, [AVRO_KIND_BYTES] = WRITE_BYTES, [AVRO_KIND_FIXED] = WRITE_FIXED};
    const struct avro_type *value = plan_without_null(type);
    if (value == NULL || value->kind != types_of_kinds[field->kind])
        return differs(maker, field);
    if (type->kind == AVRO_TYPE_UNION)
        return add_optional(maker, type, value, field, offset, depth);
    if (field->kind == AVRO_KIND_RECORD)
        return field->present_offset == SIZE_MAX
                   ? add_record(maker, value, field->shape, offset + field->offset, depth + 1)
                   : differs(maker, field);
    if (field->kind == AVRO_KIND_ARRAY)
        return add_array(maker, value, field, offset, depth);
    if (field->kind == AVRO_KIND_FIXED && field->size != value->size)
        return differs(maker, field);
    (void)plan_add(maker->steps, (struct plan_step){.op = simple[field->kind],
                                                    .offset = (uint32_t)(offset + field->offset),
                                                    .size = (uint32_t)field->size,
                                                    .name = field->name});
    return OK;
}

static enum result add_record(struct write_maker *maker, const struct avro_type *type, const struct avro_shape *shape,
                              size_t offset, int depth)
{
    if (depth > PLAN_DEPTH || maker->steps->count > PLAN_STEPS)
        return error_set(maker->err, REJECTED, "record %s: nested too deep, or too large", shape->name);
    if (strcmp(type->name, shape->name) != 0)
        return error_set(maker->err, REJECTED, "record %s: the schema calls it %s", shape->name, type->name);
    for (size_t i = 0; i < shape->field_count; i++)
        if (avro_type_find(type, shape->fields[i].name) == NULL)
            return differs(maker, &shape->fields[i]);
    for (size_t i = 0; i < type->field_count; i++) {
        const struct avro_field *field = plan_find_field(shape, type->fields[i].name);
        if (field == NULL)
            return error_set(maker->err, REJECTED, "%s: the struct lacks it", type->fields[i].name);
        enum result result = add_field(maker, type->fields[i].type, field, offset, depth);
        if (result != OK)
            return result;
    }
    return OK;
}

enum result plan_compile_write(struct avro_plan *plan, const struct avro_type *reader, const struct avro_shape *shape,
                               struct error *err)
{
    if (reader->kind != AVRO_TYPE_RECORD)
        return error_set(err, REJECTED, "the reader's schema is not a record");
    struct write_maker maker = {&plan->write, err};
    enum result result = add_record(&maker, reader, shape, 0, 0);
    (void)plan_add(&plan->write, (struct plan_step){.op = WRITE_END});
    return result;
}
