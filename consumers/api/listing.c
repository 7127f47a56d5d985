/* Pages of lists. */
#include "consumers/api/listing.h"

bool listing_open(struct call *call, struct listing *listing, struct view *ret_after)
{
    *listing = (struct listing){.call = call};
    if (!call_page(call, &listing->limit, ret_after))
        return false;
    listing->json = json_start(&call->body);
    json_open_object(&listing->json);
    json_name(&listing->json, "items");
    json_open_array(&listing->json);
    return true;
}

void listing_close(struct listing *listing)
{
    json_close_array(&listing->json);
    if (listing->more)
        json_member_text(&listing->json, "next", listing->last);
    json_close_object(&listing->json);
    call_answer(listing->call, 200, buffer_view(&listing->call->body));
}

bool listing_take(struct listing *listing, struct view id)
{
    if (listing->count == listing->limit) {
        listing->more = true;
        return false;
    }
    listing->count++;
    listing->last = id;
    return true;
}
