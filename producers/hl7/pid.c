/* The patient of a message: numbers, name, day of birth, practice. */
#include "producers/hl7/pid.h"

#include "broker/event/limits.h"
#include "broker/event/nhs_number.h"
#include "producers/hl7/datatypes.h"

/* What the message says of the patient's NHS number, wherever it says it. */
struct number_found {
    char trusted[11];    /* "": none */
    bool differs;        /* two trusted numbers that are not the same: so neither is */
    struct view as_sent; /* of the trusted one */
    struct view untrusted;
    struct view status; /* the tracing status that stood with it */
};

static void number_take(struct number_found *found, const struct identifier *identifier, bool only_trusted)
{
    char digits[11];
    enum nhs_number_kind kind = nhs_number_read(identifier->value, digits);
    if (kind == NHS_NUMBER_UNTRUSTED && !only_trusted && found->untrusted.data == NULL)
        found->untrusted = identifier->value;
    if (kind == NHS_NUMBER_TRUSTED && found->trusted[0] == '\0') {
        memcpy(found->trusted, digits, sizeof digits);
        found->as_sent = identifier->value;
    } else if (kind == NHS_NUMBER_TRUSTED && memcmp(found->trusted, digits, sizeof digits) != 0) {
        found->differs = true;
    }
    if (kind != NHS_NUMBER_NONE && found->status.data == NULL)
        found->status = identifier->status;
}

/* Labelled numbers of every repetition of the field. */
static void number_find_labelled(struct reading *reading, unsigned field, struct number_found *found)
{
    struct view all = message_field(reading->message, SEGMENT_PID, field);
    for (unsigned n = 1; n <= LIMIT_LIST; n++) {
        struct identifier identifier;
        struct view repetition = field_repetition(reading->message, all, n);
        if (repetition.data == NULL)
            return;
        if (identifier_read(reading->message, repetition, &identifier) && identifier_is_nhs_number(&identifier))
            number_take(found, &identifier, false);
    }
}

/* PID-3 first. PID-19 is the NHS number by custom, so there the number needs no label, but must be a right one. */
static struct number_found number_find(struct reading *reading)
{
    struct number_found found = {0};
    static const unsigned fields[] = {3, 2, 4, 19};
    for (size_t i = 0; i < sizeof fields / sizeof fields[0] && found.trusted[0] == '\0'; i++)
        number_find_labelled(reading, fields[i], &found);
    struct identifier bare;
    if (found.trusted[0] == '\0' &&
        identifier_read(reading->message, message_field(reading->message, SEGMENT_PID, 19), &bare))
        number_take(&found, &bare, true);
    return found;
}

static bool is_own(const struct reading *reading, const struct identifier *identifier)
{
    const struct publisher_facts *facts = reading->facts;
    return identifier->authority.size == 0 || facts->is_another == NULL ||
           !facts->is_another(facts->context, identifier->authority);
}

static bool has_local_id(const struct patient *patient, struct view value)
{
    for (size_t i = 0; i < patient->local_id_count; i++)
        if (view_is(patient->local_ids[i].value, value))
            return true;
    return false;
}

/* The local numbers in a field's repetitions, each once. */
static void local_ids_read(struct reading *reading, unsigned field, struct patient *ret)
{
    struct view all = message_field(reading->message, SEGMENT_PID, field);
    for (unsigned n = 1; n <= LIMIT_LIST && ret->local_id_count < LIMIT_LOCAL_IDS; n++) {
        struct identifier identifier;
        struct view repetition = field_repetition(reading->message, all, n);
        if (repetition.data == NULL)
            return;
        if (!identifier_read(reading->message, repetition, &identifier) || identifier_is_nhs_number(&identifier) ||
            identifier_is_foreign(&identifier) || !is_own(reading, &identifier) ||
            identifier.value.size > LIMIT_ID_CHARACTERS || has_local_id(ret, identifier.value))
            continue;
        ret->local_ids[ret->local_id_count++] = (struct local_id){reading->facts->organisation->id, identifier.value};
    }
}

/* "NSTS01 US": the tracing status of CX.2, the reliability of PID-32, or both. */
static struct view reliability_read(struct reading *reading, struct view status)
{
    struct view code = message_value(reading->message, SEGMENT_PID, 32, 1);
    if (status.size == 0 || code.size == 0)
        return status.size > 0 ? status : code.size > 0 ? code : VIEW_NONE;
    return arena_format(reading->message->arena, "%.*s %.*s", VIEW_ARGS(status), VIEW_ARGS(code));
}

static struct view birth_date_read(struct reading *reading)
{
    char day[11];
    switch (moment_read_day(message_value(reading->message, SEGMENT_PID, 7, 1), day)) {
    case MOMENT_READ:
        return arena_copy(reading->message->arena, view_of_text(day));
    case MOMENT_BAD:
        reading_note(reading, "bad-time", "the day of birth cannot be read: it must be as in 19500201", "PID-7");
        break;
    case MOMENT_NOT_SAID:
        break;
    }
    return VIEW_NONE;
}

/* PD1-3 is an organisation: its code in XON.3 or XON.10. PD1-4 is a doctor, in some feeds the practice: told apart by
 * its shape. */
static struct view practice_read(struct reading *reading)
{
    static const struct {
        unsigned field, component;
        bool (*is)(struct view text);
    } places[] = {
        {3, 3, text_is_ods_code},      {3, 10, text_is_ods_code},     {3, 1, text_is_practice_code},
        {4, 1, text_is_practice_code}, {4, 3, text_is_practice_code}, {4, 14, text_is_practice_code},
    };
    for (size_t i = 0; i < sizeof places / sizeof places[0]; i++) {
        struct view code = message_value(reading->message, SEGMENT_PD1, places[i].field, places[i].component);
        if (code.size > 0 && places[i].is(code))
            return code;
    }
    return VIEW_NONE;
}

/* Decides what the number found is worth. */
static enum result number_judge(struct reading *reading, struct number_found found, struct patient *ret,
                                struct refusal *ret_refusal)
{
    if (found.trusted[0] != '\0' && !found.differs) {
        ret->nhs_number = arena_copy(reading->message->arena, view_make(found.trusted, 10));
        return OK;
    }
    struct view untrusted = found.differs ? found.as_sent : found.untrusted;
    if (untrusted.data == NULL) {
        if (ret->local_id_count == 0)
            return refusal_set(ret_refusal, "PID-3", "101",
                               "PID-3 has neither an NHS number nor a local number of the sender's");
        reading_note(reading, "missing-nhs-number", "the message names its patient by a local number only", "PID-3");
        return OK;
    }
    const char *why = found.differs ? "PID-3 has two different NHS numbers"
                                    : "the NHS number is not ten digits with a right check digit";
    if (reading->facts->organisation->reject_untrusted)
        return refusal_set(ret_refusal, "PID-3", "102", why);
    if (ret->local_id_count == 0)
        return refusal_set(ret_refusal, "PID-3", "101",
                           "PID-3 has no NHS number that can be trusted, and no local number of the sender's");
    reading_note(reading, "untrusted-nhs-number", why, "PID-3");
    ret->untrusted_nhs_number = untrusted;
    return OK;
}

enum result pid_read(struct reading *reading, struct patient *ret, struct refusal *ret_refusal)
{
    struct message *message = reading->message;
    struct patient patient = {.local_ids = arena_take(message->arena, LIMIT_LOCAL_IDS * sizeof *patient.local_ids)};
    local_ids_read(reading, 3, &patient);
    if (patient.local_id_count == 0)
        local_ids_read(reading, 2, &patient); /* where older senders have their own number */
    struct number_found found = number_find(reading);
    enum result result = number_judge(reading, found, &patient, ret_refusal);
    if (result != OK)
        return result;
    struct person_name name =
        person_name_read(message, field_repetition(message, message_field(message, SEGMENT_PID, 5), 1));
    patient.family_name = name.family;
    patient.given_name = name.given;
    patient.birth_date = birth_date_read(reading);
    patient.practice = practice_read(reading);
    patient.reliability = reliability_read(reading, found.status);
    *ret = patient;
    return OK;
}
