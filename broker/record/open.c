/* Opens records: decodes their headers, unseals their bodies. Every byte is hostile. */
#include "broker/record/keyring.h"

static enum result header_decode(struct opened_record *record, struct arena *arena, struct error *err)
{
    enum result result = schema_of(record->header, &record->kind, err);
    if (result != OK)
        return result;
    switch (record->kind) {
    case SCHEMA_EVENT_HEADER:
        return schema_decode(record->kind, record->header, arena, &record->event, err);
    case SCHEMA_TELLING:
        result = schema_decode(record->kind, record->header, arena, &record->telling, err);
        if (result == OK)
            result = schema_decode(SCHEMA_EVENT_HEADER, record->telling.event_header, arena, &record->told, err);
        return result;
    case SCHEMA_SUBSCRIPTION:
        return schema_decode(record->kind, record->header, arena, &record->subscription, err);
    case SCHEMA_RECEIPT:
        return schema_decode(record->kind, record->header, arena, &record->receipt, err);
    case SCHEMA_TICK:
        return schema_decode(record->kind, record->header, arena, &record->tick, err);
    case SCHEMA_RULES:
        return schema_decode(record->kind, record->header, arena, &record->rules, err);
    case SCHEMA_WORK_ITEM:
        return schema_decode(record->kind, record->header, arena, &record->work_item, err);
    case SCHEMA_RECORD:
    case SCHEMA_EVENT_BODY:
    case SCHEMA_RECEIPT_BODY:
    case SCHEMA_DATA_KEY:
    case SCHEMA_ORGANISATION:
    case SCHEMA_SUBSCRIBER:
    case SCHEMA_TOKEN:
    case SCHEMA_PATIENT_STATE:
    case SCHEMA_SUBSCRIBER_STATE:
    case SCHEMA_COUNT:
        break;
    }
    return error_set(err, REJECTED, "a record whose header has a schema that is no header's");
}

enum result record_open(struct view value, struct arena *arena, struct opened_record *ret, struct error *err)
{
    struct record_value pair;
    enum result result = schema_decode(SCHEMA_RECORD, value, arena, &pair, err);
    if (result != OK)
        return result;
    memset(ret, 0, sizeof *ret);
    ret->header = pair.header;
    ret->sealed = pair.sealed;
    return header_decode(ret, arena, err);
}

enum result record_unseal_body(struct keyring *keyring, const struct opened_record *record, struct arena *arena,
                               struct event_body *ret, struct error *err)
{
    const struct event_header *event = record->kind == SCHEMA_TELLING ? &record->told : &record->event;
    struct view header = record->kind == SCHEMA_TELLING ? record->telling.event_header : record->header;
    const uint8_t *key;
    if (event->key_id == 0 || record->sealed.size == 0)
        return NOTHING;
    enum result result = keyring_find(keyring, event->patient, event->key_id, &key, err);
    if (result != OK)
        return result;
    buffer_clear(&keyring->plain);
    result = vault_unseal(key, header, record->sealed, &keyring->plain, err);
    if (result != OK)
        return result;
    return schema_decode(SCHEMA_EVENT_BODY, arena_copy(arena, buffer_view(&keyring->plain)), arena, ret, err);
}
