/* Makes records: headers in clear, bodies sealed with the stored header as additional data. */
#include "broker/record/keyring.h"

#include "broker/base/time.h"

static void write_pair(struct view header, struct view sealed, struct buffer *to)
{
    struct record_value value = {header, sealed};
    schema_encode(SCHEMA_RECORD, &value, to);
}

/* Seals plain under the owner's key and appends the record. */
static enum result seal_pair(struct keyring *keyring, struct view owner, uint64_t key_id, struct view header,
                             struct view plain, struct buffer *to, struct error *err)
{
    const uint8_t *key;
    enum result result = keyring_find(keyring, owner, key_id, &key, err);
    if (result == NOTHING)
        return error_set(err, REJECTED, "the data key to seal with is not in tidings.keys");
    if (result != OK)
        return result;
    struct buffer sealed = {0};
    vault_seal(key, header, plain, &sealed);
    write_pair(header, buffer_view(&sealed), to);
    buffer_destroy(&sealed);
    return OK;
}

enum result record_seal_event(struct keyring *keyring, const struct event_header *header, const struct event_body *body,
                              struct buffer *to, struct error *err)
{
    struct buffer clear = {0};
    enum result result = OK;
    schema_encode(SCHEMA_EVENT_HEADER, header, &clear);
    if (header->key_id == 0) {
        write_pair(buffer_view(&clear), VIEW(""), to);
    } else {
        buffer_clear(&keyring->plain);
        schema_encode(SCHEMA_EVENT_BODY, body, &keyring->plain);
        result = seal_pair(keyring, header->patient, header->key_id, buffer_view(&clear), buffer_view(&keyring->plain),
                           to, err);
    }
    buffer_destroy(&clear);
    return result;
}

void record_write_plain(enum schema schema, const void *header, struct buffer *to)
{
    struct buffer clear = {0};
    schema_encode(schema, header, &clear);
    write_pair(buffer_view(&clear), VIEW(""), to);
    buffer_destroy(&clear);
}

void record_write_telling(const struct telling *telling, struct view event_sealed, struct buffer *to)
{
    struct buffer clear = {0};
    schema_encode(SCHEMA_TELLING, telling, &clear);
    write_pair(buffer_view(&clear), event_sealed, to);
    buffer_destroy(&clear);
}

enum result record_seal_receipt(struct keyring *keyring, const struct receipt *receipt, struct view by,
                                struct buffer *to, struct error *err)
{
    struct buffer clear = {0};
    enum result result = OK;
    schema_encode(SCHEMA_RECEIPT, receipt, &clear);
    if (receipt->key_id == 0) {
        write_pair(buffer_view(&clear), VIEW(""), to);
    } else {
        struct receipt_body body = {by};
        buffer_clear(&keyring->plain);
        schema_encode(SCHEMA_RECEIPT_BODY, &body, &keyring->plain);
        result = seal_pair(keyring, receipt->subscription, receipt->key_id, buffer_view(&clear),
                           buffer_view(&keyring->plain), to, err);
    }
    buffer_destroy(&clear);
    return result;
}

static void add(struct log_header *headers, size_t *count, const char *name, struct view value)
{
    if (value.size > 0)
        headers[(*count)++] = (struct log_header){name, value};
}

size_t record_headers(const struct event_header *event, struct view region, struct arena *arena,
                      struct log_header ret[RECORD_HEADERS])
{
    char id[EVENT_ID_TEXT_SIZE], time[TIME_TEXT_SIZE];
    size_t count = 0;
    add(ret, &count, "ce_specversion", VIEW("1.0"));
    add(ret, &count, "ce_id", arena_copy(arena, event_id_to_text(&event->id, id)));
    add(ret, &count, "ce_type", event->type);
    add(ret, &count, "ce_source", arena_format(arena, "urn:tidings:%.*s", VIEW_ARGS(region)));
    add(ret, &count, "ce_time", arena_copy(arena, time_to_rfc3339(event->recorded_at_ms, time)));
    add(ret, &count, "ce_subject", event->patient);
    add(ret, &count, "traceparent", event->traceparent);
    return count;
}
