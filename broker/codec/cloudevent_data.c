/* Reads what happened: patient, encounter, care plan, document. */
#include "broker/codec/cloudevent_data.h"

#include "broker/event/nhs_number.h"

#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

/* Which of ours a type cannot do without. */
static const struct {
    enum event_type type;
    bool encounter, spell, care_plan, cancels;
} wants[] = {
    {ENCOUNTER_ADMITTED, .encounter = true, .spell = true},
    {ENCOUNTER_ED_ARRIVED, .encounter = true, .spell = true},
    {ENCOUNTER_REGISTERED, .encounter = true, .spell = true},
    {ENCOUNTER_TRANSFERRED, .encounter = true, .spell = true},
    {ENCOUNTER_DISCHARGED, .encounter = true, .spell = true},
    {ENCOUNTER_CANCELLED, .cancels = true},
    {CARE_PLAN_CHANGED, .care_plan = true},
};

static void number_read(struct view said, struct arena *arena, struct patient *patient)
{
    char digits[11];
    switch (said.data == NULL ? NHS_NUMBER_NONE : nhs_number_read(said, digits)) {
    case NHS_NUMBER_TRUSTED:
        patient->nhs_number = arena_copy(arena, view_make(digits, 10));
        break;
    case NHS_NUMBER_UNTRUSTED:
        patient->untrusted_nhs_number = said;
        break;
    case NHS_NUMBER_NONE:
        break;
    }
}

static struct view without_spaces(struct view text, struct arena *arena)
{
    const char *from = text.data;
    char *to = arena_take(arena, text.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < text.size; i++)
        if (from[i] != ' ')
            to[size++] = from[i];
    return view_make(to, size);
}

static void local_ids_read(const struct reading *patient, struct patient *ret)
{
    static const char *const members[] = {"assigner", "value"};
    const json_t *list = reading_member(patient, "localIds", OPTIONAL);
    size_t count = json_array_size(list);
    if (list == NULL)
        return;
    if (!json_is_array(list) || count > LIMIT_LOCAL_IDS) {
        reading_problem(patient, "localIds", "is not a list of at most %d", LIMIT_LOCAL_IDS);
        return;
    }
    ret->local_ids = arena_take(patient->arena, count * sizeof *ret->local_ids);
    ret->local_id_count = count;
    for (size_t i = 0; i < count; i++) {
        char at[READING_AT], place[32];
        (void)snprintf(place, sizeof place, "localIds/%zu", i);
        reading_join(at, patient->at, place);
        struct reading one = reading_start(json_array_get(list, i), at, patient->arena, patient->problems);
        reading_refuse_others(&one, members, COUNT(members));
        ret->local_ids[i].assigner = reading_ods_code(&one, "assigner", OPTIONAL);
        ret->local_ids[i].value = reading_text(&one, "value", REQUIRED, LIMIT_ID_CHARACTERS);
    }
}

static void patient_read(const struct reading *data, struct view subject, struct patient *ret)
{
    static const char *const members[] = {"nhsNumber", "localIds", "familyName", "givenName", "birthDate", "practice"};
    struct reading patient = reading_object(data, "patient", OPTIONAL);
    reading_refuse_others(&patient, members, COUNT(members));
    struct view said = reading_text(&patient, "nhsNumber", OPTIONAL, 64);
    if (said.data != NULL && subject.data != NULL &&
        !view_is(without_spaces(said, data->arena), without_spaces(subject, data->arena)))
        reading_problem(&patient, "nhsNumber", "is not the one in subject");
    number_read(said.data != NULL ? said : subject, data->arena, ret);
    local_ids_read(&patient, ret);
    ret->family_name = reading_prose(&patient, "familyName", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->given_name = reading_prose(&patient, "givenName", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->birth_date = reading_date(&patient, "birthDate");
    ret->practice = reading_ods_code(&patient, "practice", OPTIONAL);
    if (data->object != NULL && ret->nhs_number.data == NULL && ret->local_id_count == 0)
        reading_problem(data, "patient", "says nobody: %s",
                        ret->untrusted_nhs_number.data == NULL ? "neither an NHS number nor a local number"
                                                               : "the NHS number fails its check, and no local number");
}

static void consultant_read(const struct reading *encounter, struct encounter *ret)
{
    static const char *const members[] = {"code", "name"};
    struct reading consultant = reading_object(encounter, "consultant", OPTIONAL);
    reading_refuse_others(&consultant, members, COUNT(members));
    ret->consultant_code = reading_text(&consultant, "code", OPTIONAL, LIMIT_ID_CHARACTERS);
    ret->consultant_name = reading_prose(&consultant, "name", OPTIONAL, LIMIT_TEXT_CHARACTERS);
}

static bool encounter_read(const struct reading *data, enum need need, enum need spell, struct encounter *ret)
{
    static const char *const members[] = {"spell",
                                          "class",
                                          "organisation",
                                          "site",
                                          "ward",
                                          "room",
                                          "bed",
                                          "consultant",
                                          "admittedAt",
                                          "dischargedAt",
                                          "dischargeMethod",
                                          "dischargeDestination"};
    struct reading encounter = reading_object(data, "encounter", need);
    reading_refuse_others(&encounter, members, COUNT(members));
    ret->spell = reading_text(&encounter, "spell", spell, LIMIT_ID_CHARACTERS);
    struct view class = reading_text(&encounter, "class", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->class = class.data == NULL ? CLASS_UNKNOWN : event_class_from_name(class);
    if (class.data != NULL && ret->class == CLASS_UNKNOWN)
        reading_problem(&encounter, "class", "is not inpatient, day-case, emergency, outpatient or community");
    ret->organisation = reading_ods_code(&encounter, "organisation", OPTIONAL);
    ret->site = reading_text(&encounter, "site", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->ward = reading_text(&encounter, "ward", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->room = reading_text(&encounter, "room", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->bed = reading_text(&encounter, "bed", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    consultant_read(&encounter, ret);
    ret->admitted_at_ms = reading_time(&encounter, "admittedAt", OPTIONAL);
    ret->discharged_at_ms = reading_time(&encounter, "dischargedAt", OPTIONAL);
    ret->discharge_method = reading_text(&encounter, "dischargeMethod", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->discharge_destination = reading_text(&encounter, "dischargeDestination", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    return encounter.object != NULL;
}

static bool care_plan_read(const struct reading *data, enum need need, struct care_plan *ret)
{
    static const char *const members[] = {"id", "title", "category", "status", "changedAt", "link"};
    struct reading plan = reading_object(data, "carePlan", need);
    reading_refuse_others(&plan, members, COUNT(members));
    ret->id = reading_text(&plan, "id", OPTIONAL, LIMIT_ID_CHARACTERS);
    ret->title = reading_prose(&plan, "title", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->category = reading_prose(&plan, "category", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->status = reading_text(&plan, "status", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->changed_at_ms = reading_time(&plan, "changedAt", OPTIONAL);
    ret->link = reading_uri_reference(&plan, "link", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    return plan.object != NULL;
}

static bool document_read(const struct reading *data, struct document *ret)
{
    static const char *const members[] = {"id", "kind", "title", "contentType", "createdAt", "link"};
    struct reading document = reading_object(data, "document", OPTIONAL);
    reading_refuse_others(&document, members, COUNT(members));
    ret->id = reading_text(&document, "id", OPTIONAL, LIMIT_ID_CHARACTERS);
    ret->kind = reading_text(&document, "kind", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->title = reading_prose(&document, "title", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->content_type = reading_text(&document, "contentType", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    ret->created_at_ms = reading_time(&document, "createdAt", OPTIONAL);
    ret->link = reading_uri_reference(&document, "link", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    return document.object != NULL;
}

static void cancels_read(const struct reading *data, struct view own_id, struct event_body *body)
{
    body->cancels = reading_text(data, "cancels", REQUIRED, LIMIT_ID_CHARACTERS);
    body->cancelled_type = VIEW("");
    if (body->cancels.data != NULL && own_id.data != NULL && view_is(body->cancels, own_id))
        reading_problem(data, "cancels", "is this event's own id");
}

void cloudevent_data_read(const struct reading *data, enum event_type type, const struct cloudevent *about,
                          struct care_event *event)
{
    const char *members[6] = {"patient", "encounter", "carePlan", "document"};
    size_t member_count = 4, row = 0;
    struct event_body *body = &event->body;
    while (row < COUNT(wants) && wants[row].type != type)
        row++;
    bool known = row < COUNT(wants);
    if (known && wants[row].cancels)
        members[member_count++] = "cancels";
    if (type == PATIENT_DIED)
        members[member_count++] = "diedAt";
    reading_refuse_others(data, members, member_count);
    patient_read(data, about->subject, &body->patient);
    body->has_encounter = encounter_read(data, known && wants[row].encounter ? REQUIRED : OPTIONAL,
                                         known && wants[row].spell ? REQUIRED : OPTIONAL, &body->encounter);
    body->has_care_plan = care_plan_read(data, known && wants[row].care_plan ? REQUIRED : OPTIONAL, &body->care_plan);
    body->has_document = document_read(data, &body->document);
    if (known && wants[row].cancels)
        cancels_read(data, about->id, body);
    if (type == PATIENT_DIED)
        body->died_at_ms = reading_time(data, "diedAt", OPTIONAL);
    event->header.organisation = body->encounter.organisation;
    event->header.class = body->encounter.class;
    if (type == ENCOUNTER_ED_ARRIVED && event->header.class == CLASS_UNKNOWN)
        event->header.class = CLASS_EMERGENCY;
    bool against_advice = view_is_text(body->encounter.discharge_method, "2") ||
                          view_is_text(body->encounter.discharge_method, "6") ||
                          view_is_text(body->encounter.discharge_method, "7");
    event->header.urgency = type == ENCOUNTER_DISCHARGED && against_advice ? URGENCY_URGENT : URGENCY_NORMAL;
}
