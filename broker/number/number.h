/*
 * Numbering: the fold over a subscriber's partition that says which subscription gets which alert, and its number.
 * Pure; every process that runs it gives the same numbers (design, section 2).
 *
 * Rows: space 'n', key <subscription id> 00 <block, 8 bytes big-endian> -> for each of its numbers where the telling
 * is, and its cause (docs/decisions/0004).
 */
#pragma once

#include "broker/event/subscriber_state.h"
#include "broker/fold/fold.h"

/* Decodes what the fold wrote. */
enum result subscriber_state_read(struct view state, struct arena *arena, struct subscriber_state *ret,
                                  struct error *err);

/* An alert, as one subscription is told. */
struct numbered_alert {
    int64_t number;
    struct log_position telling; /* in tidings.alerts */
    struct cause cause;
};

/* The fold's function; context is `struct number`, which collects what a record numbered, for live streams. */
struct number;
struct number *number_create(void);
void number_destroy(struct number *number);
enum result number_apply(void *context, const struct fold_input *input, struct fold_output *output, struct error *err);
/* The fold that runs it: name "api", "deliver" ... */
struct fold number_fold(const char *name, bool owner, struct number *number,
                        void (*applied)(void *context, const struct fold_input *input, bool live));
/* What the last number_apply numbered: subscription and number; valid until the next. */
struct just_numbered {
    struct view subscription;
    int64_t number;
};
const struct just_numbered *number_just_numbered(const struct number *number, size_t *ret_count);

/* Where alert `number` of the subscription stands. NOTHING: not given. */
enum result number_find(struct store *store, struct view subscription, int64_t number, struct numbered_alert *ret);

/* Does this subscription want a telling of news with this event header and these roles? The one rule of filtering
 * (domain, section 2: "alerting by default"). */
bool subscription_wants(const struct subscription *subscription, const struct telling *telling,
                        const struct event_header *event);

/* Alert ids: a hash of (subscription, the telling's event id, kind, place). 22 characters of base64url and a NUL. */
enum { ALERT_ID_SIZE = 23 };
void alert_id(struct view subscription, const struct event_id *event, enum alert_kind kind, int32_t place,
              char ret[ALERT_ID_SIZE]);
