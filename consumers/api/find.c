/* Finds subscriptions in what numbering keeps of their subscribers. */
#include "consumers/api/inside.h"

/* A subscription's id begins with its subscriber and a dot; the rest has no dot. */
static struct view subscriber_of(struct view id)
{
    const char *at = id.data;
    for (size_t i = id.size; i > 0; i--)
        if (at[i - 1] == '.')
            return view_make(at, i - 1);
    return VIEW_NONE;
}

enum result subscription_find_any(struct api *api, struct view id, struct arena *arena,
                                  struct numbered_subscription *ret)
{
    struct view subscriber = subscriber_of(id);
    struct subscriber_state state;
    struct buffer bytes = {0};
    struct error err;
    enum result result = subscriber.size == 0 ? NOTHING : runner_find_state(api->numbers, subscriber, &bytes);
    if (result == OK)
        result = subscriber_state_read(arena_copy(arena, buffer_view(&bytes)), arena, &state, &err);
    buffer_destroy(&bytes);
    if (result != OK)
        return NOTHING;
    for (size_t i = 0; i < state.subscription_count; i++) {
        if (!view_is(state.subscriptions[i].subscription.id, id))
            continue;
        *ret = state.subscriptions[i];
        return OK;
    }
    return NOTHING;
}

enum result subscription_find(struct call *call, struct view id, struct numbered_subscription *ret)
{
    if (subscription_find_any(call->api, id, &call->arena, ret) != OK)
        return NOTHING;
    bool theirs = caller_owns_subscriber(call, ret->subscription.subscriber) ||
                  ((call->caller.roles & ROLE_OPERATOR) != 0 && (call->route->roles & ROLE_OPERATOR) != 0);
    return theirs ? OK : NOTHING;
}
