/*
 * What stands on a subscriber's own key in tidings.alerts: tellings, subscriptions, receipts; and what stands in every
 * partition: ticks, rules. Headers in clear; views as in care_event.h.
 * Schemas: schemas/telling.avsc, subscription.avsc, receipt.avsc, tick.avsc, rules.avsc.
 */
#pragma once

#include "broker/event/care_event.h"

/* The kinds of alert (interface, section 3). */
enum alert_kind { ALERT_NEW, ALERT_CORRECTION, ALERT_RETRACTION, ALERT_CATCH_UP, ALERT_ENDED, ALERT_WITHHELD };
const char *alert_kind_name(enum alert_kind kind);

/* One registration that matched. */
struct because {
    struct view registration, role;
};

/* An earlier telling to the same subscriber that this one takes back or mends. */
struct concerned {
    struct event_id event;
    enum alert_kind kind;
    int32_t place;
    struct cause cause; /* of that earlier telling: how number finds whether a subscription had it */
};

/* Matching's decision that one subscriber is to be told of one event. The record's sealed part is the event's, whose
 * additional data is `event_header` as stored. */
struct telling {
    struct view subscriber; /* also the record's key */
    enum alert_kind kind;
    int32_t place; /* among that event's tellings to this subscriber of this kind */
    struct because *because;
    size_t because_count;
    bool has_concerned;
    struct concerned concerned;
    struct cause cause;
    bool late;
    struct view event_header; /* the wire-format bytes of the event's header */
};

enum payload { PAYLOAD_FULL, PAYLOAD_ID_ONLY, PAYLOAD_EMPTY };
const char *payload_name(enum payload payload);
bool payload_from_name(struct view name, enum payload *ret);

enum subscription_status { SUBSCRIPTION_REQUESTED, SUBSCRIPTION_ACTIVE, SUBSCRIPTION_PAUSED, SUBSCRIPTION_ENDED };
const char *subscription_status_name(enum subscription_status status);

/* The whole subscription as it is from here on: made, changed and ended are the same record. */
struct subscription {
    struct view id; /* begins with the subscriber and a dot */
    struct view subscriber;
    struct view *types; /* patterns; none: alerting by default */
    size_t type_count;
    struct view *roles; /* none: all */
    size_t role_count;
    enum payload payload;
    struct view purpose;
    bool own;
    struct view channel; /* "pull" */
    enum subscription_status status;
    int64_t changed_at_ms;
};

/* What became of an alert. `by` is sealed under the subscription's key. */
struct receipt {
    struct view subscription;
    int64_t number;
    struct view state; /* "delivered", "opened", "acknowledged", "failed" */
    int64_t at_ms;
    uint64_t key_id; /* of `by`; 0: none */
};

/* What a receipt seals. */
struct receipt_body {
    struct view by; /* the professional, opaque */
};

struct tick {
    int64_t utc_ms;
    int32_t local_offset_s; /* the region's local time: seconds east of UTC */
};

/* From here on in this partition folds decide by these rules. */
struct rules {
    int32_t version;
};

/* The newest rules this program knows. A fold that meets a higher number stops. */
enum { RULES_NEWEST = 1 };
