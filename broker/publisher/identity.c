/* Identities: which messages came in the last 35 days, folded from the headers in the log, so also after a restart and
 * for what other processes took in. */
#include "broker/publisher/inside.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"

enum { STORE_SHAPE = 1, KEY_SIZE = EVENT_ID_SIZE - 6, PURGE_AT_ONCE = 2000 };

/* The key is the id without its time: the same message has the same, whenever it was sent. */
static struct view identity_key(const struct event_id *id)
{
    return view_make(id->bytes + 6, KEY_SIZE);
}

static void row_write(const struct identity *identity, uint8_t ret[IDENTITY_ROW_SIZE])
{
    memcpy(ret, identity->first_id.bytes, EVENT_ID_SIZE);
    memcpy(ret + 16, identity->content, HASH_SIZE);
    bytes_put_u64(ret + 32, (uint64_t)identity->recorded_at_ms);
    bytes_put_u32(ret + 40, (uint32_t)identity->position.partition);
    bytes_put_u64(ret + 44, (uint64_t)identity->position.offset);
}

static bool row_read(struct view row, struct identity *ret)
{
    const uint8_t *at = row.data;
    if (row.size != IDENTITY_ROW_SIZE)
        return false;
    memcpy(ret->first_id.bytes, at, EVENT_ID_SIZE);
    memcpy(ret->content, at + 16, HASH_SIZE);
    ret->recorded_at_ms = (int64_t)bytes_get_u64(at + 32);
    ret->position = (struct log_position){(int32_t)bytes_get_u32(at + 40), (int64_t)bytes_get_u64(at + 44)};
    return true;
}

/* Two contents under one identity reached two processes within the log's lag: both were taken, and a person is told. */
static enum result conflict_report(struct publisher *publisher, const struct fold_input *input, struct error *err)
{
    struct arena arena = {0};
    struct event_body body;
    const struct event_header *event = &input->opened->event;
    enum result result = record_unseal_body(publisher->keyring, input->opened, &arena, &body, err);
    if (result == OK) {
        struct work_item item = {
            .organisation = event->publisher,
            .kind = VIEW("conflict"),
            .source = body.message_source,
            .message_id = body.message_id,
            .why = VIEW(
                "two messages with this id and different content were taken at the same moment: the first one counts"),
            .recorded_at_ms = event->recorded_at_ms,
            .source_partition = -1,
        };
        publisher_report(publisher, &item, 1);
    }
    arena_destroy(&arena);
    return result == NOTHING ? OK : result; /* erased: nobody knows what to name */
}

static enum result identity_apply(void *context, const struct fold_input *input, struct fold_output *output,
                                  struct error *err)
{
    struct publisher *publisher = context;
    if (input->opened->kind != SCHEMA_EVENT_HEADER)
        return OK;
    const struct event_header *event = &input->opened->event;
    if (event->origin != publisher->options.origin)
        return OK;
    struct buffer row = {0};
    struct identity known;
    struct identity found = {.first_id = event->id,
                             .recorded_at_ms = event->recorded_at_ms,
                             .position = {input->record->partition, input->record->offset}};
    memcpy(found.content, event->content, HASH_SIZE);
    bool keep = true;
    enum result result = fold_find_row(output, IDENTITY_SPACE, identity_key(&event->id), &row);
    if (result == OK && row_read(buffer_view(&row), &known) &&
        event->recorded_at_ms - known.recorded_at_ms <= IDENTITY_KEPT_MS) {
        enum sameness sameness = event_sameness(event->origin, memcmp(known.content, found.content, HASH_SIZE) == 0,
                                                event_id_time_ms(&known.first_id), event_id_time_ms(&found.first_id));
        keep = sameness == NEW_MESSAGE; /* otherwise the first taking stays the one that is answered with */
        if (sameness == SAME_IDENTITY_OTHER_CONTENT)
            result = conflict_report(publisher, input, err);
    }
    if (keep && (result == OK || result == NOTHING)) {
        uint8_t bytes[IDENTITY_ROW_SIZE];
        row_write(&found, bytes);
        fold_put_row(output, IDENTITY_SPACE, identity_key(&event->id), VIEW_OF(bytes));
    }
    buffer_destroy(&row);
    return result == NOTHING ? OK : result;
}

struct fold identity_fold(struct publisher *publisher)
{
    return (struct fold){
        .name = publisher->name,
        .source = TOPIC_EVENTS,
        .shape = STORE_SHAPE,
        .rules_newest = RULES_NEWEST,
        .context = publisher,
        .apply = identity_apply,
    };
}

enum result identity_find(struct publisher *publisher, const struct event_id *id, int64_t now_ms, struct identity *ret)
{
    struct buffer row = {0};
    enum result result = store_find(runner_store(publisher->identities), IDENTITY_SPACE, identity_key(id), &row);
    if (result == OK && (!row_read(buffer_view(&row), ret) || now_ms - ret->recorded_at_ms > IDENTITY_KEPT_MS))
        result = NOTHING;
    buffer_destroy(&row);
    return result;
}

struct purge {
    int64_t oldest_ms;
    size_t seen, count;
    uint8_t keys[PURGE_AT_ONCE][KEY_SIZE];
    uint8_t last[KEY_SIZE];
};

static bool purge_look(void *context, struct view key, struct view value)
{
    struct purge *purge = context;
    struct identity identity;
    if (key.size != KEY_SIZE)
        return true;
    memcpy(purge->last, key.data, KEY_SIZE);
    if (!row_read(value, &identity) || identity.recorded_at_ms < purge->oldest_ms)
        memcpy(purge->keys[purge->count++], key.data, KEY_SIZE);
    return ++purge->seen < PURGE_AT_ONCE;
}

void identities_purge(struct publisher *publisher, int64_t now_ms)
{
    struct store *store = runner_store(publisher->identities);
    struct purge purge = {.oldest_ms = now_ms - IDENTITY_KEPT_MS};
    struct view from = view_make(publisher->purge_from, KEY_SIZE);
    if (store_scan(store, IDENTITY_SPACE, from, VIEW_NONE, purge_look, &purge) != OK)
        return;
    for (size_t i = 0; i < purge.count; i++)
        store_remove(store, IDENTITY_SPACE, view_make(purge.keys[i], KEY_SIZE));
    if (purge.seen < PURGE_AT_ONCE)
        memset(publisher->purge_from, 0, sizeof publisher->purge_from); /* round again from the beginning */
    else
        memcpy(publisher->purge_from, purge.last, KEY_SIZE);
}
