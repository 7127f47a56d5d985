/* A page of a list: {"items": [...], "next": the cursor for ?after=}. */
#pragma once

#include "consumers/api/inside.h"

struct listing {
    struct call *call;
    struct json json;
    size_t limit, count;
    struct view last;
    bool more;
};

/* False: the page asked for is not one; the call was answered. */
bool listing_open(struct call *call, struct listing *listing, struct view *ret_after);
/* Room for one more on the page? id: the cursor that it makes; it must live until listing_close. */
bool listing_take(struct listing *listing, struct view id);
void listing_close(struct listing *listing); /* answers the call */
