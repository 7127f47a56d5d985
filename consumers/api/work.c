/* The work list: what a person must look at, by organisation; a projection of tidings.quarantine. The same item twice
 * is one. */
#include "consumers/api/listing.h"

#include "broker/base/bytes.h"

enum { STORE_SHAPE = 1, ITEM_SPACE = 'q', SEEN_SPACE = 'k', HASH_BYTES = 16, KEY_TAIL = 1 + 8 + HASH_BYTES };

/* What makes two items the same: whose, what, of which message or record. */
static void item_hash(const struct work_item *item, uint8_t ret[HASH_BYTES])
{
    uint8_t source[20];
    bytes_put_u32(source, (uint32_t)item->source_topic);
    bytes_put_u32(source + 4, (uint32_t)item->source_partition);
    bytes_put_u64(source + 8, (uint64_t)item->source_offset);
    bytes_put_u32(source + 16, (uint32_t)item->source_index);
    struct view parts[] = {item->organisation, item->kind, item->source, item->message_id, item->at, VIEW_OF(source)};
    vault_hash(parts, sizeof parts / sizeof parts[0], ret, HASH_BYTES);
}

static enum result work_apply(void *context, const struct fold_input *input, struct fold_output *output,
                              struct error *err)
{
    (void)context;
    (void)err; /* a store that cannot be read is told by the runner */
    const struct work_item *item = &input->opened->work_item;
    if (input->opened->kind != SCHEMA_WORK_ITEM)
        return OK;
    uint8_t hash[HASH_BYTES], tail[KEY_TAIL] = {0};
    struct buffer key = {0}, seen = {0};
    item_hash(item, hash);
    if (fold_find_row(output, SEEN_SPACE, VIEW_OF(hash), &seen) == NOTHING) {
        bytes_put_u64(tail + 1, (uint64_t)item->recorded_at_ms);
        memcpy(tail + 9, hash, sizeof hash);
        buffer_add_view(&key, item->organisation);
        buffer_add(&key, tail, sizeof tail);
        fold_put_row(output, ITEM_SPACE, buffer_view(&key), input->opened->header);
        fold_put_row(output, SEEN_SPACE, VIEW_OF(hash), VIEW(""));
    }
    buffer_destroy(&key);
    buffer_destroy(&seen);
    return OK;
}

struct fold work_fold(struct api *api)
{
    return (struct fold){
        .name = "worklist",
        .source = TOPIC_QUARANTINE,
        .shape = STORE_SHAPE,
        .rules_newest = RULES_NEWEST,
        .context = api,
        .apply = work_apply,
    };
}

struct work_listing {
    struct listing listing;
    bool quarantined; /* only those; otherwise all others */
};

static void item_write(const struct work_item *item, struct view id, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "id", id);
    json_member_text(json, "organisation", item->organisation);
    json_member_text(json, "kind", item->kind);
    if (item->source.size > 0)
        json_member_text(json, "source", item->source);
    if (item->message_id.size > 0)
        json_member_text(json, "messageId", item->message_id);
    if (item->at.size > 0)
        json_member_text(json, "at", item->at);
    if (item->code.size > 0)
        json_member_text(json, "code", item->code);
    json_member_text(json, "why", item->why);
    json_member_time(json, "recordedAt", item->recorded_at_ms);
    if (item->source_partition >= 0) {
        json_name(json, "position");
        json_open_object(json);
        json_member_text(json, "topic", view_of_text(topic_name((enum topic)item->source_topic)));
        json_member_number(json, "partition", item->source_partition);
        json_member_number(json, "offset", item->source_offset);
        json_close_object(json);
    }
    json_close_object(json);
}

static bool work_list_one(void *context, struct view key, struct view value)
{
    struct work_listing *work = context;
    struct call *call = work->listing.call;
    struct work_item item;
    if (key.size < KEY_TAIL ||
        schema_decode(SCHEMA_WORK_ITEM, arena_copy(&call->arena, value), &call->arena, &item, NULL) != OK ||
        view_is_text(item.kind, "quarantined") != work->quarantined)
        return true;
    struct buffer id = {0};
    bytes_add_hex(&id, key); /* the cursor is the row's key */
    struct view cursor = arena_copy(&call->arena, buffer_view(&id));
    buffer_destroy(&id);
    if (!listing_take(&work->listing, cursor))
        return false;
    item_write(&item, cursor, &work->listing.json);
    return true;
}

/* Rows of one organisation behind the cursor. */
static void organisation_scan(struct work_listing *work, struct view organisation, struct view behind)
{
    struct buffer from = {0}, to = {0};
    buffer_add_view(&from, organisation);
    buffer_add_byte(&from, 0);
    buffer_add_view(&to, organisation);
    buffer_add_byte(&to, 1);
    if (behind.data != NULL && view_compare(behind, buffer_view(&from)) > 0) {
        buffer_clear(&from);
        buffer_add_view(&from, behind);
        buffer_add_byte(&from, 0);
    }
    if (view_compare(buffer_view(&from), buffer_view(&to)) < 0 &&
        store_scan(runner_store(work->listing.call->api->work), ITEM_SPACE, buffer_view(&from), buffer_view(&to),
                   work_list_one, work) == FATAL)
        work->listing.more = false;
    buffer_destroy(&from);
    buffer_destroy(&to);
}

static bool cursor_decode(struct call *call, struct view hex, struct view *ret)
{
    const char *digits = "0123456789abcdef";
    *ret = VIEW_NONE;
    if (hex.data == NULL)
        return true;
    uint8_t *bytes = arena_take(&call->arena, hex.size / 2 + 1);
    for (size_t i = 0; i + 1 < hex.size; i += 2) {
        const char *high = strchr(digits, ((const char *)hex.data)[i]),
                   *low = strchr(digits, ((const char *)hex.data)[i + 1]);
        if (high == NULL || low == NULL || *high == '\0' || *low == '\0')
            return false;
        bytes[i / 2] = (uint8_t)((high - digits) << 4 | (low - digits));
    }
    *ret = view_make(bytes, hex.size / 2);
    return hex.size % 2 == 0;
}

/* The caller's organisations one after the other: they stand in order, as the rows do that the cursor counts in. */
static void organisations_scan(struct work_listing *work, struct view behind)
{
    const struct caller *caller = &work->listing.call->caller;
    for (size_t i = 0; i < caller->organisation_count && !work->listing.more; i++)
        if (i == 0 || !view_is(caller->organisations[i], caller->organisations[i - 1]))
            organisation_scan(work, caller->organisations[i], behind);
}

static void list(struct call *call, bool quarantined)
{
    struct work_listing work = {.quarantined = quarantined};
    struct view after, behind, wanted = http_query(call->request, "organisation");
    if (!listing_open(call, &work.listing, &after))
        return;
    if (!cursor_decode(call, after, &behind)) {
        call_problem(call, 400, "after is the `next` of the page before.");
        return;
    }
    if ((call->caller.roles & ROLE_OPERATOR) != 0 && wanted.data == NULL) {
        struct view from = behind;
        struct buffer start = {0};
        if (behind.data != NULL) {
            buffer_add_view(&start, behind);
            buffer_add_byte(&start, 0);
            from = buffer_view(&start);
        }
        if (store_scan(runner_store(call->api->work), ITEM_SPACE, from, VIEW_NONE, work_list_one, &work) == FATAL)
            work.listing.more = false;
        buffer_destroy(&start);
    } else if (wanted.data != NULL) {
        if ((call->caller.roles & ROLE_OPERATOR) != 0 || caller_acts_for(&call->caller, wanted))
            organisation_scan(&work, wanted, behind);
    } else {
        organisations_scan(&work, behind);
    }
    listing_close(&work.listing);
}

void work_list(struct call *call)
{
    list(call, false);
}

void quarantine_list(struct call *call)
{
    list(call, true);
}
