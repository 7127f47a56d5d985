/* Who is registered to whom, by subscriber: a projection of tidings.events for the routes. What is here holds no
 * patient's name or number; the evidence stays sealed in the event. */
#include "consumers/api/registered.h"

enum { STORE_SHAPE = 1, ROW_SPACE = 'r', BY_SUBSCRIBER_SPACE = 'w' };

struct view registered_by_subscriber_key(struct view subscriber, struct view id, struct buffer *to)
{
    buffer_clear(to);
    buffer_add_view(to, subscriber);
    buffer_add_byte(to, 0);
    buffer_add_view(to, id);
    return buffer_view(to);
}

static void row_put(struct fold_output *output, const struct registration *registration)
{
    struct event_body row = {.has_registration = true, .registration = *registration};
    struct buffer bytes = {0};
    row.registration.evidence = VIEW_NONE;
    schema_encode(SCHEMA_EVENT_BODY, &row, &bytes);
    fold_put_row(output, ROW_SPACE, registration->id, buffer_view(&bytes));
    buffer_destroy(&bytes);
}

static enum result row_decode(struct view row, struct arena *arena, struct registration *ret)
{
    struct event_body body;
    enum result result = schema_decode(SCHEMA_EVENT_BODY, arena_copy(arena, row), arena, &body, NULL);
    if (result == OK)
        *ret = body.registration;
    return result;
}

static void ended(struct fold_output *output, const struct registration *end, struct arena *arena)
{
    struct buffer row = {0};
    struct registration known;
    if (fold_find_row(output, ROW_SPACE, end->id, &row) == OK && row_decode(buffer_view(&row), arena, &known) == OK) {
        if (known.until_ms == 0 || known.until_ms > end->until_ms)
            known.until_ms = end->until_ms;
        row_put(output, &known);
    }
    buffer_destroy(&row);
}

static void started(struct fold_output *output, const struct registration *registration)
{
    struct buffer row = {0}, key = {0};
    if (fold_find_row(output, ROW_SPACE, registration->id, &row) == NOTHING) {
        row_put(output, registration);
        fold_put_row(output, BY_SUBSCRIBER_SPACE,
                     registered_by_subscriber_key(registration->subscriber, registration->id, &key), VIEW(""));
    }
    buffer_destroy(&row);
    buffer_destroy(&key);
}

static enum result registration_apply(void *context, const struct fold_input *input, struct fold_output *output,
                                      struct error *err)
{
    struct api *api = context;
    struct event_body body;
    struct arena arena = {0};
    if (input->opened->kind != SCHEMA_EVENT_HEADER)
        return OK;
    enum event_type type = event_type_from_name(input->opened->event.type);
    if (type != REGISTRATION_STARTED && type != REGISTRATION_ENDED)
        return OK;
    enum result result = record_unseal_body(api->keyring, input->opened, &arena, &body, err);
    if (result == OK && body.has_registration) {
        if (type == REGISTRATION_STARTED)
            started(output, &body.registration);
        else
            ended(output, &body.registration, &arena);
    }
    arena_destroy(&arena);
    return result == NOTHING ? OK : result; /* an erased patient has no registrations to show */
}

struct fold registration_fold(struct api *api)
{
    return (struct fold){
        .name = "registrations",
        .source = TOPIC_EVENTS,
        .shape = STORE_SHAPE,
        .rules_newest = RULES_NEWEST,
        .context = api,
        .apply = registration_apply,
    };
}

enum result registered_find(struct api *api, struct view id, struct arena *arena, struct registration *ret)
{
    struct buffer row = {0};
    enum result result = store_find(runner_store(api->registrations), ROW_SPACE, id, &row);
    if (result == OK)
        result = row_decode(buffer_view(&row), arena, ret);
    buffer_destroy(&row);
    return result;
}

enum result registered_scan(struct api *api, struct view subscriber, struct view after,
                            bool (*each)(void *context, struct view key, struct view value), void *context)
{
    struct buffer from = {0}, to = {0};
    registered_by_subscriber_key(subscriber, after, &from);
    if (after.size > 0)
        buffer_add_byte(&from, 0); /* behind it */
    buffer_add_view(&to, subscriber);
    buffer_add_byte(&to, 1);
    enum result result = store_scan(runner_store(api->registrations), BY_SUBSCRIBER_SPACE, buffer_view(&from),
                                    buffer_view(&to), each, context);
    buffer_destroy(&from);
    buffer_destroy(&to);
    return result;
}
