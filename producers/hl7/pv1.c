/* The stay of a message: class, spell, place, consultant; and what a method of discharge means. */
#include "producers/hl7/pv1.h"

#include "broker/event/limits.h"
#include "producers/hl7/datatypes.h"

static const struct {
    const char *code;
    enum event_class class;
} classes[] = {
    {"I", CLASS_INPATIENT},
    {"B", CLASS_INPATIENT},
    {"D", CLASS_DAY_CASE},
    {"E", CLASS_EMERGENCY},
};

static const struct {
    const char *code;
    bool death, self_discharge;
} methods[] = {
    {"1", false, false}, /* on clinical advice */
    {"2", false, true},  /* by the patient or a relative */
    {"3", false, false}, /* by a tribunal or court */
    {"4", true, false},  /* died */
    {"5", true, false},  /* stillbirth */
    {"6", false, true},  /* by the patient */
    {"7", false, true},  /* by a relative */
};

enum event_class pv1_class(struct message *message)
{
    struct view code = message_value(message, SEGMENT_PV1, 2, 1);
    if (code.size == 0)
        return CLASS_UNKNOWN;
    for (size_t i = 0; i < sizeof classes / sizeof classes[0]; i++)
        if (view_is_text(code, classes[i].code))
            return classes[i].class;
    return CLASS_OUTPATIENT;
}

static struct view first_repetition(const struct message *message, unsigned field)
{
    return field_repetition(message, message_field(message, SEGMENT_PV1, field), 1);
}

/* Empty and `""` alike: not an identifier. */
static struct view identifier_or_none(struct view text)
{
    return text.size == 0 ? VIEW_NONE : text;
}

enum result pv1_read(struct reading *reading, struct encounter *ret, struct refusal *ret_refusal)
{
    struct message *message = reading->message;
    struct view spell = identifier_or_none(message_value(message, SEGMENT_PV1, 19, 1));
    if (spell.size > LIMIT_ID_CHARACTERS)
        return refusal_set(ret_refusal, "PV1-19", "102", "the visit number in PV1-19 is longer than 199 characters");
    struct place place = place_read(message, first_repetition(message, 3));
    struct doctor consultant = {0};
    if (!doctor_read(message, first_repetition(message, 7), &consultant) &&
        !doctor_read(message, first_repetition(message, 9), &consultant))
        consultant = (struct doctor){0};
    *ret = (struct encounter){
        .spell = spell,
        .organisation = reading->facts->organisation->id,
        .site = identifier_or_none(place.site),
        .ward = place.ward,
        .room = place.room,
        .bed = place.bed,
        .consultant_code = consultant.code,
        .consultant_name = consultant.name,
        .class = pv1_class(message),
    };
    return OK;
}

bool pv1_changes_site(struct message *message)
{
    struct view from = place_read(message, first_repetition(message, 6)).site;
    struct view to = place_read(message, first_repetition(message, 3)).site;
    return from.size > 0 && to.size > 0 && !view_is(from, to);
}

bool discharge_method_is_death(struct view method)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (view_is_text(method, methods[i].code))
            return methods[i].death;
    return false;
}

bool discharge_method_is_self_discharge(struct view method)
{
    for (size_t i = 0; i < sizeof methods / sizeof methods[0]; i++)
        if (view_is_text(method, methods[i].code))
            return methods[i].self_discharge;
    return false;
}
