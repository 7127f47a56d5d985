/* Plans: flat arrays of steps, compiled from two schemas and a shape, run by avro_decode.c and avro_encode.c. */
#pragma once

#include "broker/codec/avro.h"
#include "broker/codec/avro_type.h"

enum {
    PLAN_DEPTH = 16,   /* records in records, arrays in arrays: ours have 4; a type that holds itself ends here */
    PLAN_STEPS = 4096, /* of one plan: ours have 60; a schema that names a large record again and again ends here */
};

enum read_op {
    READ_END,
    READ_BOOL,
    READ_INT,
    READ_LONG,
    READ_INT_AS_LONG,
    READ_STRING,
    READ_BYTES,
    READ_FIXED,  /* size bytes */
    READ_ARRAY,  /* the element's steps follow, then child; size: of the element's struct, 0: skipped */
    READ_UNION,  /* size: how many branches; a READ_JUMP for each follows */
    READ_JUMP,   /* to child */
    READ_REFUSE, /* a branch that the reader cannot take */
    SET_BOOL,    /* constants: an optional record is there; the reader's defaults */
    SET_INT,
    SET_LONG,
    SET_TEXT,
    SET_FIXED,
    SKIP_BOOL, /* what the writer has and the reader does not want */
    SKIP_INT,
    SKIP_LONG,
    SKIP_STRING,
    SKIP_BYTES,
    SKIP_FIXED,
    SKIP_ENUM, /* size: how many symbols */
};

enum write_op {
    WRITE_END,
    WRITE_BOOL,
    WRITE_INT,
    WRITE_LONG,
    WRITE_STRING,
    WRITE_BYTES,
    WRITE_OPTIONAL_STRING, /* its branch first */
    WRITE_OPTIONAL_BYTES,
    WRITE_FIXED,
    WRITE_ARRAY,    /* the element's steps follow, then child; size: of the element's struct */
    WRITE_OPTIONAL, /* an optional record: its steps follow, then child */
};

struct plan_step {
    uint32_t op;     /* enum read_op or enum write_op */
    uint32_t offset; /* of the member; SET_BOOL and WRITE_OPTIONAL: of the bool */
    uint32_t size;
    uint32_t child;                    /* a place among the same steps */
    uint32_t count_offset;             /* array: of the count */
    uint32_t minimum;                  /* READ_ARRAY: the fewest bytes an element takes, at least 1 */
    uint8_t null_branch, value_branch; /* WRITE_OPTIONAL...: the branches' bytes on the wire */
    union {
        int64_t number;   /* SET_BOOL, SET_INT, SET_LONG */
        const void *data; /* SET_TEXT, SET_FIXED: size bytes of the plan's arena */
    };
    const char *name; /* the field's, for people */
};

struct plan_steps {
    struct plan_step *steps;
    size_t count, capacity;
};

struct avro_plan {
    struct plan_steps read, write;
    size_t struct_size;
    struct arena arena;
};

/* Appends; returns the step's place. */
uint32_t plan_add(struct plan_steps *steps, struct plan_step step);

/* Fills in plan->read: how a struct of this shape is read from what the writer wrote. */
enum result plan_compile_read(struct avro_plan *plan, const struct avro_type *writer, const struct avro_type *reader,
                              const struct avro_shape *shape, struct error *err);
/* Fills in plan->write. REJECTED also where the schema and the shape are not one and the same: so the reader's side of
 * plan_compile_read, called after it, needs no such check. */
enum result plan_compile_write(struct avro_plan *plan, const struct avro_type *reader, const struct avro_shape *shape,
                               struct error *err);

/* The shape's field of that name, or NULL. */
const struct avro_field *plan_find_field(const struct avro_shape *shape, const char *name);
/* The one branch of a union with null that is not null; the type itself where it is no union; NULL: another union. */
const struct avro_type *plan_without_null(const struct avro_type *type);
