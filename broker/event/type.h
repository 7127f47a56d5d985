/* The event types Tidings knows (domain, section 1), and how each is treated. */
#pragma once

#include "broker/base/view.h"

enum event_class { CLASS_UNKNOWN, CLASS_INPATIENT, CLASS_DAY_CASE, CLASS_EMERGENCY, CLASS_OUTPATIENT, CLASS_COMMUNITY };
/* The word in `encounter.class`; NULL for CLASS_UNKNOWN. */
const char *event_class_name(enum event_class class);
enum event_class event_class_from_name(struct view name); /* CLASS_UNKNOWN: not one of ours */

enum urgency { URGENCY_NORMAL, URGENCY_URGENT, URGENCY_ROUTINE };
const char *urgency_name(enum urgency urgency);

enum event_type {
    TYPE_UNKNOWN,
    ENCOUNTER_PREADMITTED,
    ENCOUNTER_ADMITTED,
    ENCOUNTER_ED_ARRIVED,
    ENCOUNTER_REGISTERED,
    ENCOUNTER_TRANSFERRED,
    ENCOUNTER_LEAVE_STARTED,
    ENCOUNTER_LEAVE_ENDED,
    ENCOUNTER_CLASS_CHANGED,
    ENCOUNTER_DISCHARGED,
    ENCOUNTER_CANCELLED,
    ENCOUNTER_CORRECTED,
    CARE_PLAN_CHANGED,
    DOCUMENT_AVAILABLE,
    SUMMARY_OVERDUE,
    PATIENT_UPDATED,
    PATIENT_GP_CHANGED,
    PATIENT_DIED,
    PATIENT_LINKED,
    PATIENT_MERGED,
    PATIENT_UNMERGED,
    PATIENT_FLAG_CHANGED,
    REGISTRATION_STARTED,
    REGISTRATION_ENDED,
    TRACER,
    EVENT_TYPE_COUNT,
};

enum how_published {
    PUBLISHED_BY_SENDERS, /* POST /events takes it */
    PUBLISHED_LATER,      /* known, not taken yet */
    PUBLISHED_BY_ROUTE,   /* only by a route of ours */
    PUBLISHED_BY_US,      /* derived */
};

struct event_type_facts {
    const char *name; /* "encounter-admitted-1" */
    enum how_published how;
    bool only_when_named; /* told only to a subscription that names the type in full (domain: no, off, routine) */
};

const struct event_type_facts *event_type_facts(enum event_type type);
enum event_type event_type_from_name(struct view name); /* TYPE_UNKNOWN: not one of ours */

/* Does a subscription's pattern ("encounter-*-1", or a whole name) match the name? One `*` stands for any characters.
 */
bool event_type_matches(struct view pattern, struct view name);
