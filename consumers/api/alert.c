/* The alert as one subscription is told it: one rendering in every channel (interface, section 3; CloudEvents 1.0). */
#include "consumers/api/inside.h"

#include <stdio.h>

/* A member that is not known is absent; so is one that the feed has deleted (HL7 `""` arrives as an empty text). */
static void known_text(struct json *json, const char *name, struct view text)
{
    if (text.size > 0)
        json_member_text(json, name, text);
}

static void local_ids_write(const struct patient *patient, struct json *json)
{
    if (patient->local_id_count == 0)
        return;
    json_name(json, "localIds");
    json_open_array(json);
    for (size_t i = 0; i < patient->local_id_count; i++) {
        json_open_object(json);
        known_text(json, "assigner", patient->local_ids[i].assigner);
        known_text(json, "value", patient->local_ids[i].value);
        json_close_object(json);
    }
    json_close_array(json);
}

static void patient_write(const struct patient *patient, enum payload payload, struct json *json)
{
    json_name(json, "patient");
    json_open_object(json);
    known_text(json, "nhsNumber", patient->nhs_number);
    local_ids_write(patient, json);
    if (payload == PAYLOAD_FULL) {
        known_text(json, "familyName", patient->family_name);
        known_text(json, "givenName", patient->given_name);
        known_text(json, "birthDate", patient->birth_date);
        known_text(json, "practice", patient->practice);
    }
    json_close_object(json);
}

static void encounter_details_write(const struct encounter *encounter, struct json *json)
{
    const char *class = event_class_name(encounter->class);
    known_text(json, "class", view_of_text(class));
    known_text(json, "site", encounter->site);
    known_text(json, "ward", encounter->ward);
    known_text(json, "room", encounter->room);
    known_text(json, "bed", encounter->bed);
    if (encounter->consultant_code.size > 0 || encounter->consultant_name.size > 0) {
        json_name(json, "consultant");
        json_open_object(json);
        known_text(json, "code", encounter->consultant_code);
        known_text(json, "name", encounter->consultant_name);
        json_close_object(json);
    }
    json_member_time(json, "admittedAt", encounter->admitted_at_ms);
    json_member_time(json, "dischargedAt", encounter->discharged_at_ms);
    known_text(json, "dischargeMethod", encounter->discharge_method);
    known_text(json, "dischargeDestination", encounter->discharge_destination);
}

static void encounter_write(const struct encounter *encounter, enum payload payload, struct json *json)
{
    json_name(json, "encounter");
    json_open_object(json);
    known_text(json, "spell", encounter->spell);
    known_text(json, "organisation", encounter->organisation);
    if (payload == PAYLOAD_FULL)
        encounter_details_write(encounter, json);
    json_close_object(json);
}

static void care_plan_write(const struct care_plan *plan, enum payload payload, struct json *json)
{
    json_name(json, "carePlan");
    json_open_object(json);
    known_text(json, "id", plan->id);
    if (payload == PAYLOAD_FULL) {
        known_text(json, "title", plan->title);
        known_text(json, "category", plan->category);
        known_text(json, "status", plan->status);
        json_member_time(json, "changedAt", plan->changed_at_ms);
        known_text(json, "link", plan->link);
    }
    json_close_object(json);
}

static void document_write(const struct document *document, enum payload payload, struct json *json)
{
    json_name(json, "document");
    json_open_object(json);
    known_text(json, "id", document->id);
    if (payload == PAYLOAD_FULL) {
        known_text(json, "kind", document->kind);
        known_text(json, "title", document->title);
        known_text(json, "contentType", document->content_type);
        json_member_time(json, "createdAt", document->created_at_ms);
        known_text(json, "link", document->link);
    }
    json_close_object(json);
}

static void because_write(const struct telling *telling, enum payload payload, struct json *json)
{
    json_name(json, "because");
    json_open_array(json);
    for (size_t i = 0; i < telling->because_count; i++) {
        json_open_object(json);
        if (payload != PAYLOAD_EMPTY) /* a registration's id begins with the patientRef: it would tell */
            json_member_text(json, "registration", telling->because[i].registration);
        json_member_text(json, "role", telling->because[i].role);
        json_close_object(json);
    }
    json_close_array(json);
}

/* What an earlier alert of the same subscription was called: computed, not looked up. */
static void concerns_write(const struct subscription *subscription, const struct concerned *concerned,
                           struct json *json)
{
    char id[ALERT_ID_SIZE], event[EVENT_ID_TEXT_SIZE];
    alert_id(subscription->id, &concerned->event, concerned->kind, concerned->place, id);
    json_member_text(json, "concerns", view_of_text(id));
    json_member_text(json, "concernsEvent", event_id_to_text(&concerned->event, event));
}

static void content_write(const struct event_body *body, enum payload payload, struct json *json)
{
    if (payload == PAYLOAD_FULL && body->state.size > 0)
        json_member_text(json, "state", body->state);
    patient_write(&body->patient, payload, json);
    if (body->has_encounter)
        encounter_write(&body->encounter, payload, json);
    if (body->has_care_plan)
        care_plan_write(&body->care_plan, payload, json);
    if (body->has_document)
        document_write(&body->document, payload, json);
    if (payload == PAYLOAD_FULL && body->died_at_ms != 0)
        json_member_time(json, "diedAt", body->died_at_ms);
}

static void data_write(const struct subscription *subscription, int64_t number, const struct opened_record *record,
                       const struct event_body *body, enum payload payload, struct json *json)
{
    const struct telling *telling = &record->telling;
    char event[EVENT_ID_TEXT_SIZE];
    json_name(json, "data");
    json_open_object(json);
    json_member_text(json, "subscription", subscription->id);
    json_member_number(json, "number", number);
    json_member_text(json, "kind", view_of_text(alert_kind_name(body == NULL ? ALERT_WITHHELD : telling->kind)));
    if (body != NULL) {
        json_member_text(json, "event", event_id_to_text(&record->told.id, event));
        json_member_text(json, "publisher", record->told.publisher);
        json_member_time(json, "publishedAt", record->told.recorded_at_ms);
        if (payload != PAYLOAD_EMPTY)
            json_member_text(json, "patientRef", record->told.patient);
        because_write(telling, payload, json);
        if (telling->has_concerned)
            concerns_write(subscription, &telling->concerned, json);
        if (telling->late || body->late)
            json_member_bool(json, "late", true);
        if (payload != PAYLOAD_EMPTY)
            content_write(body, payload, json);
    }
    json_close_object(json);
}

void alert_write(const struct subscription *subscription, int64_t number, const struct opened_record *telling,
                 const struct event_body *body, const char *region, enum payload payload, struct buffer *to)
{
    char id[ALERT_ID_SIZE], source[96];
    struct json json = json_start(to);
    alert_id(subscription->id, &telling->told.id, telling->telling.kind, telling->telling.place, id);
    int size = snprintf(source, sizeof source, "urn:tidings:%s", region);
    json_open_object(&json);
    json_member_text(&json, "specversion", VIEW("1.0"));
    json_member_text(&json, "id", view_of_text(id));
    json_member_text(&json, "source",
                     view_make(source, (size_t)size < sizeof source ? (size_t)size : sizeof source - 1));
    json_member_text(&json, "type", body == NULL ? VIEW("withheld-1") : telling->told.type);
    json_member_time(&json, "time", body == NULL ? telling->told.recorded_at_ms : body->happened_at_ms);
    if (body != NULL && payload != PAYLOAD_EMPTY)
        known_text(&json, "subject", body->patient.nhs_number);
    json_member_text(&json, "datacontenttype", VIEW("application/json"));
    if (body != NULL && telling->told.traceparent.size > 0)
        json_member_text(&json, "traceparent", telling->told.traceparent);
    data_write(subscription, number, telling, body, payload, &json);
    json_close_object(&json);
}

enum result alert_read(struct api *api, const struct subscription *subscription, int64_t number, enum payload payload,
                       struct buffer *to, struct error *err)
{
    struct numbered_alert found;
    struct log_record record;
    struct opened_record opened;
    struct event_body body;
    struct arena arena = {0};
    enum result result = number_find(runner_store(api->numbers), subscription->id, number, &found);
    if (result == OK)
        result = log_fetch(api->fetcher, TOPIC_ALERTS, found.telling.partition, found.telling.offset, &record, err);
    if (result == OK)
        result = record_open(record.value, &arena, &opened, err);
    if (result == OK && opened.kind != SCHEMA_TELLING)
        result =
            error_set(err, FATAL, "alert %lld stands where no telling is: the log is not the one that was numbered",
                      (long long)number);
    if (result == OK) {
        enum result unsealed = record_unseal_body(api->keyring, &opened, &arena, &body, err);
        if (unsealed == OK || unsealed == NOTHING || unsealed == REJECTED)
            alert_write(subscription, number, &opened, unsealed == OK ? &body : NULL, api->options.region, payload, to);
        else
            result = unsealed;
    }
    arena_destroy(&arena);
    return result;
}
