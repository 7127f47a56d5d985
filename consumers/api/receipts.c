/* Receipts: what became of an alert. Records on the subscriber's own key; `by` is sealed under the subscription's key.
 */
#include "consumers/api/inside.h"

void receipt_add(struct call *call)
{
    struct numbered_subscription found;
    struct receipt_request wanted = {0};
    struct problems problems = {0};
    struct error err;
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
        return;
    }
    if (receipt_read(http_body(call->request), &call->arena, &wanted, &problems) == OK &&
        (wanted.number < 1 || wanted.number > found.head))
        problem_add(&problems, "/number", "no alert of this subscription has this number");
    if (problems.count > 0) {
        call_problems(call, &problems);
        return;
    }
    struct api *api = call->api;
    struct receipt receipt = {
        .subscription = found.subscription.id, .number = wanted.number, .state = wanted.state, .at_ms = time_now_ms()};
    enum result result = OK;
    if (wanted.by.size > 0) {
        result = keyring_find_any(api->keyring, found.subscription.id, &receipt.key_id, &err);
        if (result == NOTHING && call->then == NULL) { /* durable before the receipt that needs it */
            struct log_entry key = keyring_new_key(api->keyring, found.subscription.id, &receipt.key_id, &call->arena);
            call->then = receipt_add;
            call_append(call, &key, 1, 0, 204);
            return;
        }
    }
    call->then = NULL;
    struct buffer value = {0};
    if (result == OK)
        result = record_seal_receipt(api->keyring, &receipt, wanted.by, &value, &err);
    if (result != OK) {
        call_problem(call, 503, "The receipt could not be made durable; send the same request again.");
    } else {
        struct log_entry entry = {.topic = TOPIC_ALERTS,
                                  .partition =
                                      log_partition_of(api->options.log, TOPIC_ALERTS, found.subscription.subscriber),
                                  .key = found.subscription.subscriber,
                                  .value = buffer_view(&value)};
        call_append(call, &entry, 1, 0, 204);
    }
    buffer_destroy(&value);
}
