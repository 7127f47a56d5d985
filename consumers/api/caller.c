/* Who asks, and what that lets them do. */
#include "consumers/api/caller.h"

#include <strings.h>

enum { BEARER_SIZE = 7 };

static struct view token_presented(const struct http_request *request, bool *ret_by_cookie)
{
    struct view header = http_header(request, "Authorization");
    *ret_by_cookie = false;
    if (header.data != NULL)
        return header.size > BEARER_SIZE && strncasecmp(header.data, "Bearer ", BEARER_SIZE) == 0
                   ? view_after(header, BEARER_SIZE)
                   : VIEW("");
    *ret_by_cookie = true;
    return http_cookie(request, "tidings");
}

bool caller_comes_from_elsewhere(const struct http_request *request)
{
    struct view site = http_header(request, "Sec-Fetch-Site");
    return site.size > 0 && !view_is_text(site, "same-origin") && !view_is_text(site, "none");
}

const struct token *caller_token(struct api *api, const struct http_request *request, bool *ret_by_cookie)
{
    struct view text = token_presented(request, ret_by_cookie);
    if (text.size == 0)
        return NULL;
    if (*ret_by_cookie && !view_is_text(http_method(request), "GET") && caller_comes_from_elsewhere(request))
        return NULL;
    const struct token *token = directory_token(api->directory, text, time_now_ms());
    return token == NULL || view_is_text(token->kind, "code") ? NULL : token; /* a code only opens a session */
}

void caller_take(struct call *call, const struct token *token, bool by_cookie)
{
    struct caller *caller = &call->caller;
    caller->token_id = arena_copy(&call->arena, token->id);
    caller->roles = token->roles;
    caller->by_cookie = by_cookie;
    caller->organisation_count = token->organisation_count;
    caller->organisations = arena_take(&call->arena, token->organisation_count * sizeof(struct view));
    for (size_t i = 0; i < token->organisation_count; i++)
        caller->organisations[i] = arena_copy(&call->arena, token->organisations[i]);
}

/* In order, and for a GP system's vendor thousands. */
static bool organisation_is_among(const struct view *organisations, size_t count, struct view wanted)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = view_compare(organisations[middle], wanted);
        if (order == 0)
            return true;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

bool caller_acts_for(const struct caller *caller, struct view organisation)
{
    return organisation_is_among(caller->organisations, caller->organisation_count, organisation);
}

bool token_acts_for(const struct token *token, struct view organisation)
{
    return organisation_is_among(token->organisations, token->organisation_count, organisation);
}

bool token_owns_subscriber(const struct directory *directory, const struct token *token, struct view id)
{
    const struct subscriber *subscriber = directory_subscriber(directory, id);
    return token_acts_for(token, id) || (subscriber != NULL && token_acts_for(token, subscriber->organisation));
}

bool caller_owns_subscriber(const struct call *call, struct view id)
{
    if (caller_acts_for(&call->caller, id))
        return true; /* an organisation is a subscriber of the same id */
    const struct subscriber *subscriber = directory_subscriber(call->api->directory, id);
    return subscriber != NULL && caller_acts_for(&call->caller, subscriber->organisation);
}
