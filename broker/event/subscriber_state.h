/* What numbering remembers of one subscriber: its subscriptions, and how far each is numbered. In the clear, in
 * number's own store (schemas/subscriber-state.avsc). */
#pragma once

#include "broker/event/telling.h"

/* A subscription as numbering keeps it, with the number it has reached. */
struct numbered_subscription {
    struct subscription subscription;
    int64_t head; /* the last number given; 0: none */
};

struct subscriber_state {
    struct numbered_subscription *subscriptions;
    size_t subscription_count;
};
