/* The table of event types. */
#include "broker/event/type.h"

static const struct event_type_facts types[EVENT_TYPE_COUNT] = {
    [TYPE_UNKNOWN] = {"", PUBLISHED_BY_US, false},
    [ENCOUNTER_PREADMITTED] = {"encounter-preadmitted-1", PUBLISHED_LATER, true},
    [ENCOUNTER_ADMITTED] = {"encounter-admitted-1", PUBLISHED_BY_SENDERS, false},
    [ENCOUNTER_ED_ARRIVED] = {"encounter-ed-arrived-1", PUBLISHED_BY_SENDERS, false},
    [ENCOUNTER_REGISTERED] = {"encounter-registered-1", PUBLISHED_BY_SENDERS, true},
    [ENCOUNTER_TRANSFERRED] = {"encounter-transferred-1", PUBLISHED_BY_SENDERS, false},
    [ENCOUNTER_LEAVE_STARTED] = {"encounter-leave-started-1", PUBLISHED_LATER, false},
    [ENCOUNTER_LEAVE_ENDED] = {"encounter-leave-ended-1", PUBLISHED_LATER, false},
    [ENCOUNTER_CLASS_CHANGED] = {"encounter-class-changed-1", PUBLISHED_LATER, false},
    [ENCOUNTER_DISCHARGED] = {"encounter-discharged-1", PUBLISHED_BY_SENDERS, false},
    [ENCOUNTER_CANCELLED] = {"encounter-cancelled-1", PUBLISHED_BY_SENDERS, false},
    [ENCOUNTER_CORRECTED] = {"encounter-corrected-1", PUBLISHED_LATER, false},
    [CARE_PLAN_CHANGED] = {"care-plan-changed-1", PUBLISHED_BY_SENDERS, false},
    [DOCUMENT_AVAILABLE] = {"document-available-1", PUBLISHED_LATER, false},
    [SUMMARY_OVERDUE] = {"summary-overdue-1", PUBLISHED_BY_US, false},
    [PATIENT_UPDATED] = {"patient-updated-1", PUBLISHED_LATER, false},
    [PATIENT_GP_CHANGED] = {"patient-gp-changed-1", PUBLISHED_LATER, false},
    [PATIENT_DIED] = {"patient-died-1", PUBLISHED_BY_SENDERS, false},
    [PATIENT_LINKED] = {"patient-linked-1", PUBLISHED_LATER, false},
    [PATIENT_MERGED] = {"patient-merged-1", PUBLISHED_LATER, false},
    [PATIENT_UNMERGED] = {"patient-unmerged-1", PUBLISHED_LATER, false},
    [PATIENT_FLAG_CHANGED] = {"patient-flag-changed-1", PUBLISHED_LATER, false},
    [REGISTRATION_STARTED] = {"registration-started-1", PUBLISHED_BY_ROUTE, false},
    [REGISTRATION_ENDED] = {"registration-ended-1", PUBLISHED_BY_ROUTE, false},
    [TRACER] = {"tracer-1", PUBLISHED_LATER, false},
};

const struct event_type_facts *event_type_facts(enum event_type type)
{
    return &types[type < EVENT_TYPE_COUNT ? type : TYPE_UNKNOWN];
}

enum event_type event_type_from_name(struct view name)
{
    for (enum event_type type = TYPE_UNKNOWN + 1; type < EVENT_TYPE_COUNT; type++)
        if (view_is_text(name, types[type].name))
            return type;
    return TYPE_UNKNOWN;
}

static const char *const class_names[] = {NULL, "inpatient", "day-case", "emergency", "outpatient", "community"};

const char *event_class_name(enum event_class class)
{
    return (unsigned)class <= CLASS_COMMUNITY ? class_names[class] : NULL;
}

enum event_class event_class_from_name(struct view name)
{
    for (enum event_class class = CLASS_INPATIENT; class <= CLASS_COMMUNITY; class ++)
        if (view_is_text(name, class_names[class]))
            return class;
    return CLASS_UNKNOWN;
}

const char *urgency_name(enum urgency urgency)
{
    return urgency == URGENCY_URGENT ? "urgent" : urgency == URGENCY_ROUTINE ? "routine" : "normal";
}

bool event_type_matches(struct view pattern, struct view name)
{
    const char *star = pattern.size == 0 ? NULL : memchr(pattern.data, '*', pattern.size);
    if (star == NULL)
        return view_is(pattern, name);
    size_t before = (size_t)(star - (const char *)pattern.data), after = pattern.size - before - 1;
    return name.size >= before + after && memcmp(name.data, pattern.data, before) == 0 &&
           memcmp((const char *)name.data + name.size - after, star + 1, after) == 0;
}
