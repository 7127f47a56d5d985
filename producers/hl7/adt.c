/* ADT triggers and their meaning. */
#include "producers/hl7/adt.h"

#include "producers/hl7/pid.h"
#include "producers/hl7/pv1.h"

/* The field that says when it happened; where it does not, EVN-6, EVN-2, MSH-7 do. */
enum when { WHEN_EVENT, WHEN_ADMITTED, WHEN_DISCHARGED };

/* One row a trigger. A trigger that is not here is accepted and gives no event. */
struct meaning {
    const char *trigger;
    enum event_type type;
    enum event_type type_in_emergency; /* where PV1-2 is E; else as type */
    enum event_type takes_back;        /* of a cancellation: which event of the spell */
    enum when when;
};

static const struct meaning meanings[] = {
    {"A01", ENCOUNTER_ADMITTED, ENCOUNTER_ADMITTED, TYPE_UNKNOWN, WHEN_ADMITTED},
    {"A02", ENCOUNTER_TRANSFERRED, ENCOUNTER_TRANSFERRED, TYPE_UNKNOWN, WHEN_EVENT},
    {"A03", ENCOUNTER_DISCHARGED, ENCOUNTER_DISCHARGED, TYPE_UNKNOWN, WHEN_DISCHARGED},
    {"A04", ENCOUNTER_REGISTERED, ENCOUNTER_ED_ARRIVED, TYPE_UNKNOWN, WHEN_ADMITTED},
    {"A11", ENCOUNTER_CANCELLED, ENCOUNTER_CANCELLED, ENCOUNTER_ADMITTED, WHEN_EVENT},
    {"A13", ENCOUNTER_CANCELLED, ENCOUNTER_CANCELLED, ENCOUNTER_DISCHARGED, WHEN_EVENT},
};

static const struct meaning *meaning_find(const struct envelope *envelope)
{
    if (!view_is_text(envelope->type, "ADT"))
        return NULL;
    for (size_t i = 0; i < sizeof meanings / sizeof meanings[0]; i++)
        if (view_is_text(envelope->trigger, meanings[i].trigger))
            return &meanings[i];
    return NULL;
}

/* PID and PV1 are what these messages are about: there, and once. */
static enum result outline_check(const struct message *message, struct refusal *ret_refusal)
{
    if (message->counts[SEGMENT_PID] == 0)
        return refusal_set(ret_refusal, "PID", "100", "the segment PID is missing");
    if (message->counts[SEGMENT_PV1] == 0)
        return refusal_set(ret_refusal, "PV1", "100", "the segment PV1 is missing");
    if (message->counts[SEGMENT_PID] > 1)
        return refusal_set(ret_refusal, "PID", "100", "the segment PID stands more than once");
    if (message->counts[SEGMENT_PV1] > 1)
        return refusal_set(ret_refusal, "PV1", "100", "the segment PV1 stands more than once");
    return OK;
}

struct time_source {
    enum segment segment;
    unsigned field;
    const char *at;
};

/* When it happened, by the first source that can be read. */
static enum result happened_read(struct reading *reading, enum when when, int64_t *ret_ms, struct refusal *ret_refusal)
{
    static const struct time_source sources[][4] = {
        [WHEN_EVENT] = {{SEGMENT_EVN, 6, "EVN-6"}, {SEGMENT_EVN, 2, "EVN-2"}, {SEGMENT_MSH, 7, "MSH-7"}},
        [WHEN_ADMITTED] = {{SEGMENT_PV1, 44, "PV1-44"},
                           {SEGMENT_EVN, 6, "EVN-6"},
                           {SEGMENT_EVN, 2, "EVN-2"},
                           {SEGMENT_MSH, 7, "MSH-7"}},
        [WHEN_DISCHARGED] = {{SEGMENT_PV1, 45, "PV1-45"},
                             {SEGMENT_EVN, 6, "EVN-6"},
                             {SEGMENT_EVN, 2, "EVN-2"},
                             {SEGMENT_MSH, 7, "MSH-7"}},
    };
    const char *bad = NULL;
    for (size_t i = 0; i < 4 && sources[when][i].at != NULL; i++) {
        const struct time_source *source = &sources[when][i];
        enum moment_reading said = adt_reading_time(reading, source->segment, source->field, source->at, ret_ms);
        if (said == MOMENT_READ)
            return OK;
        if (said == MOMENT_BAD && bad == NULL)
            bad = source->at;
    }
    return refusal_set(ret_refusal, bad == NULL ? "MSH-7" : bad, "102",
                       "no time in the message that says when it happened can be read");
}

/* Times and the end of the stay, as far as this event is about them. */
static void stay_complete(struct reading *reading, const struct meaning *meaning, int64_t happened_ms,
                          struct encounter *encounter)
{
    struct message *message = reading->message;
    if (meaning->when == WHEN_ADMITTED)
        encounter->admitted_at_ms = happened_ms;
    else
        (void)adt_reading_time(reading, SEGMENT_PV1, 44, "PV1-44", &encounter->admitted_at_ms);
    if (meaning->when == WHEN_DISCHARGED) {
        encounter->discharged_at_ms = happened_ms;
        encounter->discharge_method = message_value(message, SEGMENT_PV1, 36, 1);
        encounter->discharge_destination = message_value(message, SEGMENT_PV1, 37, 1);
    }
}

static enum urgency urgency_of(struct message *message, enum event_type type, const struct encounter *encounter)
{
    if (type == ENCOUNTER_TRANSFERRED)
        return pv1_changes_site(message) ? URGENCY_NORMAL : URGENCY_ROUTINE;
    if (type == ENCOUNTER_DISCHARGED && discharge_method_is_self_discharge(encounter->discharge_method))
        return URGENCY_URGENT;
    return URGENCY_NORMAL;
}

static struct view type_name(enum event_type type)
{
    return view_of_text(event_type_facts(type)->name);
}

/* The death that a discharge tells: of the same stay, so that taking back the discharge finds it. */
static void death_add(struct reading *reading, struct adt_result *result)
{
    const struct care_event *discharge = &result->events[0];
    int64_t died_ms = discharge->body.happened_at_ms;
    (void)adt_reading_time(reading, SEGMENT_PID, 29, "PID-29", &died_ms);
    struct care_event *death = &result->events[result->event_count++];
    *death = *discharge;
    death->header.type = type_name(PATIENT_DIED);
    death->header.urgency = URGENCY_NORMAL;
    death->body.happened_at_ms = died_ms;
    death->body.died_at_ms = died_ms;
}

static void events_number(struct adt_result *result)
{
    for (size_t i = 0; i < result->event_count; i++) {
        result->events[i].header.index = (int32_t)i;
        result->events[i].header.count = (int32_t)result->event_count;
    }
}

/* Characters that did not decode in what was used: told, and the event goes on. */
static void characters_note(struct reading *reading)
{
    if (reading->message->undecodable > 0)
        reading_note(reading, "bad-characters", "text that is not in the character set that MSH-18 names", "MSH-18");
}

enum result adt_read(struct reading *reading, const struct envelope *envelope, struct adt_result *ret,
                     struct refusal *ret_refusal)
{
    struct message *message = reading->message;
    struct adt_result read = {0};
    const struct meaning *meaning = meaning_find(envelope);
    if (meaning == NULL) {
        *ret = read;
        return OK;
    }
    struct event_body body = {
        .message_source = envelope->source,
        .message_id = envelope->id,
        .trigger = envelope->trigger,
        .has_encounter = true,
    };
    enum result result = outline_check(message, ret_refusal);
    if (result == OK)
        result = pid_read(reading, &body.patient, ret_refusal);
    if (result == OK)
        result = pv1_read(reading, &body.encounter, ret_refusal);
    if (result == OK)
        result = happened_read(reading, meaning->when, &body.happened_at_ms, ret_refusal);
    if (result != OK)
        return result;
    stay_complete(reading, meaning, body.happened_at_ms, &body.encounter);
    enum event_type type = body.encounter.class == CLASS_EMERGENCY ? meaning->type_in_emergency : meaning->type;
    if (meaning->takes_back != TYPE_UNKNOWN)
        body.cancelled_type = type_name(meaning->takes_back);
    read.events[read.event_count++] = (struct care_event){
        .header = {.type = type_name(type),
                   .publisher = reading->facts->organisation->id,
                   .organisation = reading->facts->organisation->id,
                   .class = body.encounter.class,
                   .urgency = urgency_of(message, type, &body.encounter),
                   .origin = ORIGIN_HL7},
        .body = body,
    };
    bool died = discharge_method_is_death(body.encounter.discharge_method) ||
                view_is_text(message_value(message, SEGMENT_PID, 30, 1), "Y");
    if (type == ENCOUNTER_DISCHARGED && died)
        death_add(reading, &read);
    events_number(&read);
    characters_note(reading);
    *ret = read;
    return OK;
}
