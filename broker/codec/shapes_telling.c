/* Shapes of what stands on a subscriber's key, and in every partition. */
#include "broker/codec/shapes.h"

#include "broker/event/telling.h"

static const struct avro_field because_fields[] = {
    STRING("registration", struct because, registration),
    STRING("role", struct because, role),
};
static const struct avro_shape because_shape = SHAPE("Because", struct because, because_fields);

static const struct avro_field cause_fields[] = {
    INT("topic", struct cause, topic),
    INT("partition", struct cause, partition),
    LONG("offset", struct cause, offset),
    INT("index", struct cause, index),
};
const struct avro_shape cause_shape = SHAPE("Cause", struct cause, cause_fields);

static const struct avro_field concerned_fields[] = {
    FIXED("event", struct concerned, event.bytes),
    INT("kind", struct concerned, kind),
    INT("place", struct concerned, place),
    RECORD("cause", struct concerned, cause, &cause_shape),
};
static const struct avro_shape concerned_shape = SHAPE("Concerned", struct concerned, concerned_fields);

static const struct avro_field telling_fields[] = {
    STRING("subscriber", struct telling, subscriber),
    INT("kind", struct telling, kind),
    INT("place", struct telling, place),
    RECORDS("because", struct telling, because, because_count, &because_shape),
    OPTIONAL_RECORD("concerned", struct telling, concerned, has_concerned, &concerned_shape),
    RECORD("cause", struct telling, cause, &cause_shape),
    BOOL("late", struct telling, late),
    BYTES("eventHeader", struct telling, event_header),
};
const struct avro_shape telling_shape = SHAPE("Telling", struct telling, telling_fields);

static const struct avro_field subscription_fields[] = {
    STRING("id", struct subscription, id),
    STRING("subscriber", struct subscription, subscriber),
    STRINGS("types", struct subscription, types, type_count),
    STRINGS("roles", struct subscription, roles, role_count),
    INT("payload", struct subscription, payload),
    STRING("purpose", struct subscription, purpose),
    BOOL("own", struct subscription, own),
    STRING("channel", struct subscription, channel),
    INT("status", struct subscription, status),
    LONG("changedAt", struct subscription, changed_at_ms),
};
const struct avro_shape subscription_shape = SHAPE("Subscription", struct subscription, subscription_fields);

static const struct avro_field receipt_fields[] = {
    STRING("subscription", struct receipt, subscription),
    LONG("number", struct receipt, number),
    STRING("state", struct receipt, state),
    LONG("at", struct receipt, at_ms),
    LONG("keyId", struct receipt, key_id),
};
const struct avro_shape receipt_shape = SHAPE("Receipt", struct receipt, receipt_fields);

static const struct avro_field receipt_body_fields[] = {
    STRING("by", struct receipt_body, by),
};
const struct avro_shape receipt_body_shape = SHAPE("ReceiptBody", struct receipt_body, receipt_body_fields);

static const struct avro_field tick_fields[] = {
    LONG("utc", struct tick, utc_ms),
    INT("localOffset", struct tick, local_offset_s),
};
const struct avro_shape tick_shape = SHAPE("Tick", struct tick, tick_fields);

static const struct avro_field rules_fields[] = {
    INT("version", struct rules, version),
};
const struct avro_shape rules_shape = SHAPE("Rules", struct rules, rules_fields);
