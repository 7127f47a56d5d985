/* The forms that reading and skipping share: unions, arrays, bounds. */
#include "broker/codec/plan_read.h"

uint32_t read_add(struct read_maker *maker, struct plan_step step)
{
    return plan_add(&maker->plan->read, step);
}

static uint32_t read_next(const struct read_maker *maker)
{
    return (uint32_t)maker->plan->read.count;
}

bool read_too_deep(const struct read_maker *maker, int depth)
{
    return depth > PLAN_DEPTH || maker->plan->read.count > PLAN_STEPS;
}

enum result read_refuse_depth(struct read_maker *maker, const char *name)
{
    return error_set(maker->err, REJECTED, "%s: nested too deep, or too large", name);
}

/* The fewest bytes that a value takes. */
size_t read_minimum(const struct avro_type *type, int depth)
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
            sum += read_minimum(type->fields[i].type, depth + 1);
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

/* Starts a union: its jumps, to be pointed at each branch's steps. */
uint32_t read_union_open(struct read_maker *maker, const struct avro_type *type, const char *name)
{
    uint32_t first =
        read_add(maker, (struct plan_step){.op = READ_UNION, .size = (uint32_t)type->branch_count, .name = name}) + 1;
    for (size_t i = 0; i < type->branch_count; i++)
        (void)read_add(maker, (struct plan_step){.op = READ_JUMP});
    return first;
}

void read_branch_open(struct read_maker *maker, uint32_t jump)
{
    maker->plan->read.steps[jump].child = read_next(maker);
}

/* A branch ends with a jump behind the last branch; until that is known, each jump holds the place of the one before
 * it. */
void read_branch_close(struct read_maker *maker, uint32_t *last)
{
    *last = read_add(maker, (struct plan_step){.op = READ_JUMP, .child = *last});
}

void read_union_close(struct read_maker *maker, uint32_t last)
{
    uint32_t end = read_next(maker);
    while (last != UINT32_MAX) {
        uint32_t before = maker->plan->read.steps[last].child;
        maker->plan->read.steps[last].child = end;
        last = before;
    }
}

/* Starts an array: what follows, up to array_close, is the element's. */
enum result read_array_open(struct read_maker *maker, const struct avro_type *element, size_t extra,
                            struct plan_step step, uint32_t *ret)
{
    size_t minimum = read_minimum(element, 0) + extra;
    if (minimum == 0 || minimum > UINT32_MAX) /* else a few bytes could claim a billion elements */
        return error_set(maker->err, REJECTED, "%s: its elements take no bytes", step.name);
    step.op = READ_ARRAY;
    step.minimum = (uint32_t)minimum;
    *ret = read_add(maker, step);
    return OK;
}

void read_array_close(struct read_maker *maker, uint32_t array)
{
    (void)read_add(maker, (struct plan_step){.op = READ_END});
    maker->plan->read.steps[array].child = read_next(maker);
}
