/* Who is registered to whom, by subscriber: a projection of tidings.events for the routes. */
#pragma once

#include "consumers/api/inside.h"

/* Row keys by subscriber: subscriber, 00, registration id. */
struct view registered_by_subscriber_key(struct view subscriber, struct view id, struct buffer *to);
/* NOTHING: no such registration. Views live in arena; evidence is not kept here. */
enum result registered_find(struct api *api, struct view id, struct arena *arena, struct registration *ret);
/* Keys of the subscriber's registrations behind the id `after` (NULL data: all), in order. */
enum result registered_scan(struct api *api, struct view subscriber, struct view after,
                            bool (*each)(void *context, struct view key, struct view value), void *context);
