/* Which schema has which id, and values in wire format. */
#include "broker/codec/schemas.h"

#include "broker/base/bytes.h"
#include "broker/codec/avro_type.h"
#include "broker/codec/built_in_schemas.h"
#include "broker/codec/shapes.h"

#include <assert.h>

enum {
    WIRE_HEADER = 5,  /* 00, and the id in 4 bytes */
    SCHEMA_IDS = 256, /* the highest id is below: a table by id is the fastest look-up; ours are 1, 2, 3 ... */
};

static const struct avro_shape *const shapes[SCHEMA_COUNT] = {
    [SCHEMA_RECORD] = &record_shape,
    [SCHEMA_EVENT_HEADER] = &event_header_shape,
    [SCHEMA_EVENT_BODY] = &event_body_shape,
    [SCHEMA_TELLING] = &telling_shape,
    [SCHEMA_SUBSCRIPTION] = &subscription_shape,
    [SCHEMA_RECEIPT] = &receipt_shape,
    [SCHEMA_RECEIPT_BODY] = &receipt_body_shape,
    [SCHEMA_TICK] = &tick_shape,
    [SCHEMA_RULES] = &rules_shape,
    [SCHEMA_DATA_KEY] = &data_key_shape,
    [SCHEMA_ORGANISATION] = &organisation_shape,
    [SCHEMA_SUBSCRIBER] = &subscriber_shape,
    [SCHEMA_TOKEN] = &token_shape,
    [SCHEMA_WORK_ITEM] = &work_item_shape,
    [SCHEMA_PATIENT_STATE] = &patient_state_shape,
    [SCHEMA_SUBSCRIBER_STATE] = &subscriber_state_shape,
};

/* Filled by schemas_open, then only read, by any thread. */
static struct {
    struct avro_plan *plans[SCHEMA_IDS]; /* by id: from what that id wrote to today's struct */
    enum schema schemas[SCHEMA_IDS];     /* by id */
    uint32_t ids[SCHEMA_COUNT];          /* today's; 0: none */
    struct view texts[SCHEMA_COUNT];     /* today's */
} known;

/* Says which of our structs a schema is of, and its id. */
static enum result schema_read(const struct built_in_schema *file, enum schema *ret, uint32_t *ret_id,
                               struct error *err)
{
    struct avro_tree tree = {0};
    if (avro_tree_read(file->text, &tree, err) != OK)
        return FATAL;
    enum result result = OK;
    enum schema schema = 0;
    while (schema < SCHEMA_COUNT && (tree.root->name == NULL || strcmp(tree.root->name, shapes[schema]->name) != 0))
        schema++;
    if (schema == SCHEMA_COUNT)
        result = error_set(err, FATAL, "%s: no struct of that name", file->file);
    else if (tree.id <= 0 || tree.id >= SCHEMA_IDS)
        result = error_set(err, FATAL, "%s: \"tidings.id\" is missing or not below %d", file->file, SCHEMA_IDS);
    if (result == OK) {
        *ret = schema;
        *ret_id = (uint32_t)tree.id;
    }
    avro_tree_destroy(&tree);
    return result;
}

static enum result today_find(struct error *err)
{
    for (size_t i = 0; i < built_in_schema_count; i++) {
        enum schema schema = SCHEMA_COUNT;
        uint32_t id = 0;
        if (built_in_schemas[i].old)
            continue;
        if (schema_read(&built_in_schemas[i], &schema, &id, err) != OK)
            return FATAL;
        if (known.ids[schema] != 0)
            return error_set(err, FATAL, "%s: a second schema of that record", built_in_schemas[i].file);
        known.ids[schema] = id;
        known.texts[schema] = built_in_schemas[i].text;
    }
    for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++)
        if (known.ids[schema] == 0)
            return error_set(err, FATAL, "no schema of record %s", shapes[schema]->name);
    return OK;
}

static enum result plan_open(const struct built_in_schema *file, struct error *err)
{
    enum schema schema = SCHEMA_COUNT;
    uint32_t id = 0;
    struct error why;
    if (schema_read(file, &schema, &id, err) != OK)
        return FATAL;
    if (known.plans[id] != NULL)
        return error_set(err, FATAL, "%s: its id is another schema's", file->file);
    if (avro_plan_create(file->text, known.texts[schema], shapes[schema], &known.plans[id], &why) != OK)
        return error_set(err, FATAL, "%s: %.200s", file->file, why.text);
    known.schemas[id] = schema;
    return OK;
}

enum result schemas_open(struct error *err)
{
    schemas_close();
    enum result result = today_find(err);
    for (size_t i = 0; i < built_in_schema_count && result == OK; i++)
        result = plan_open(&built_in_schemas[i], err);
    if (result != OK)
        schemas_close();
    return result;
}

void schemas_close(void)
{
    for (size_t id = 0; id < SCHEMA_IDS; id++)
        avro_plan_destroy(known.plans[id]);
    memset(&known, 0, sizeof known);
}

/* The id of wire-format bytes, if a plan is known for it. */
static enum result wire_id(struct view wire, uint32_t *ret, struct error *err)
{
    const unsigned char *bytes = wire.data;
    if (wire.size < WIRE_HEADER)
        return error_set(err, REJECTED, "wire format: %zu bytes are too few", wire.size);
    if (bytes[0] != 0)
        return error_set(err, REJECTED, "wire format: version %u, not 0", bytes[0]);
    uint32_t id = bytes_get_u32(bytes + 1);
    if (id >= SCHEMA_IDS || known.plans[id] == NULL)
        return error_set(err, REJECTED, "wire format: schema id %u is not known", id);
    *ret = id;
    return OK;
}

enum result schema_of(struct view wire, enum schema *ret, struct error *err)
{
    uint32_t id = 0;
    enum result result = wire_id(wire, &id, err);
    if (result == OK)
        *ret = known.schemas[id];
    return result;
}

void schema_encode(enum schema schema, const void *from, struct buffer *to)
{
    unsigned char header[WIRE_HEADER] = {0};
    uint32_t id = known.ids[schema];
    assert(id != 0); /* schemas_open comes first */
    bytes_put_u32(header + 1, id);
    buffer_add(to, header, sizeof header);
    avro_encode(known.plans[id], from, to);
}

enum result schema_decode(enum schema schema, struct view wire, struct arena *arena, void *ret, struct error *err)
{
    uint32_t id = 0;
    enum result result = wire_id(wire, &id, err);
    if (result != OK)
        return result;
    if (known.schemas[id] != schema)
        return error_set(err, REJECTED, "wire format: a %s where a %s should be", shapes[known.schemas[id]]->name,
                         shapes[schema]->name);
    return avro_decode(known.plans[id], view_after(wire, WIRE_HEADER), arena, ret, err);
}
