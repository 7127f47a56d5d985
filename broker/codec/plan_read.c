/* Compiles how a struct is read from what a writer wrote (Avro 1.11 specification, "Schema Resolution"), by field name.
 */
#include "broker/codec/plan.h"

struct read_maker {
    struct avro_plan *plan;
    struct error *err;
};

/* Where a value goes. */
struct place {
    const struct avro_field *field;
    enum avro_kind kind; /* the field's, or an array's element's */
    size_t offset;
    size_t present_offset; /* SIZE_MAX: none */
};

static uint32_t add(struct read_maker *maker, struct plan_step step)
{
    return plan_add(&maker->plan->read, step);
}

static uint32_t next_place(const struct read_maker *maker)
{
    return (uint32_t)maker->plan->read.count;
}

static bool too_deep(const struct read_maker *maker, int depth)
{
    return depth > PLAN_DEPTH || maker->plan->read.count > PLAN_STEPS;
}

static enum result refuse_depth(struct read_maker *maker, const char *name)
{
    return error_set(maker->err, REJECTED, "%s: nested too deep, or too large", name);
}

/* The fewest bytes that a value takes. */
static size_t minimum_of(const struct avro_type *type, int depth)
{
    size_t sum = 0;
    switch (type->kind) {
    case AVRO_TYPE_NULL:
        return 0;
    case AVRO_TYPE_FLOAT:
        return 4;
    case AVRO_TYPE_DOUBLE:
        return 8;
    case AVRO_TYPE_FIXED:
        return type->size;
    case AVRO_TYPE_RECORD:
        if (depth > PLAN_DEPTH)
            return 0;
        for (size_t i = 0; i < type->field_count; i++)
            sum += minimum_of(type->fields[i].type, depth + 1);
        return sum < UINT32_MAX ? sum : UINT32_MAX;
    case AVRO_TYPE_BOOLEAN:
    case AVRO_TYPE_INT:
    case AVRO_TYPE_LONG:
    case AVRO_TYPE_BYTES:
    case AVRO_TYPE_STRING:
    case AVRO_TYPE_ENUM:
    case AVRO_TYPE_ARRAY:
    case AVRO_TYPE_MAP:
    case AVRO_TYPE_UNION:
        return 1;
    }
    return 0;
}

static enum result skip(struct read_maker *maker, const struct avro_type *type, const char *name, int depth);
static enum result resolve(struct read_maker *maker, const struct avro_type *writer, const struct avro_type *reader,
                           const struct place *place, int depth);
static enum result resolve_record(struct read_maker *maker, const struct avro_type *writer,
                                  const struct avro_type *reader, const struct avro_shape *shape, size_t offset,
                                  int depth);

/* ---- unions and arrays, read or skipped ---- */

/* Starts a union: its jumps, to be pointed at each branch's steps. */
static uint32_t union_open(struct read_maker *maker, const struct avro_type *type, const char *name)
{
    uint32_t first =
        add(maker, (struct plan_step){.op = READ_UNION, .size = (uint32_t)type->branch_count, .name = name}) + 1;
    for (size_t i = 0; i < type->branch_count; i++)
        (void)add(maker, (struct plan_step){.op = READ_JUMP});
    return first;
}

static void branch_open(struct read_maker *maker, uint32_t jump)
{
    maker->plan->read.steps[jump].child = next_place(maker);
}

/* A branch ends with a jump behind the last branch; until that is known, each jump holds the place of the one before
 * it. */
static void branch_close(struct read_maker *maker, uint32_t *last)
{
    *last = add(maker, (struct plan_step){.op = READ_JUMP, .child = *last});
}

static void union_close(struct read_maker *maker, uint32_t last)
{
    uint32_t end = next_place(maker);
    while (last != UINT32_MAX) {
        uint32_t before = maker->plan->read.steps[last].child;
        maker->plan->read.steps[last].child = end;
        last = before;
    }
}

/* Starts an array: what follows, up to array_close, is the element's. */
static enum result array_open(struct read_maker *maker, const struct avro_type *element, size_t extra,
                              struct plan_step step, uint32_t *ret)
{
    size_t minimum = minimum_of(element, 0) + extra;
    if (minimum == 0 || minimum > UINT32_MAX) /* else a few bytes could claim a billion elements */
        return error_set(maker->err, REJECTED, "%s: its elements take no bytes", step.name);
    step.op = READ_ARRAY;
    step.minimum = (uint32_t)minimum;
    *ret = add(maker, step);
    return OK;
}

static void array_close(struct read_maker *maker, uint32_t array)
{
    (void)add(maker, (struct plan_step){.op = READ_END});
    maker->plan->read.steps[array].child = next_place(maker);
}

/* ---- what the reader does not want ---- */

static enum result skip_array(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    uint32_t array;
    bool map = type->kind == AVRO_TYPE_MAP;
    enum result result = array_open(maker, type->items, map ? 1 : 0, (struct plan_step){.name = name}, &array);
    if (result != OK)
        return result;
    if (map)
        (void)add(maker, (struct plan_step){.op = SKIP_STRING, .name = name});
    result = skip(maker, type->items, name, depth + 1);
    array_close(maker, array);
    return result;
}

static enum result skip_union(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    uint32_t jump = union_open(maker, type, name), last = UINT32_MAX;
    enum result result = OK;
    for (size_t i = 0; i < type->branch_count && result == OK; i++) {
        branch_open(maker, jump + (uint32_t)i);
        result = skip(maker, type->branches[i], name, depth + 1);
        branch_close(maker, &last);
    }
    union_close(maker, last);
    return result;
}

static enum result skip(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    static const uint32_t ops[] = {
        [AVRO_TYPE_BOOLEAN] = SKIP_BOOL,  [AVRO_TYPE_INT] = SKIP_INT,      [AVRO_TYPE_LONG] = SKIP_LONG,
        [AVRO_TYPE_FLOAT] = SKIP_FIXED,   [AVRO_TYPE_DOUBLE] = SKIP_FIXED, [AVRO_TYPE_BYTES] = SKIP_BYTES,
        [AVRO_TYPE_STRING] = SKIP_STRING, [AVRO_TYPE_FIXED] = SKIP_FIXED,  [AVRO_TYPE_ENUM] = SKIP_ENUM,
    };
    enum result result = OK;
    if (too_deep(maker, depth))
        return refuse_depth(maker, name);
    if (type->kind == AVRO_TYPE_NULL)
        return OK;
    if (type->kind == AVRO_TYPE_UNION)
        return skip_union(maker, type, name, depth);
    if (type->kind == AVRO_TYPE_ARRAY || type->kind == AVRO_TYPE_MAP)
        return skip_array(maker, type, name, depth);
    if (type->kind == AVRO_TYPE_RECORD) {
        for (size_t i = 0; i < type->field_count && result == OK; i++)
            result = skip(maker, type->fields[i].type, name, depth + 1);
        return result;
    }
    size_t size = type->kind == AVRO_TYPE_ENUM ? type->size : minimum_of(type, 0);
    (void)add(maker, (struct plan_step){.op = ops[type->kind], .size = (uint32_t)size, .name = name});
    return OK;
}

/* ---- what the reader takes ---- */

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
    enum result result = array_open(maker, writer->items, 0, step, &array);
    if (result != OK)
        return result;
    struct place element = {.field = field, .kind = field->element, .offset = 0, .present_offset = SIZE_MAX};
    result = resolve(maker, writer->items, reader->items, &element, depth + 1);
    array_close(maker, array);
    return result;
}

static enum result resolve_union(struct read_maker *maker, const struct avro_type *writer,
                                 const struct avro_type *reader, const struct place *place, int depth)
{
    uint32_t jump = union_open(maker, writer, place->field->name), last = UINT32_MAX;
    enum result result = OK;
    for (size_t i = 0; i < writer->branch_count && result == OK; i++) {
        branch_open(maker, jump + (uint32_t)i);
        result = resolve(maker, writer->branches[i], reader, place, depth + 1);
        branch_close(maker, &last);
    }
    union_close(maker, last);
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
    if (too_deep(maker, depth))
        return refuse_depth(maker, name);
    if (writer->kind == AVRO_TYPE_UNION)
        return resolve_union(maker, writer, reader, place, depth);
    if (writer->kind == AVRO_TYPE_NULL) {
        if (reader->kind != AVRO_TYPE_UNION)
            (void)add(maker, (struct plan_step){.op = READ_REFUSE, .name = name});
        return OK; /* null is what a zeroed struct says */
    }
    const struct avro_type *value = plan_without_null(reader);
    if (place->present_offset != SIZE_MAX)
        (void)add(maker, (struct plan_step){.op = SET_BOOL, .offset = (uint32_t)place->present_offset, .number = 1});
    if (place->kind == AVRO_KIND_RECORD && writer->kind == AVRO_TYPE_RECORD)
        return resolve_record(maker, writer, value, place->field->shape, place->offset, depth + 1);
    if (place->kind == AVRO_KIND_ARRAY && writer->kind == AVRO_TYPE_ARRAY)
        return resolve_array(maker, writer, value, place, depth);
    enum read_op op = simple_op(writer->kind, place->kind);
    if (op == READ_END)
        return error_set(maker->err, REJECTED, "%s: the writer's kind is another than the reader's", name);
    if (op == READ_FIXED && (writer->size != value->size || strcmp(writer->name, value->name) != 0))
        return error_set(maker->err, REJECTED, "%s: the writer's fixed is another than the reader's", name);
    (void)add(maker, (struct plan_step){
                         .op = op, .offset = (uint32_t)place->offset, .size = (uint32_t)writer->size, .name = name});
    return OK;
}

/* ---- what the writer lacks ---- */

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

static enum result set_default(struct read_maker *maker, const struct avro_type *type, json_t *value,
                               const struct avro_field *field, size_t offset, int depth);

static enum result set_record_defaults(struct read_maker *maker, const struct avro_type *type, json_t *value,
                                       const struct avro_shape *shape, size_t offset, int depth)
{
    enum result result = OK;
    for (size_t i = 0; i < type->field_count && result == OK; i++) {
        const struct avro_type_field *field = &type->fields[i];
        json_t *own = json_object_get(value, field->name);
        result = set_default(maker, field->type, own == NULL ? field->default_value : own,
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
    (void)add(maker, (struct plan_step){.op = field->kind == AVRO_KIND_FIXED ? SET_FIXED : SET_TEXT,
                                        .offset = (uint32_t)offset,
                                        .size = (uint32_t)bytes.size,
                                        .data = bytes.data,
                                        .name = field->name});
    return OK;
}

static enum result set_default(struct read_maker *maker, const struct avro_type *type, json_t *value,
                               const struct avro_field *field, size_t offset, int depth)
{
    size_t at = offset + field->offset;
    struct plan_step step = {.offset = (uint32_t)at, .name = field->name};
    if (too_deep(maker, depth))
        return refuse_depth(maker, field->name);
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
            (void)add(maker, (struct plan_step){
                                 .op = SET_BOOL, .offset = (uint32_t)(offset + field->present_offset), .number = 1});
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
    (void)add(maker, step);
    return OK;
}

/* ---- records ---- */

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
            result = skip(maker, writer->fields[i].type, name, depth + 1);
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
            result = set_default(maker, wanted->type, wanted->default_value, plan_find_field(shape, wanted->name),
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
    (void)add(&maker, (struct plan_step){.op = READ_END});
    return result;
}
