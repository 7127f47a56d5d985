/* One record of the log, for itself: it decodes, unseals, stands where its key belongs, and has the right id. */
#include "broker/main/verifying.h"

#include "broker/event/directory_entry.h"

enum result verify_differs(const struct log_record *record, const char *why, struct error *err)
{
    char where[POSITION_WORDS_SIZE];
    return error_set(err, REJECTED, "%s: %.170s",
                     position_words(record->topic, record->partition, record->offset, where), why);
}

/* A result of a lower room, with the position. */
static enum result at(const struct log_record *record, enum result result, const struct error *why, struct error *err)
{
    if (result == REJECTED)
        return verify_differs(record, why->text, err);
    return result == OK || result == NOTHING ? result : error_set(err, result, "%s", why->text);
}

/* Ticks and rules stand in every partition; all else in its key's. */
static bool belongs_to_its_key(const struct opened_record *opened)
{
    return opened->kind != SCHEMA_TICK && opened->kind != SCHEMA_RULES;
}

enum result verify_open(struct verifying *verifying, const struct log_record *record, struct opened_record *ret,
                        struct error *err)
{
    struct error why = {0};
    struct log *log = verifying->options->log;
    enum result result = at(record, record_open(record->value, &verifying->arena, ret, &why), &why, err);
    if (result != OK)
        return result;
    if (belongs_to_its_key(ret) && log_partition_of(log, record->topic, record->key) != record->partition)
        return verify_differs(record, "the record's key belongs to another partition", err);
    bool right = true;
    if (ret->kind == SCHEMA_EVENT_HEADER)
        right = record->topic == TOPIC_EVENTS && view_is(record->key, ret->event.patient);
    else if (ret->kind == SCHEMA_TELLING)
        right = record->topic == TOPIC_ALERTS && view_is(record->key, ret->telling.subscriber);
    else if (ret->kind == SCHEMA_SUBSCRIPTION)
        right = record->topic == TOPIC_ALERTS && view_is(record->key, ret->subscription.subscriber);
    else if (ret->kind == SCHEMA_RECEIPT)
        right = record->topic == TOPIC_ALERTS;
    else if (ret->kind == SCHEMA_WORK_ITEM)
        right = record->topic == TOPIC_QUARANTINE;
    return right ? OK : verify_differs(record, "the record's key or topic is not that of what it holds", err);
}

/* What a fold emitted has an id of its own making; all others can be computed from the message. */
static enum result id_check(const struct log_record *record, const struct event_header *event,
                            const struct event_body *body, struct error *err)
{
    if (event->has_cause)
        return OK;
    struct event_id id = vault_event_id(event->publisher, body->message_source, body->message_id, event->index,
                                        event_id_time_ms(&event->id));
    return memcmp(id.bytes, event->id.bytes, sizeof id.bytes) == 0
               ? OK
               : verify_differs(record, "the event's id is not what its publisher and message id give", err);
}

static enum result receipt_unseal(struct verifying *verifying, const struct opened_record *opened, struct error *err)
{
    const uint8_t *key;
    struct buffer plain = {0};
    if (opened->receipt.key_id == 0)
        return OK;
    enum result result =
        keyring_find(verifying->keyring, opened->receipt.subscription, opened->receipt.key_id, &key, err);
    if (result == OK)
        result = vault_unseal(key, opened->header, opened->sealed, &plain, err);
    buffer_destroy(&plain);
    return result;
}

enum result verify_sealed(struct verifying *verifying, const struct log_record *record,
                          const struct opened_record *opened, bool *ret_erased, struct error *err)
{
    struct event_body body;
    struct error why = {0};
    bool event = opened->kind == SCHEMA_EVENT_HEADER, telling = opened->kind == SCHEMA_TELLING;
    const struct event_header *header = telling ? &opened->told : &opened->event;
    *ret_erased = false;
    enum result result = OK;
    if (event || telling)
        result = record_unseal_body(verifying->keyring, opened, &verifying->arena, &body, &why);
    else if (opened->kind == SCHEMA_RECEIPT)
        result = receipt_unseal(verifying, opened, &why);
    if (result == NOTHING) {
        *ret_erased = !(event || telling) || header->key_id != 0;
        return OK;
    }
    result = at(record, result, &why, err);
    return result == OK && (event || telling) ? id_check(record, header, &body, err) : result;
}

enum result verify_directory(void *context, const struct log_record *record, struct error *err)
{
    struct verifying *verifying = context;
    union {
        struct organisation organisation;
        struct subscriber subscriber;
        struct token token;
    } entry;
    struct error why = {0};
    enum schema schema;
    if (record->value.data == NULL)
        return OK;
    arena_reset(&verifying->arena);
    enum result result = schema_of(record->value, &schema, &why);
    if (result == OK && schema != SCHEMA_ORGANISATION && schema != SCHEMA_SUBSCRIBER && schema != SCHEMA_TOKEN)
        return verify_differs(record, "the record is no organisation, subscriber or token", err);
    if (result == OK)
        result = schema_decode(schema, record->value, &verifying->arena, &entry, &why);
    return at(record, result, &why, err);
}

enum result verify_key(void *context, const struct log_record *record, struct error *err)
{
    struct verifying *verifying = context;
    struct data_key wrapped;
    const uint8_t *key;
    struct error why = {0};
    if (record->value.data == NULL)
        return OK; /* erased */
    arena_reset(&verifying->arena);
    enum result result = schema_decode(SCHEMA_DATA_KEY, record->value, &verifying->arena, &wrapped, &why);
    if (result == OK)
        result = key_cache_add(verifying->unwrapped, &wrapped, &key, &why);
    return at(record, result, &why, err);
}

enum result verify_quarantine(void *context, const struct log_record *record, struct error *err)
{
    struct opened_record opened;
    struct verifying *verifying = context;
    arena_reset(&verifying->arena);
    return verify_open(verifying, record, &opened, err);
}
