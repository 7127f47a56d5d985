/* Shapes of what the folds remember. */
#include "broker/codec/shapes.h"

#include "broker/event/patient_state.h"
#include "broker/event/subscriber_state.h"

static const struct avro_field known_registration_fields[] = {
    INT("number", struct known_registration, number),
    STRING("id", struct known_registration, id),
    STRING("subscriber", struct known_registration, subscriber),
    STRING("role", struct known_registration, role),
    LONG("from", struct known_registration, from_ms),
    LONG("until", struct known_registration, until_ms),
};
static const struct avro_shape known_registration_shape =
    SHAPE("KnownRegistration", struct known_registration, known_registration_fields);

static const struct avro_field told_fields[] = {
    INT("registration", struct told, registration),
    INT("index", struct told, index),
};
static const struct avro_shape told_shape = SHAPE("Told", struct told, told_fields);

static const struct avro_field fact_fields[] = {
    FIXED("id", struct fact, id),
    STRING("type", struct fact, type),
    STRING("spell", struct fact, spell),
    BOOL("standing", struct fact, standing),
    LONG("happenedAt", struct fact, happened_at_ms),
    INT("causePartition", struct fact, cause_partition),
    LONG("causeOffset", struct fact, cause_offset),
    RECORDS("told", struct fact, told, told_count, &told_shape),
};
static const struct avro_shape fact_shape = SHAPE("Fact", struct fact, fact_fields);

static const struct avro_field applied_identity_fields[] = {
    FIXED("id", struct applied_identity, id),
    LONG("content", struct applied_identity, content),
    LONG("recordedAt", struct applied_identity, recorded_at_ms),
};
static const struct avro_shape applied_identity_shape =
    SHAPE("AppliedIdentity", struct applied_identity, applied_identity_fields);

static const struct avro_field patient_state_fields[] = {
    RECORDS("registrations", struct patient_state, registrations, registration_count, &known_registration_shape),
    RECORDS("facts", struct patient_state, facts, fact_count, &fact_shape),
    RECORDS("applied", struct patient_state, applied, applied_count, &applied_identity_shape),
};
const struct avro_shape patient_state_shape = SHAPE("PatientState", struct patient_state, patient_state_fields);

static const struct avro_field numbered_subscription_fields[] = {
    RECORD("subscription", struct numbered_subscription, subscription, &subscription_shape),
    LONG("head", struct numbered_subscription, head),
};
static const struct avro_shape numbered_subscription_shape =
    SHAPE("NumberedSubscription", struct numbered_subscription, numbered_subscription_fields);

static const struct avro_field subscriber_state_fields[] = {
    RECORDS("subscriptions", struct subscriber_state, subscriptions, subscription_count, &numbered_subscription_shape),
};
const struct avro_shape subscriber_state_shape =
    SHAPE("SubscriberState", struct subscriber_state, subscriber_state_fields);
