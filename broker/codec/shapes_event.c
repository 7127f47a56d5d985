/* Shapes of a record and of an event. */
#include "broker/codec/shapes.h"

#include "broker/codec/schemas.h"
#include "broker/event/care_event.h"

static const struct avro_field record_fields[] = {
    BYTES("header", struct record_value, header),
    BYTES("sealed", struct record_value, sealed),
};
const struct avro_shape record_shape = SHAPE("Record", struct record_value, record_fields);

static const struct avro_field event_header_fields[] = {
    FIXED("id", struct event_header, id.bytes),
    STRING("type", struct event_header, type),
    STRING("patient", struct event_header, patient),
    STRING("publisher", struct event_header, publisher),
    STRING("organisation", struct event_header, organisation),
    INT("class", struct event_header, class),
    INT("urgency", struct event_header, urgency),
    INT("origin", struct event_header, origin),
    INT("index", struct event_header, index),
    INT("count", struct event_header, count),
    LONG("recordedAt", struct event_header, recorded_at_ms),
    FIXED("content", struct event_header, content),
    LONG("keyId", struct event_header, key_id),
    STRING("traceparent", struct event_header, traceparent),
    OPTIONAL_RECORD("cause", struct event_header, cause, has_cause, &cause_shape),
};
const struct avro_shape event_header_shape = SHAPE("EventHeader", struct event_header, event_header_fields);

static const struct avro_field local_id_fields[] = {
    STRING("assigner", struct local_id, assigner),
    STRING("value", struct local_id, value),
};
static const struct avro_shape local_id_shape = SHAPE("LocalId", struct local_id, local_id_fields);

static const struct avro_field patient_fields[] = {
    STRING("nhsNumber", struct patient, nhs_number),
    RECORDS("localIds", struct patient, local_ids, local_id_count, &local_id_shape),
    STRING("familyName", struct patient, family_name),
    STRING("givenName", struct patient, given_name),
    STRING("birthDate", struct patient, birth_date),
    STRING("practice", struct patient, practice),
    STRING("reliability", struct patient, reliability),
    STRING("untrustedNhsNumber", struct patient, untrusted_nhs_number),
};
static const struct avro_shape patient_shape = SHAPE("Patient", struct patient, patient_fields);

static const struct avro_field encounter_fields[] = {
    STRING("spell", struct encounter, spell),
    STRING("organisation", struct encounter, organisation),
    STRING("site", struct encounter, site),
    STRING("ward", struct encounter, ward),
    STRING("room", struct encounter, room),
    STRING("bed", struct encounter, bed),
    STRING("consultantCode", struct encounter, consultant_code),
    STRING("consultantName", struct encounter, consultant_name),
    LONG("admittedAt", struct encounter, admitted_at_ms),
    LONG("dischargedAt", struct encounter, discharged_at_ms),
    STRING("dischargeMethod", struct encounter, discharge_method),
    STRING("dischargeDestination", struct encounter, discharge_destination),
    INT("class", struct encounter, class),
};
static const struct avro_shape encounter_shape = SHAPE("Encounter", struct encounter, encounter_fields);

static const struct avro_field care_plan_fields[] = {
    STRING("id", struct care_plan, id),
    STRING("title", struct care_plan, title),
    STRING("category", struct care_plan, category),
    STRING("status", struct care_plan, status),
    STRING("link", struct care_plan, link),
    LONG("changedAt", struct care_plan, changed_at_ms),
};
static const struct avro_shape care_plan_shape = SHAPE("CarePlan", struct care_plan, care_plan_fields);

static const struct avro_field document_fields[] = {
    STRING("id", struct document, id),       STRING("kind", struct document, kind),
    STRING("title", struct document, title), STRING("contentType", struct document, content_type),
    STRING("link", struct document, link),   LONG("createdAt", struct document, created_at_ms),
};
static const struct avro_shape document_shape = SHAPE("Document", struct document, document_fields);

static const struct avro_field registration_fields[] = {
    STRING("id", struct registration, id),        STRING("subscriber", struct registration, subscriber),
    STRING("role", struct registration, role),    LONG("from", struct registration, from_ms),
    LONG("until", struct registration, until_ms), STRING("evidence", struct registration, evidence),
};
static const struct avro_shape registration_shape = SHAPE("Registration", struct registration, registration_fields);

static const struct avro_field event_body_fields[] = {
    LONG("happenedAt", struct event_body, happened_at_ms),
    STRING("messageSource", struct event_body, message_source),
    STRING("messageId", struct event_body, message_id),
    STRING("trigger", struct event_body, trigger),
    RECORD("patient", struct event_body, patient, &patient_shape),
    OPTIONAL_RECORD("encounter", struct event_body, encounter, has_encounter, &encounter_shape),
    OPTIONAL_RECORD("carePlan", struct event_body, care_plan, has_care_plan, &care_plan_shape),
    OPTIONAL_RECORD("document", struct event_body, document, has_document, &document_shape),
    OPTIONAL_RECORD("registration", struct event_body, registration, has_registration, &registration_shape),
    STRING("cancels", struct event_body, cancels),
    STRING("cancelledType", struct event_body, cancelled_type),
    STRING("state", struct event_body, state),
    LONG("diedAt", struct event_body, died_at_ms),
    BOOL("late", struct event_body, late),
    STRING("attributes", struct event_body, attributes),
};
const struct avro_shape event_body_shape = SHAPE("EventBody", struct event_body, event_body_fields);
