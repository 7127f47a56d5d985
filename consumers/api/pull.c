/* Pull: a page of alerts after a number, at once or when a first one comes. */
#include "consumers/api/inside.h"

#include <stdio.h>

enum {
    PAGE_BYTES = 4 * 1024 * 1024
}; /* alerts of 256 KiB, a thousand a page: it ends earlier, and `last` says where */

static bool number_query(struct call *call, const char *name, int64_t otherwise, int64_t least, int64_t most,
                         int64_t *ret)
{
    struct view text = http_query(call->request, name);
    int64_t number = otherwise;
    if (text.data != NULL && (!view_to_number(text, &number) || number < least || number > most)) {
        char detail[96];
        (void)snprintf(detail, sizeof detail, "%s is a number from %lld to %lld.", name, (long long)least,
                       (long long)most);
        call_problem(call, 400, detail);
        return false;
    }
    *ret = number;
    return true;
}

static enum result page_write(struct call *call, const struct numbered_subscription *found, int64_t after,
                              int64_t limit, struct error *err)
{
    struct json json = json_start(&call->body);
    struct buffer alert = {0};
    enum result result = OK;
    int64_t last = after;
    buffer_clear(&call->body);
    json_open_object(&json);
    json_member_text(&json, "subscription", found->subscription.id);
    json_member_number(&json, "after", after);
    json_member_number(&json, "head", found->head);
    json_name(&json, "alerts");
    json_open_array(&json);
    while (result == OK && last < found->head && last < after + limit && call->body.size < PAGE_BYTES) {
        buffer_clear(&alert);
        result = alert_read(call->api, &found->subscription, last + 1, found->subscription.payload, &alert, err);
        if (result == OK) {
            json_raw(&json, buffer_view(&alert));
            last++;
        }
    }
    json_close_array(&json);
    json_member_number(&json, "last", last);
    json_close_object(&json);
    buffer_destroy(&alert);
    return last > after ? OK : result; /* what could be read is a page */
}

/* Nothing there yet, and the caller is willing to wait. */
static bool wait_begin(struct call *call, const struct numbered_subscription *found, int64_t wait_s)
{
    if (wait_s == 0 || call->subscription.data != NULL || call->api->quiescing ||
        found->subscription.status == SUBSCRIPTION_ENDED)
        return false;
    call->subscription = found->subscription.id;
    call->resume = alerts_pull; /* nothing came: an empty page */
    call->deadline_ms = time_monotonic_ms() + wait_s * 1000;
    call_park(call);
    return true;
}

void alerts_pull(struct call *call)
{
    struct numbered_subscription found;
    struct error err;
    int64_t after, limit, wait_s;
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
        return;
    }
    if (!number_query(call, "after", 0, 0, INT64_MAX - LIMIT_PAGE, &after) ||
        !number_query(call, "limit", 100, 1, LIMIT_PAGE, &limit) ||
        !number_query(call, "wait", 0, 0, LIMIT_PULL_WAIT_S, &wait_s))
        return;
    if (after > found.head) {
        (void)call_waits_beyond(call, alerts_pull);
        return;
    }
    if (after == found.head && wait_begin(call, &found, wait_s))
        return;
    if (page_write(call, &found, after, limit, &err) == OK)
        call_answer(call, 200, buffer_view(&call->body));
    else
        call_problem(call, 503, "The alerts cannot be read now; ask again.");
}

void pulls_wake(struct api *api, struct view subscription)
{
    for (struct call *call = api->calls; call != NULL; call = call->next) {
        if (call->subscription.data != NULL && view_is(call->subscription, subscription))
            call->deadline_ms = 1; /* due: answered in this turn, with what is there */
    }
}

/* One alert in full, for those whose payload is id-only or empty. */
void alert_show(struct call *call)
{
    struct numbered_subscription found;
    struct error err;
    int64_t number;
    if (subscription_find(call, call->params[0], &found) != OK || !view_to_number(call->params[1], &number) ||
        number < 1 || number > found.head) {
        call_not_found(call);
        return;
    }
    if (alert_read(call->api, &found.subscription, number, PAYLOAD_FULL, &call->body, &err) == OK)
        call_answer(call, 200, buffer_view(&call->body));
    else
        call_problem(call, 503, "The alert cannot be read now; ask again.");
}
