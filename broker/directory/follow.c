/* The fold of tidings.directory into memory. */
#include "broker/directory/inside.h"

#include "broker/base/buffer.h"
#include "broker/codec/schemas.h"

#include <stdlib.h>

static int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

enum result directory_open(struct log *log, struct directory **ret, struct error *err)
{
    struct directory *directory = memory_take(sizeof *directory);
    struct log_reader_options options = {.topic = TOPIC_DIRECTORY, .start = start_at_the_beginning};
    enum result result = log_reader_open(log, &options, &directory->reader, err);
    if (result == OK)
        result = directory_follow(directory, err);
    if (result != OK) {
        directory_close(directory);
        return result;
    }
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

static bool organisation_take_in(struct directory *directory, struct held *item)
{
    item->id = item->organisation.id;
    held_destroy(held_put(&directory->organisations, item));
    return true;
}

/* One record. Unknown kinds of key are left alone: a newer program may have written them. False: organisations stand as before. */
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
        held_destroy(held_put(&directory->tokens, item));
        return false;
    }
    held_destroy(item);
    return false;
}

enum result directory_follow(struct directory *directory, struct error *err)
{
    const struct log_record *records;
    size_t count;
    bool aliases_changed = false;
    enum result result;
    while ((result = log_read(directory->reader, 1000, 0, &records, &count, err)) == OK) {
        for (size_t i = 0; i < count; i++) {
            aliases_changed = record_take_in(directory, &records[i]) || aliases_changed;
            directory->position = records[i].offset + 1;
        }
    }
    if (aliases_changed)
        aliases_make(directory);
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
