/* Makes a plan of two schemas and a shape. */
#include "broker/codec/plan.h"

#include <assert.h>
#include <stdlib.h>

uint32_t plan_add(struct plan_steps *steps, struct plan_step step)
{
    if (steps->count == steps->capacity) {
        steps->capacity = steps->capacity == 0 ? 32 : steps->capacity * 2;
        steps->steps = memory_grow(steps->steps, steps->capacity * sizeof *steps->steps);
    }
    steps->steps[steps->count] = step;
    return (uint32_t)steps->count++;
}

const struct avro_field *plan_find_field(const struct avro_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->field_count; i++)
        if (strcmp(shape->fields[i].name, name) == 0)
            return &shape->fields[i];
    return NULL;
}

const struct avro_type *plan_without_null(const struct avro_type *type)
{
    if (type->kind != AVRO_TYPE_UNION)
        return type;
    if (type->branch_count != 2)
        return NULL;
    bool null_first = type->branches[0]->kind == AVRO_TYPE_NULL;
    return null_first || type->branches[1]->kind == AVRO_TYPE_NULL ? type->branches[null_first ? 1 : 0] : NULL;
}

/* Names in steps point into the schemas' JSON, which goes: the plan keeps its own. */
static void keep_names(struct avro_plan *plan, struct plan_steps *steps)
{
    for (size_t i = 0; i < steps->count; i++)
        if (steps->steps[i].name != NULL)
            steps->steps[i].name = arena_copy(&plan->arena, view_of_text(steps->steps[i].name)).data;
}

enum result avro_plan_create(struct view writer, struct view reader, const struct avro_shape *shape,
                             struct avro_plan **ret, struct error *err)
{
    struct avro_tree written = {0}, wanted = {0};
    struct avro_plan *plan = memory_take(sizeof *plan);
    assert(shape->size <= UINT32_MAX);
    plan->struct_size = shape->size;

    enum result result = avro_tree_read(writer, &written, err);
    if (result == OK)
        result = avro_tree_read(reader, &wanted, err);
    if (result == OK)
        result = plan_compile_write(plan, wanted.root, shape, err);
    if (result == OK)
        result = plan_compile_read(plan, written.root, wanted.root, shape, err);
    if (result == OK) {
        keep_names(plan, &plan->read);
        keep_names(plan, &plan->write);
        *ret = plan;
        plan = NULL;
    }
    avro_plan_destroy(plan);
    avro_tree_destroy(&written);
    avro_tree_destroy(&wanted);
    return result;
}

void avro_plan_destroy(struct avro_plan *plan)
{
    if (plan == NULL)
        return;
    free(plan->read.steps);
    free(plan->write.steps);
    arena_destroy(&plan->arena);
    free(plan);
}
