/* Whether a subscription wants a telling: the one rule of filtering. */
#include "broker/number/number.h"

static bool role_matches(const struct subscription *subscription, const struct telling *telling)
{
    if (subscription->role_count == 0)
        return true;
    for (size_t i = 0; i < subscription->role_count; i++)
        for (size_t j = 0; j < telling->because_count; j++)
            if (view_is(subscription->roles[i], telling->because[j].role))
                return true;
    return false;
}

/* What the domain marks *no*, *off* or *routine* goes only to a subscription that names its type in full. */
static bool type_matches(const struct subscription *subscription, const struct event_header *event)
{
    bool only_when_named =
        event_type_facts(event_type_from_name(event->type))->only_when_named || event->urgency == URGENCY_ROUTINE;
    for (size_t i = 0; i < subscription->type_count; i++) {
        if (view_is(subscription->types[i], event->type))
            return true;
        if (!only_when_named && event_type_matches(subscription->types[i], event->type))
            return true;
    }
    return subscription->type_count == 0 && !only_when_named;
}

bool subscription_wants(const struct subscription *subscription, const struct telling *telling,
                        const struct event_header *event)
{
    if (!subscription->own && view_is(subscription->subscriber, event->publisher))
        return false;
    return role_matches(subscription, telling) && type_matches(subscription, event);
}
