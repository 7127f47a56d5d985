/* Subscriptions: how a subscriber wants to be told. Records on the subscriber's own key. */
#include "consumers/api/listing.h"

#include <stdlib.h>

static void subscription_write(const struct subscription *subscription, int64_t head, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "id", subscription->id);
    json_member_text(json, "subscriber", subscription->subscriber);
    json_member_text(json, "status", view_of_text(subscription_status_name(subscription->status)));
    json_member_texts(json, "types", subscription->types, subscription->type_count);
    json_member_texts(json, "roles", subscription->roles, subscription->role_count);
    json_member_text(json, "payload", view_of_text(payload_name(subscription->payload)));
    json_member_text(json, "purpose", subscription->purpose);
    json_member_bool(json, "own", subscription->own);
    json_name(json, "channel");
    json_open_object(json);
    json_member_text(json, "kind", subscription->channel);
    json_close_object(json);
    if (head >= 0)
        json_member_number(json, "head", head);
    json_close_object(json);
}

/* Appends the subscription as it is from here on, and answers with it. */
static void subscription_append(struct call *call, struct subscription *subscription, int64_t head, int status)
{
    struct buffer value = {0};
    subscription->changed_at_ms = time_now_ms();
    record_write_plain(SCHEMA_SUBSCRIPTION, subscription, &value);
    struct log_entry entry = {
        .topic = TOPIC_ALERTS,
        .partition = log_partition_of(call->api->options.log, TOPIC_ALERTS, subscription->subscriber),
        .key = subscription->subscriber,
        .value = buffer_view(&value),
    };
    if (status != 204) {
        struct json json = json_start(&call->body);
        subscription_write(subscription, head, &json);
    }
    call_append(call, &entry, 1, 0, status);
    buffer_destroy(&value);
}

/* Sent again with the same Idempotency-Key. True: answered. */
static bool came_before(struct call *call, const struct subscription *wanted)
{
    struct numbered_subscription known;
    if (subscription_find_any(call->api, wanted->id, &call->arena, &known) != OK)
        return false;
    struct buffer a = {0}, b = {0};
    struct subscription same = *wanted;
    same.changed_at_ms = known.subscription.changed_at_ms;
    schema_encode(SCHEMA_SUBSCRIPTION, &same, &a);
    schema_encode(SCHEMA_SUBSCRIPTION, &known.subscription, &b);
    bool is_same = view_is(buffer_view(&a), buffer_view(&b));
    buffer_destroy(&a);
    buffer_destroy(&b);
    if (!is_same) {
        call_problem(call, 409, "Another subscription was made with this Idempotency-Key, or it was changed since.");
        return true;
    }
    struct json json = json_start(&call->body);
    subscription_write(&known.subscription, known.head, &json);
    call_answer(call, 201, buffer_view(&call->body));
    return true;
}

static bool subscriber_may_be_used(const struct call *call, struct view subscriber)
{
    return directory_subscriber(call->api->directory, subscriber) != NULL &&
           ((call->caller.roles & ROLE_OPERATOR) != 0 || caller_owns_subscriber(call, subscriber));
}

static bool subscriber_is_full(struct call *call, struct view subscriber)
{
    struct buffer bytes = {0};
    struct subscriber_state state = {0};
    struct error err;
    if (runner_find_state(call->api->numbers, subscriber, &bytes) == OK &&
        subscriber_state_read(arena_copy(&call->arena, buffer_view(&bytes)), &call->arena, &state, &err) != OK)
        state.subscription_count = 0;
    buffer_destroy(&bytes);
    size_t live = 0;
    for (size_t i = 0; i < state.subscription_count; i++)
        live += state.subscriptions[i].subscription.status != SUBSCRIPTION_ENDED;
    return live >= LIMIT_SUBSCRIPTIONS;
}

void subscription_add(struct call *call)
{
    struct subscription wanted = {0};
    struct problems problems = {0};
    if (subscription_read(http_body(call->request), false, &call->arena, &wanted, &problems) == OK &&
        !view_is_text(wanted.channel, "pull"))
        problem_add(&problems, "/channel/kind", "webhooks are not taken yet: use \"pull\" (pull and live stream)");
    if (problems.count > 0) {
        call_problems(call, &problems);
        return;
    }
    if (!subscriber_may_be_used(call, wanted.subscriber)) {
        call_not_found(call);
        return;
    }
    struct view tail = call_make_id(call, wanted.subscriber, "subscription");
    wanted.id = arena_format(&call->arena, "%.*s.%.*s", VIEW_ARGS(wanted.subscriber), VIEW_ARGS(tail));
    wanted.status = SUBSCRIPTION_ACTIVE;
    if (came_before(call, &wanted))
        return;
    if (subscriber_is_full(call, wanted.subscriber))
        call_problem(call, 409, "A subscriber has at most 100 subscriptions; end one first.");
    else
        subscription_append(call, &wanted, 0, 201);
}

void subscription_show(struct call *call)
{
    struct numbered_subscription found;
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
        return;
    }
    struct json json = json_start(&call->body);
    subscription_write(&found.subscription, found.head, &json);
    call_answer(call, 200, buffer_view(&call->body));
}

void subscription_patch(struct call *call)
{
    struct numbered_subscription found;
    struct problems problems = {0};
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
        return;
    }
    if (found.subscription.status == SUBSCRIPTION_ENDED) {
        call_problem(call, 409, "The subscription is ended.");
        return;
    }
    struct view subscriber = found.subscription.subscriber;
    if (subscription_read(http_body(call->request), true, &call->arena, &found.subscription, &problems) == OK) {
        if (!view_is(found.subscription.subscriber, subscriber))
            problem_add(&problems, "/subscriber", "one subscription, one subscriber: make another one");
        if (!view_is_text(found.subscription.channel, "pull"))
            problem_add(&problems, "/channel/kind", "webhooks are not taken yet: use \"pull\"");
    }
    if (problems.count > 0)
        call_problems(call, &problems);
    else
        subscription_append(call, &found.subscription, found.head, 200);
}

static void status_move(struct call *call, enum subscription_status to, int status)
{
    struct numbered_subscription found;
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
    } else if (found.subscription.status == SUBSCRIPTION_ENDED && to != SUBSCRIPTION_ENDED) {
        call_problem(call, 409, "The subscription is ended.");
    } else {
        found.subscription.status = to;
        subscription_append(call, &found.subscription, found.head, status);
    }
}

void subscription_end(struct call *call)
{
    status_move(call, SUBSCRIPTION_ENDED, 204);
}

void subscription_pause(struct call *call)
{
    status_move(call, SUBSCRIPTION_PAUSED, 200);
}

void subscription_resume(struct call *call)
{
    status_move(call, SUBSCRIPTION_ACTIVE, 200);
}

void subscription_replay(struct call *call)
{
    struct numbered_subscription found;
    if (subscription_find(call, call->params[0], &found) != OK)
        call_not_found(call);
    else
        call_problem(call, 400, "Pull and live stream replay by asking with ?after=; a replay is for webhooks.");
}

struct subscribers {
    struct call *call;
    struct view wanted; /* NULL data: all that the caller may see */
    struct numbered_subscription *found;
    size_t count, capacity;
};

static bool subscriber_collect(void *context, const struct subscriber *subscriber)
{
    struct subscribers *all = context;
    struct call *call = all->call;
    struct buffer bytes = {0};
    struct subscriber_state state;
    struct error err;
    if (all->wanted.data != NULL && !view_is(all->wanted, subscriber->id))
        return true;
    if ((call->caller.roles & ROLE_OPERATOR) == 0 && !caller_acts_for(&call->caller, subscriber->organisation))
        return true;
    if (runner_find_state(call->api->numbers, subscriber->id, &bytes) == OK &&
        subscriber_state_read(arena_copy(&call->arena, buffer_view(&bytes)), &call->arena, &state, &err) == OK) {
        for (size_t i = 0; i < state.subscription_count; i++) {
            if (all->count == all->capacity) {
                all->capacity = all->capacity == 0 ? 64 : all->capacity * 2;
                all->found = memory_grow(all->found, all->capacity * sizeof *all->found);
            }
            all->found[all->count++] = state.subscriptions[i];
        }
    }
    buffer_destroy(&bytes);
    return true;
}

static int by_id(const void *a, const void *b)
{
    return view_compare(((const struct numbered_subscription *)a)->subscription.id,
                        ((const struct numbered_subscription *)b)->subscription.id);
}

void subscription_list(struct call *call)
{
    struct listing listing;
    struct view after;
    struct subscribers all = {.call = call, .wanted = http_query(call->request, "subscriber")};
    if (!listing_open(call, &listing, &after))
        return;
    directory_each_subscriber(call->api->directory, VIEW_NONE, subscriber_collect, &all);
    if (all.count > 0)
        qsort(all.found, all.count, sizeof *all.found, by_id);
    for (size_t i = 0; i < all.count; i++) {
        const struct subscription *subscription = &all.found[i].subscription;
        if (after.data != NULL && view_compare(subscription->id, after) <= 0)
            continue;
        if (!listing_take(&listing, subscription->id))
            break;
        subscription_write(subscription, all.found[i].head, &listing.json);
    }
    free(all.found);
    listing_close(&listing);
}
