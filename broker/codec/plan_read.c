/* Compiles how a struct is read from what a writer wrote (Avro 1.11 specification, "Schema Resolution"), by field name.
 */
#include "broker/codec/plan_read.h"

/* Where a value goes. */
struct place {
    const struct avro_field *field;
    enum avro_kind kind; /* the field's, or an array's element's */
    size_t offset;
    size_t present_offset; /* SIZE_MAX: none */
};

static enum result resolve(struct read_maker *maker, const struct avro_type *writer, const struct avro_type *reader,
                           const struct place *place, int depth);
static enum result resolve_record(struct read_maker *maker, const struct avro_type *writer,
                                  const struct avro_type *reader, const struct avro_shape *shape, size_t offset,
                                  int depth);

static enum result resolve_array(struct read_maker *maker, const struct avro_type *writer,
                                 const struct avro_type *reader, const struct place *place, int depth)
{
    const struct avro_field *field = place->field;
    bool records = field->element == AVRO_KIND_RECORD;
    uint32_t array;
    struct plan_step step = {.offset = (uint32_t)place->offset,
                             .size = (uint32_t)(records ? field->shape->size : sizeof(struct view)),
                             .count_offset = (uint32_t)(place->offset - field->offset + field->count_offset),
                             .name = field->name};
    enum result result = read_array_open(maker, writer->items, 0, step, &array);
    if (result != OK)
        return result;
    struct place element = {.field = field, .kind = field->element, .offset = 0, .present_offset = SIZE_MAX};
    result = resolve(maker, writer->items, reader->items, &element, depth + 1);
    read_array_close(maker, array);
    return result;
}

static enum result resolve_union(struct read_maker *maker, const struct avro_type *writer,
                                 const struct avro_type *reader, const struct place *place, int depth)
{
    uint32_t jump = read_union_open(maker, writer, place->field->name), last = UINT32_MAX;
    enum result result = OK;
    for (size_t i = 0; i < writer->branch_count && result == OK; i++) {
        read_branch_open(maker, jump + (uint32_t)i);
        result = resolve(maker, writer->branches[i], reader, place, depth + 1);
        read_branch_close(maker, &last);
    }
    read_union_close(maker, last);
    return result;
}

/* The op that reads such a value into such a place; READ_END: none does. */
static enum read_op simple_op(enum avro_type_kind written, enum avro_kind kind)
{
    if (kind == AVRO_KIND_BOOL && written == AVRO_TYPE_BOOLEAN)
        return READ_BOOL;
    if (kind == AVRO_KIND_INT && written == AVRO_TYPE_INT)
        return READ_INT;
    if (kind == AVRO_KIND_LONG && written == AVRO_TYPE_LONG)
        return READ_LONG;
    if (kind == AVRO_KIND_LONG && written == AVRO_TYPE_INT)
        return READ_INT_AS_LONG;
    if (written == AVRO_TYPE_STRING || written == AVRO_TYPE_BYTES)
        return kind == AVRO_KIND_STRING ? READ_STRING : kind == AVRO_KIND_BYTES ? READ_BYTES : READ_END;
    return written == AVRO_TYPE_FIXED && kind == AVRO_KIND_FIXED ? READ_FIXED : READ_END;
}

static enum result resolve(struct read_maker *maker, const struct avro_type *writer, const struct avro_type *reader,
                           const struct place *place, int depth)
{
    const char *name = place->field->name;
    if (read_too_deep(maker, depth))
        return read_refuse_depth(maker, name);
    if (writer->kind == AVRO_TYPE_UNION)
        return resolve_union(maker, writer, reader, place, depth);
    if (writer->kind == AVRO_TYPE_NULL) {
        if (reader->kind != AVRO_TYPE_UNION)
            (void)read_add(maker, (struct plan_step){.op = READ_REFUSE, .name = name});
        return OK; /* null is what a zeroed struct says */
    }
    const struct avro_type *value = plan_without_null(reader);
    if (place->present_offset != SIZE_MAX)
        (void)read_add(maker,
                       (struct plan_step){.op = SET_BOOL, .offset = (uint32_t)place->present_offset, .number = 1});
    if (place->kind == AVRO_KIND_RECORD && writer->kind == AVRO_TYPE_RECORD)
        return resolve_record(maker, writer, value, place->field->shape, place->offset, depth + 1);
    if (place->kind == AVRO_KIND_ARRAY && writer->kind == AVRO_TYPE_ARRAY)
        return resolve_array(maker, writer, value, place, depth);
    enum read_op op = simple_op(writer->kind, place->kind);
    if (op == READ_END)
        return error_set(maker->err, REJECTED, "%s: the writer's kind is another than the reader's", name);
    if (op == READ_FIXED && (writer->size != value->size || strcmp(writer->name, value->name) != 0))
        return error_set(maker->err, REJECTED, "%s: the writer's fixed is another than the reader's", name);
    (void)read_add(
        maker,
        (struct plan_step){.op = op, .offset = (uint32_t)place->offset, .size = (uint32_t)writer->size, .name = name});
    return OK;
}

static enum result resolve_record(struct read_maker *maker, const struct avro_type *writer,
                                  const struct avro_type *reader, const struct avro_shape *shape, size_t offset,
                                  int depth)
{
    enum result result = OK;
    if (strcmp(writer->name, reader->name) != 0)
        return error_set(maker->err, REJECTED, "record %s: the writer calls it %s", reader->name, writer->name);
    for (size_t i = 0; i < writer->field_count && result == OK; i++) {
        const char *name = writer->fields[i].name;
        const struct avro_type_field *wanted = avro_type_find(reader, name);
        if (wanted == NULL) {
            result = plan_skip(maker, writer->fields[i].type, name, depth + 1);
            continue;
        }
        const struct avro_field *field = plan_find_field(shape, name);
        struct place place = {field, field->kind, offset + field->offset, SIZE_MAX};
        if (field->kind == AVRO_KIND_RECORD && field->present_offset != SIZE_MAX)
            place.present_offset = offset + field->present_offset;
        result = resolve(maker, writer->fields[i].type, wanted->type, &place, depth + 1);
    }
    for (size_t i = 0; i < reader->field_count && result == OK; i++) {
        const struct avro_type_field *wanted = &reader->fields[i];
        if (avro_type_find(writer, wanted->name) == NULL)
            result = plan_set_default(maker, wanted->type, wanted->default_value, plan_find_field(shape, wanted->name),
                                      offset, depth + 1);
    }
    return result;
}

enum result plan_compile_read(struct avro_plan *plan, const struct avro_type *writer, const struct avro_type *reader,
                              const struct avro_shape *shape, struct error *err)
{
    struct read_maker maker = {plan, err};
    if (writer->kind != AVRO_TYPE_RECORD)
        return error_set(err, REJECTED, "the writer's schema is not a record");
    enum result result = resolve_record(&maker, writer, reader, shape, 0, 0);
    (void)read_add(&maker, (struct plan_step){.op = READ_END});
    return result;
}
