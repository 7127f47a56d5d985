/* A schema's JSON as a tree: what plans are compiled from. Checked by avro-c; defaults and order as the JSON has them.
 */
#pragma once

#include "broker/base/memory.h"
#include "broker/base/result.h"

#include <jansson.h>

enum avro_type_kind {
    AVRO_TYPE_NULL,
    AVRO_TYPE_BOOLEAN,
    AVRO_TYPE_INT,
    AVRO_TYPE_LONG,
    AVRO_TYPE_FLOAT,
    AVRO_TYPE_DOUBLE,
    AVRO_TYPE_BYTES,
    AVRO_TYPE_STRING,
    AVRO_TYPE_FIXED,
    AVRO_TYPE_ENUM,
    AVRO_TYPE_RECORD,
    AVRO_TYPE_ARRAY,
    AVRO_TYPE_MAP,
    AVRO_TYPE_UNION,
};

struct avro_type;

struct avro_type_field {
    const char *name;
    const struct avro_type *type;
    json_t *default_value; /* NULL: none */
};

struct avro_type {
    enum avro_type_kind kind;
    const char *name;               /* record, enum, fixed: without its namespace; NULL: the others */
    size_t size;                    /* fixed: its bytes; enum: how many symbols */
    struct avro_type_field *fields; /* record */
    size_t field_count;
    const struct avro_type **branches; /* union */
    size_t branch_count;
    const struct avro_type *items; /* array, map: of the values */
};

/* All of it lives until avro_tree_destroy. Zero-initialised is empty and valid. */
struct avro_tree {
    const struct avro_type *root;
    int64_t id; /* "tidings.id"; 0: the schema has none */
    json_t *json;
    struct arena arena;
};

/* REJECTED: not a schema; the reason is avro-c's, or ours where avro-c is too kind. */
enum result avro_tree_read(struct view text, struct avro_tree *ret, struct error *err);
void avro_tree_destroy(struct avro_tree *tree);

/* The field of that name, or NULL. */
const struct avro_type_field *avro_type_find(const struct avro_type *record, const char *name);
