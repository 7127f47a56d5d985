/*
 * The schemas (schemas/<name>.avsc, built into the program), and values in Confluent's wire format: 00, the schema's id
 * in 4 bytes, Avro. Ids stand in the schema files as "tidings.id" and never change; a changed schema is a new id, the
 * old text stays (schemas/old/<id>.avsc) so that old records decode for ever.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/result.h"

enum schema {
    SCHEMA_RECORD,           /* struct record_value: the value of every record */
    SCHEMA_EVENT_HEADER,     /* struct event_header */
    SCHEMA_EVENT_BODY,       /* struct event_body */
    SCHEMA_TELLING,          /* struct telling */
    SCHEMA_SUBSCRIPTION,     /* struct subscription */
    SCHEMA_RECEIPT,          /* struct receipt */
    SCHEMA_RECEIPT_BODY,     /* struct receipt_body */
    SCHEMA_TICK,             /* struct tick */
    SCHEMA_RULES,            /* struct rules */
    SCHEMA_DATA_KEY,         /* struct data_key */
    SCHEMA_ORGANISATION,     /* struct organisation */
    SCHEMA_SUBSCRIBER,       /* struct subscriber */
    SCHEMA_TOKEN,            /* struct token */
    SCHEMA_WORK_ITEM,        /* struct work_item */
    SCHEMA_PATIENT_STATE,    /* struct patient_state: match's own store, never in a topic */
    SCHEMA_SUBSCRIBER_STATE, /* struct subscriber_state: number's own store */
    SCHEMA_COUNT,
};

/* The value of every record. header and sealed are each in wire format inside (sealed: after unsealing). */
struct record_value {
    struct view header;
    struct view sealed; /* empty: nothing sealed */
};

/* Parses and compiles every schema; once a process, before anything else of this room. FATAL: the program is built
 * wrong. */
enum result schemas_open(struct error *err);
void schemas_close(void);

/* The schema that wire-format bytes say they have. REJECTED: too short, not version 0, or an id nobody knows. */
enum result schema_of(struct view wire, enum schema *ret, struct error *err);
/* Appends 00, id, Avro. from: the struct named above. */
void schema_encode(enum schema schema, const void *from, struct buffer *to);
/* wire must be of that schema (any version of it). ret: the struct named above. */
enum result schema_decode(enum schema schema, struct view wire, struct arena *arena, void *ret, struct error *err);
