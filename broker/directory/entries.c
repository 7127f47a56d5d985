/* Makes the records of tidings.directory. */
#include "broker/directory/directory.h"

#include "broker/base/buffer.h"
#include "broker/codec/schemas.h"

static struct log_entry entry_make(const char *kind, struct view id, enum schema schema, const void *from,
                                   struct arena *arena)
{
    struct buffer value = {0};
    schema_encode(schema, from, &value);
    struct log_entry entry = {
        .topic = TOPIC_DIRECTORY,
        .partition = 0,
        .key = arena_format(arena, "%s/%.*s", kind, VIEW_ARGS(id)),
        .value = arena_copy(arena, buffer_view(&value)),
    };
    buffer_destroy(&value);
    return entry;
}

struct log_entry directory_put_organisation(const struct organisation *organisation, struct arena *arena)
{
    return entry_make("organisation", organisation->id, SCHEMA_ORGANISATION, organisation, arena);
}

struct log_entry directory_put_subscriber(const struct subscriber *subscriber, struct arena *arena)
{
    return entry_make("subscriber", subscriber->id, SCHEMA_SUBSCRIBER, subscriber, arena);
}

struct log_entry directory_put_token(const struct token *token, struct arena *arena)
{
    return entry_make("token", token->id, SCHEMA_TOKEN, token, arena);
}
