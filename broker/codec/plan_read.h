/* What the parts of plan_read.c share: the reading side of a plan, while it is made. */
#pragma once

#include "broker/codec/plan.h"

struct read_maker {
    struct avro_plan *plan;
    struct error *err;
};

uint32_t read_add(struct read_maker *maker, struct plan_step step);

/* Nested too deep, or too many steps; and how that is said. */
bool read_too_deep(const struct read_maker *maker, int depth);
enum result read_refuse_depth(struct read_maker *maker, const char *name);

/* The fewest bytes that a value takes. */
size_t read_minimum(const struct avro_type *type, int depth);

/* A union: open it, then open and close each branch in turn, then close it. The first answers the place of the first
 * branch's jump; *last starts as UINT32_MAX. */
uint32_t read_union_open(struct read_maker *maker, const struct avro_type *type, const char *name);
void read_branch_open(struct read_maker *maker, uint32_t jump);
void read_branch_close(struct read_maker *maker, uint32_t *last);
void read_union_close(struct read_maker *maker, uint32_t last);

/* An array: what is added between is its element's. extra: bytes an element takes beyond the type's own. REJECTED: its
 * elements take none. */
enum result read_array_open(struct read_maker *maker, const struct avro_type *element, size_t extra,
                            struct plan_step step, uint32_t *ret);
void read_array_close(struct read_maker *maker, uint32_t array);

/* Steps over a value that the reader does not want. */
enum result plan_skip(struct read_maker *maker, const struct avro_type *type, const char *name, int depth);
/* Sets a field that the writer lacks; offset: of the struct it is in. value NULL: REJECTED, there is no default. */
enum result plan_set_default(struct read_maker *maker, const struct avro_type *type, json_t *value,
                             const struct avro_field *field, size_t offset, int depth);
