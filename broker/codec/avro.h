/*
 * Avro binary encoding (Apache Avro 1.11 specification, "Binary Encoding"), read and written through flat field plans.
 *
 * A *shape* is a static table that says where the fields of a C struct are. A *plan* joins a writer's schema to a
 * shape: compiled once, with schema resolution by field name (defaults from the shape's own, reader's, schema; a
 * writer's field that the shape does not have is skipped). Decoding runs the plan over hostile bytes, bounds-checked.
 * avro-c parses and checks schemas, nothing else.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/result.h"

enum avro_kind {
    AVRO_KIND_BOOL,   /* bool */
    AVRO_KIND_INT,    /* int32_t (or any enum of ours) */
    AVRO_KIND_LONG,   /* int64_t or uint64_t */
    AVRO_KIND_STRING, /* struct view; NULL data is the null branch of a ["null","string"] union */
    AVRO_KIND_BYTES,  /* struct view; the same */
    AVRO_KIND_FIXED,  /* uint8_t[size] */
    AVRO_KIND_RECORD, /* a struct inside; with present_offset, the null branch of ["null", record] */
    AVRO_KIND_ARRAY,  /* pointer to elements and size_t count */
};

struct avro_shape;

struct avro_field {
    const char *name; /* as in the schema */
    enum avro_kind kind;
    size_t offset;                  /* of the member, in the struct */
    size_t size;                    /* AVRO_KIND_FIXED: its size */
    const struct avro_shape *shape; /* AVRO_KIND_RECORD, and AVRO_KIND_ARRAY of records */
    enum avro_kind element;         /* AVRO_KIND_ARRAY: AVRO_KIND_RECORD or AVRO_KIND_STRING */
    size_t count_offset;            /* AVRO_KIND_ARRAY: of the size_t count */
    size_t present_offset;          /* optional record: of the bool; SIZE_MAX: not optional */
};

struct avro_shape {
    const char *name; /* of the record in the schema */
    size_t size;      /* of the struct; also of an array's element */
    const struct avro_field *fields;
    size_t field_count;
};

struct avro_plan;

/* writer: the schema's JSON text as it was when written; reader: today's, for defaults. REJECTED: cannot be resolved
 * (another kind under the same name, a field without default that the writer lacks); the reason names the field. */
enum result avro_plan_create(struct view writer, struct view reader, const struct avro_shape *shape,
                             struct avro_plan **ret, struct error *err);
void avro_plan_destroy(struct avro_plan *plan);

/* Decodes all of data into the struct at ret (plan's shape->size bytes; zeroed first). Views point into data; arrays
 * live in arena. REJECTED: not a whole, exact encoding; ret is then unusable. */
enum result avro_decode(const struct avro_plan *plan, struct view data, struct arena *arena, void *ret,
                        struct error *err);
/* Encodes by the plan's *reader* schema (writers always write today's). Appends. */
void avro_encode(const struct avro_plan *plan, const void *from, struct buffer *to);
