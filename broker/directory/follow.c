/* The fold of tidings.directory into memory. */
#include "broker/directory/inside.h"

#include "broker/base/buffer.h"
#include "broker/codec/schemas.h"

#include <stdlib.h>

enum { PATIENCE_MS = 30 * 1000, TOKENS_FIRST = 1024 };

static int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

/* Browsers' sessions and one-time codes come and go by the thousand; of those that are over nothing is asked any more.
 */
static bool token_is_worth_keeping(void *context, const struct held *item)
{
    const int64_t *now_ms = context;
    const struct token *token = &item->token;
    return view_is_text(token->kind, "token") ||
           (!token->ended && (token->expires_at_ms == 0 || token->expires_at_ms > *now_ms));
}

static int by_id(const void *a, const void *b)
{
    return view_compare(*(const struct view *)a, *(const struct view *)b);
}

static bool organisation_take_in(struct directory *directory, struct held *item)
{
    item->id = item->organisation.id;
    held_destroy(held_put(&directory->organisations, item));
    return true;
}

/* One record. Unknown kinds of key are left alone: a newer program may have written them. False: organisations stand as
 * before. */
static bool record_take_in(struct directory *directory, const struct log_record *record)
{
    struct held *item = memory_take(sizeof *item);
    struct view value = arena_copy(&item->arena, record->value);
    if (value.data != NULL && view_starts_with(record->key, VIEW("organisation/")) &&
        schema_decode(SCHEMA_ORGANISATION, value, &item->arena, &item->organisation, NULL) == OK)
        return organisation_take_in(directory, item);
    if (value.data != NULL && view_starts_with(record->key, VIEW("subscriber/")) &&
        schema_decode(SCHEMA_SUBSCRIBER, value, &item->arena, &item->subscriber, NULL) == OK) {
        item->id = item->subscriber.id;
        held_destroy(held_put(&directory->subscribers, item));
        return false;
    }
    if (value.data != NULL && view_starts_with(record->key, VIEW("token/")) &&
        schema_decode(SCHEMA_TOKEN, value, &item->arena, &item->token, NULL) == OK) {
        item->id = item->token.id;
        if (item->token.organisation_count > 1)
            qsort(item->token.organisations, item->token.organisation_count, sizeof(struct view), by_id);
        held_destroy(held_put(&directory->tokens, item));
        return false;
    }
    held_destroy(item);
    return false;
}

static void record_follow(void *context, const struct log_record *record)
{
    struct directory *directory = context;
    directory->aliases_changed = record_take_in(directory, record) || directory->aliases_changed;
    directory->position = record->offset + 1;
}

/* Afterwards, when what was replaced is gone. */
static void lists_settle(struct directory *directory)
{
    if (directory->aliases_changed)
        aliases_make(directory);
    directory->aliases_changed = false;
    if (directory->tokens.count < directory->tokens_most)
        return;
    held_list_keep(&directory->tokens, token_is_worth_keeping, &(int64_t){time_now_ms()});
    directory->tokens_most = directory->tokens.count * 2 < TOKENS_FIRST ? TOKENS_FIRST : directory->tokens.count * 2;
}

enum result directory_open(struct log *log, struct directory **ret, struct error *err)
{
    struct directory *directory = memory_take(sizeof *directory);
    struct log_reader_options options = {.topic = TOPIC_DIRECTORY, .start = start_at_the_beginning};
    enum result result = log_reader_open(log, &options, &directory->reader, err);
    if (result == OK) /* whole from the start: a publisher that is not found yet would be refused for ever */
        result = log_read_to_end(directory->reader, PATIENCE_MS, record_follow, directory, err);
    if (result != OK) {
        directory_close(directory);
        return result;
    }
    lists_settle(directory);
    *ret = directory;
    return OK;
}

void directory_close(struct directory *directory)
{
    if (directory == NULL)
        return;
    log_reader_close(directory->reader);
    alias_list_destroy(&directory->hl7_names);
    alias_list_destroy(&directory->sources);
    held_list_destroy(&directory->organisations);
    held_list_destroy(&directory->subscribers);
    held_list_destroy(&directory->tokens);
    free(directory);
}

enum result directory_follow(struct directory *directory, struct error *err)
{
    const struct log_record *records;
    size_t count;
    enum result result;
    while ((result = log_read(directory->reader, 1000, 0, &records, &count, err)) == OK)
        for (size_t i = 0; i < count; i++)
            record_follow(directory, &records[i]);
    lists_settle(directory);
    return result == NOTHING || result == AGAIN ? OK : result;
}

int directory_fd(const struct directory *directory)
{
    return log_reader_fd(directory->reader);
}

int64_t directory_position(const struct directory *directory)
{
    return directory->position;
}
