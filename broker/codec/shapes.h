/* The shapes: where each field of each schema stands in its C struct. One table a struct, in the order of the struct;
 * the schema's order is its own. What does not fit its schema is found when the schemas are opened. */
#pragma once

#include "broker/codec/avro.h"

extern const struct avro_shape record_shape, cause_shape;
extern const struct avro_shape event_header_shape, event_body_shape;
extern const struct avro_shape telling_shape, subscription_shape, receipt_shape, receipt_body_shape, tick_shape,
    rules_shape;
extern const struct avro_shape data_key_shape, organisation_shape, subscriber_shape, token_shape, work_item_shape;
extern const struct avro_shape patient_state_shape, subscriber_state_shape;

/* A member's place; does not compile where the member is not that large, so that a kind and its C type cannot part. */
#define PLACE(type, member, bytes)                                                                                     \
    (offsetof(type, member) + 0 * sizeof(char[sizeof(((type *)NULL)->member) == (bytes) ? 1 : -1]))

/* A row of a table: the schema's name, and the struct's member. */
#define FIELD_OF(schema_name, field_kind, type, member, bytes, ...)                                                    \
    {                                                                                                                  \
        .name = (schema_name), .kind = (field_kind), .offset = PLACE(type, member, bytes), .present_offset = SIZE_MAX, \
        __VA_ARGS__                                                                                                    \
    }
#define BOOL(name, type, member)   FIELD_OF(name, AVRO_KIND_BOOL, type, member, sizeof(bool), )
#define INT(name, type, member)    FIELD_OF(name, AVRO_KIND_INT, type, member, sizeof(int32_t), )
#define LONG(name, type, member)   FIELD_OF(name, AVRO_KIND_LONG, type, member, sizeof(int64_t), )
#define STRING(name, type, member) FIELD_OF(name, AVRO_KIND_STRING, type, member, sizeof(struct view), )
#define BYTES(name, type, member)  FIELD_OF(name, AVRO_KIND_BYTES, type, member, sizeof(struct view), )
#define FIXED(name, type, member)                                                                                      \
    FIELD_OF(name, AVRO_KIND_FIXED, type, member, sizeof(((type *)NULL)->member),                                      \
             .size = sizeof(((type *)NULL)->member))
#define RECORD(name, type, member, of)                                                                                 \
    FIELD_OF(name, AVRO_KIND_RECORD, type, member, sizeof(((type *)NULL)->member), .shape = (of))
#define STRINGS(name, type, member, count)                                                                             \
    FIELD_OF(name, AVRO_KIND_ARRAY, type, member, sizeof(void *), .element = AVRO_KIND_STRING,                         \
             .count_offset = offsetof(type, count))
#define RECORDS(name, type, member, count, of)                                                                         \
    FIELD_OF(name, AVRO_KIND_ARRAY, type, member, sizeof(void *), .element = AVRO_KIND_RECORD,                         \
             .count_offset = offsetof(type, count), .shape = (of))
/* present: the bool that says whether the record is there. */
#define OPTIONAL_RECORD(schema_name, type, member, present, of)                                                        \
    {                                                                                                                  \
        .name = (schema_name), .kind = AVRO_KIND_RECORD, .offset = offsetof(type, member),                             \
        .present_offset = offsetof(type, present), .shape = (of)                                                       \
    }
#define SHAPE(schema_name, type, table)                                                                                \
    {                                                                                                                  \
        .name = (schema_name), .size = sizeof(type), .fields = (table),                                                \
        .field_count = sizeof(table) / sizeof(table)[0]                                                                \
    }
