/* Makes the records of a message: ids, pseudonym, time of recording, seals; and hands them to the log in one append. */
#include "broker/publisher/inside.h"

#include "broker/base/time.h"

enum { ENTRIES_LIMIT = 16 };

enum result flight_find_patient(const struct publisher *publisher, struct flight *flight, struct error *err)
{
    const struct publication *publication = &flight->publication;
    const struct patient *patient = &publication->events[0].body.patient;
    const struct vault *vault = publisher->options.vault;
    if (publication->patient.size == sizeof flight->patient - 1) {
        memcpy(flight->patient, publication->patient.data, publication->patient.size);
        return OK;
    }
    if (patient->nhs_number.size > 0) {
        vault_patient_ref_of_nhs_number(vault, patient->nhs_number, flight->patient);
        return OK;
    }
    for (size_t i = 0; i < patient->local_id_count; i++) { /* a publisher asserts only its own organisation's numbers */
        if (!view_is(patient->local_ids[i].assigner, publication->publisher))
            continue;
        vault_patient_ref_of_local_id(vault, patient->local_ids[i].assigner, patient->local_ids[i].value,
                                      flight->patient);
        return OK;
    }
    return error_set(err, REJECTED, "neither an NHS number nor a local number of the sender says who the patient is");
}

/* Fills in what ingest gives an event. */
static void header_complete(const struct publisher *publisher, const struct flight *flight, size_t index)
{
    const struct publication *publication = &flight->publication;
    struct event_header *header = &publication->events[index].header;
    struct event_body *body = &publication->events[index].body;
    header->id = vault_event_id(publication->publisher, publication->source, publication->id, (int32_t)index,
                                publication->message_time_ms);
    header->patient = view_of_text(flight->patient);
    header->publisher = publication->publisher;
    if (header->organisation.size == 0)
        header->organisation = publication->publisher;
    header->origin = publisher->options.origin;
    header->index = (int32_t)index;
    header->count = (int32_t)publication->event_count;
    header->recorded_at_ms = flight->identity.recorded_at_ms;
    memcpy(header->content, flight->identity.content, HASH_SIZE);
    header->key_id = flight->key_id;
    body->message_source = publication->source;
    body->message_id = publication->id;
}

static enum result event_entry(struct publisher *publisher, struct flight *flight, size_t index, struct log_entry *ret,
                               struct error *err)
{
    const struct care_event *event = &flight->publication.events[index];
    struct buffer value = {0};
    header_complete(publisher, flight, index);
    enum result result = record_seal_event(publisher->keyring, &event->header, &event->body, &value, err);
    if (result == OK) {
        struct log_header *headers = arena_take(&flight->arena, RECORD_HEADERS * sizeof *headers);
        struct view key = view_of_text(flight->patient);
        *ret = (struct log_entry){
            .topic = TOPIC_EVENTS,
            .partition = log_partition_of(publisher->options.log, TOPIC_EVENTS, key),
            .key = key,
            .value = arena_copy(&flight->arena, buffer_view(&value)),
            .headers = headers,
            .header_count =
                record_headers(&event->header, view_of_text(publisher->options.region), &flight->arena, headers),
        };
    }
    buffer_destroy(&value);
    return result;
}

static struct log_entry item_entry(struct flight *flight, const struct work_item *item)
{
    struct buffer value = {0};
    struct work_item stamped = *item;
    stamped.recorded_at_ms = flight->identity.recorded_at_ms;
    stamped.source_partition = -1;
    record_write_plain(SCHEMA_WORK_ITEM, &stamped, &value);
    struct log_entry entry = {
        .topic = TOPIC_QUARANTINE, .key = item->organisation, .value = arena_copy(&flight->arena, buffer_view(&value))};
    buffer_destroy(&value);
    return entry;
}

enum result flight_append(struct publisher *publisher, struct flight *flight, struct error *err)
{
    const struct publication *publication = &flight->publication;
    struct log_entry entries[ENTRIES_LIMIT];
    size_t count = 0;
    enum result result = OK;
    if (publication->event_count + publication->item_count > ENTRIES_LIMIT)
        return error_set(err, REJECTED, "a message makes at most %d records", ENTRIES_LIMIT);
    for (size_t i = 0; i < publication->event_count && result == OK; i++)
        result = event_entry(publisher, flight, i, &entries[count++], err);
    for (size_t i = 0; i < publication->item_count; i++)
        entries[count++] = item_entry(flight, &publication->items[i]);
    if (result != OK)
        return result;
    if (publication->event_count > 0)
        flight->identity.position.partition = entries[0].partition;
    uint64_t ticket = ++publisher->next_ticket;
    result = log_append(publisher->appender, entries, count, ticket, err);
    if (result == OK)
        flight_await(&publisher->flights, flight, ticket);
    return result;
}
