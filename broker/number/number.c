/* The fold that numbers: which subscription gets which alert. */
#include "broker/number/inside.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"

#include <stdlib.h>

enum { STORE_SHAPE = 2 };

struct number *number_create(void)
{
    return memory_take(sizeof(struct number));
}

void number_destroy(struct number *number)
{
    if (number == NULL)
        return;
    arena_destroy(&number->arena);
    free(number->just);
    free(number);
}

struct fold number_fold(const char *name, bool owner, struct number *number,
                        void (*applied)(void *context, const struct fold_input *input, bool live))
{
    return (struct fold){
        .name = name,
        .source = TOPIC_ALERTS,
        .owner = owner,
        .shape = STORE_SHAPE,
        .rules_newest = RULES_NEWEST,
        .context = number,
        .apply = number_apply,
        .applied = applied,
    };
}

enum result subscriber_state_read(struct view state, struct arena *arena, struct subscriber_state *ret,
                                  struct error *err)
{
    if (state.data == NULL) {
        *ret = (struct subscriber_state){0};
        return OK;
    }
    if (schema_decode(SCHEMA_SUBSCRIBER_STATE, state, arena, ret, err) == OK)
        return OK;
    return error_set(err, FATAL, "a subscriber's state cannot be read: it is damaged, or a newer program wrote it");
}

static void state_write(const struct subscriber_state *state, struct fold_output *output)
{
    struct buffer bytes = {0};
    schema_encode(SCHEMA_SUBSCRIBER_STATE, state, &bytes);
    fold_put_state(output, buffer_view(&bytes));
    buffer_destroy(&bytes);
}

/* A subscription's id begins with its subscriber and a dot: what is numbered under it is nobody else's. */
static bool id_is_its_own(const struct subscription *subscription)
{
    size_t size = subscription->subscriber.size;
    return subscription->id.size > size + 1 && view_starts_with(subscription->id, subscription->subscriber) &&
           ((const char *)subscription->id.data)[size] == '.';
}

/* Room for one more: at the limit the oldest that is ended goes. SIZE_MAX: none is. */
static size_t subscription_make_room(struct number *number, struct subscriber_state *state)
{
    size_t ended = 0;
    if (state->subscription_count == LIMIT_SUBSCRIPTIONS) {
        while (ended < state->subscription_count &&
               state->subscriptions[ended].subscription.status != SUBSCRIPTION_ENDED)
            ended++;
        if (ended == state->subscription_count)
            return SIZE_MAX;
        memmove(&state->subscriptions[ended], &state->subscriptions[ended + 1],
                (--state->subscription_count - ended) * sizeof *state->subscriptions);
    }
    size_t count = state->subscription_count++;
    struct numbered_subscription *grown = arena_take(&number->arena, (count + 1) * sizeof *grown);
    if (count > 0)
        memcpy(grown, state->subscriptions, count * sizeof *grown);
    state->subscriptions = grown;
    return count;
}

/* Made, changed and ended are the same record: the whole subscription as it is from here on. Its number goes on. */
static enum result subscription_apply(struct number *number, struct subscriber_state *state,
                                      const struct subscription *subscription, struct fold_output *output,
                                      struct error *err)
{
    size_t at = 0;
    if (!id_is_its_own(subscription))
        return error_set(err, REJECTED, "a subscription whose id is not its subscriber's");
    while (at < state->subscription_count && !view_is(state->subscriptions[at].subscription.id, subscription->id))
        at++;
    if (at == state->subscription_count)
        at = subscription_make_room(number, state);
    if (at == SIZE_MAX)
        return error_set(err, REJECTED, "a subscriber has at most %d subscriptions", LIMIT_SUBSCRIPTIONS);
    if (state->subscriptions[at].subscription.status == SUBSCRIPTION_ENDED)
        return OK; /* a change that was on its way when it ended */
    state->subscriptions[at].subscription = *subscription;
    state_write(state, output);
    return OK;
}

static bool telling_goes_to(const struct numbered_subscription *numbered, const struct telling *telling,
                            const struct event_header *event, struct fold_output *output)
{
    if (numbered->subscription.status == SUBSCRIPTION_ENDED)
        return false;
    switch (telling->kind) {
    case ALERT_NEW:
    case ALERT_CATCH_UP:
        return subscription_wants(&numbered->subscription, telling, event);
    case ALERT_CORRECTION:
    case ALERT_RETRACTION: /* whoever had the first, whatever its types and roles are now */
        return telling->has_concerned &&
               number_was_given(output, numbered->subscription.id, numbered->head, &telling->concerned.cause);
    case ALERT_ENDED:
    case ALERT_WITHHELD:
        return true;
    }
    return false;
}

static void just_numbered_add(struct number *number, struct view subscription, int64_t given)
{
    if (number->just_count == number->just_capacity) {
        number->just_capacity = number->just_capacity == 0 ? 16 : number->just_capacity * 2;
        number->just = memory_grow(number->just, number->just_capacity * sizeof *number->just);
    }
    number->just[number->just_count++] = (struct just_numbered){subscription, given};
}

static void telling_apply(struct number *number, struct subscriber_state *state, const struct fold_input *input,
                          struct fold_output *output)
{
    const struct telling *telling = &input->opened->telling;
    for (size_t i = 0; i < state->subscription_count; i++) {
        struct numbered_subscription *numbered = &state->subscriptions[i];
        if (!telling_goes_to(numbered, telling, &input->opened->told, output))
            continue;
        number_row_put(output, numbered->subscription.id, ++numbered->head, input->record, &telling->cause);
        just_numbered_add(number, numbered->subscription.id, numbered->head);
    }
    if (number->just_count > 0)
        state_write(state, output);
}

enum result number_apply(void *context, const struct fold_input *input, struct fold_output *output, struct error *err)
{
    struct number *number = context;
    struct subscriber_state state;
    arena_reset(&number->arena);
    number->just_count = 0;
    if (input->opened->kind != SCHEMA_SUBSCRIPTION && input->opened->kind != SCHEMA_TELLING)
        return OK; /* receipts say what became of an alert, and give no number */
    enum result result = subscriber_state_read(input->state, &number->arena, &state, err);
    if (result != OK)
        return result;
    if (input->opened->kind == SCHEMA_SUBSCRIPTION)
        return subscription_apply(number, &state, &input->opened->subscription, output, err);
    telling_apply(number, &state, input, output);
    return OK;
}

const struct just_numbered *number_just_numbered(const struct number *number, size_t *ret_count)
{
    *ret_count = number->just_count;
    return number->just;
}

void alert_id(struct view subscription, const struct event_id *event, enum alert_kind kind, int32_t place,
              char ret[ALERT_ID_SIZE])
{
    uint8_t hash[16], at[4];
    bytes_put_u32(at, (uint32_t)place);
    struct view parts[] = {subscription, VIEW_OF(event->bytes), view_of_text(alert_kind_name(kind)), VIEW_OF(at)};
    vault_hash(parts, sizeof parts / sizeof parts[0], hash, sizeof hash);
    bytes_to_base64url(VIEW_OF(hash), ret);
}
