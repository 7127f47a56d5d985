/* Steps over what the writer has and the reader does not want. */
#include "broker/codec/plan_read.h"

static enum result skip_array(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    uint32_t array;
    bool map = type->kind == AVRO_TYPE_MAP;
    enum result result = read_array_open(maker, type->items, map ? 1 : 0, (struct plan_step){.name = name}, &array);
    if (result != OK)
        return result;
    if (map)
        (void)read_add(maker, (struct plan_step){.op = SKIP_STRING, .name = name});
    result = plan_skip(maker, type->items, name, depth + 1);
    read_array_close(maker, array);
    return result;
}

static enum result skip_union(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    uint32_t jump = read_union_open(maker, type, name), last = UINT32_MAX;
    enum result result = OK;
    for (size_t i = 0; i < type->branch_count && result == OK; i++) {
        read_branch_open(maker, jump + (uint32_t)i);
        result = plan_skip(maker, type->branches[i], name, depth + 1);
        read_branch_close(maker, &last);
    }
    read_union_close(maker, last);
    return result;
}

enum result plan_skip(struct read_maker *maker, const struct avro_type *type, const char *name, int depth)
{
    static const uint32_t ops[] = {
        [AVRO_TYPE_BOOLEAN] = SKIP_BOOL,  [AVRO_TYPE_INT] = SKIP_INT,      [AVRO_TYPE_LONG] = SKIP_LONG,
        [AVRO_TYPE_FLOAT] = SKIP_FIXED,   [AVRO_TYPE_DOUBLE] = SKIP_FIXED, [AVRO_TYPE_BYTES] = SKIP_BYTES,
        [AVRO_TYPE_STRING] = SKIP_STRING, [AVRO_TYPE_FIXED] = SKIP_FIXED,  [AVRO_TYPE_ENUM] = SKIP_ENUM,
    };
    enum result result = OK;
    if (read_too_deep(maker, depth))
        return read_refuse_depth(maker, name);
    if (type->kind == AVRO_TYPE_NULL)
        return OK;
    if (type->kind == AVRO_TYPE_UNION)
        return skip_union(maker, type, name, depth);
    if (type->kind == AVRO_TYPE_ARRAY || type->kind == AVRO_TYPE_MAP)
        return skip_array(maker, type, name, depth);
    if (type->kind == AVRO_TYPE_RECORD) {
        for (size_t i = 0; i < type->field_count && result == OK; i++)
            result = plan_skip(maker, type->fields[i].type, name, depth + 1);
        return result;
    }
    size_t size = type->kind == AVRO_TYPE_ENUM ? type->size : read_minimum(type, 0);
    (void)read_add(maker, (struct plan_step){.op = ops[type->kind], .size = (uint32_t)size, .name = name});
    return OK;
}
