/*
 * A care event: something that happened to one patient, or to who looks after them.
 *
 * A header in clear (what routing and numbering need, so that numbers can be folded again for ever, also after erasure)
 * and a body that is sealed under the patient's key. All views are borrowed from one arena or buffer, which the maker
 * of the struct names. A view whose data is NULL is a member that is not known.
 * Schemas: schemas/event-header.avsc, schemas/event-body.avsc.
 */
#pragma once

#include "broker/base/view.h"
#include "broker/event/type.h"

enum { EVENT_ID_SIZE = 16, HASH_SIZE = 16 };

/* UUIDv8 (RFC 9562, 5.8): 48 bits of message time in ms, version, variant, 74 bits of BLAKE2b of (identity, index). */
struct event_id {
    uint8_t bytes[EVENT_ID_SIZE];
};

/* Where a record is. -1: none. */
struct log_position {
    int32_t partition;
    int64_t offset;
};

/* What made an output: the record, and the place among all that this record made fold emit (0, 1, 2 ...). */
struct cause {
    int32_t topic; /* enum topic's number */
    int32_t partition;
    int64_t offset;
    int32_t index;
};

/* How an event came in. */
enum origin { ORIGIN_HL7, ORIGIN_CLOUDEVENTS, ORIGIN_API, ORIGIN_MATCH };

/* In clear, authenticated as the additional data of the body's seal. */
struct event_header {
    struct event_id id;
    struct view type;         /* a name of type.h */
    struct view patient;      /* patientRef: the pseudonym, also the record's key */
    struct view publisher;    /* ODS code of the organisation that sent it */
    struct view organisation; /* where the encounter is; the publisher's if not said */
    enum event_class class;
    enum urgency urgency;
    enum origin origin;
    int32_t index, count;       /* which of how many events of the same message */
    int64_t recorded_at_ms;     /* when ingest took it */
    uint8_t content[HASH_SIZE]; /* keyed hash of the message's content (domain, section 2: duplicates) */
    uint64_t key_id;            /* which of the patient's data keys seals the body; 0: there is no body */
    struct view traceparent;
    bool has_cause; /* a fold emitted it */
    struct cause cause;
};

struct local_id {
    struct view assigner; /* ODS code of the organisation whose number it is */
    struct view value;
};

struct patient {
    struct view nhs_number; /* ten digits, check digit right */
    struct local_id *local_ids;
    size_t local_id_count;
    struct view family_name, given_name;
    struct view birth_date; /* YYYY-MM-DD */
    struct view practice;   /* ODS code */
    /* What the feed said of the number's reliability: PID-32, CX.2 tracing status. Kept, not judged. */
    struct view reliability;
    struct view untrusted_nhs_number; /* as sent, where the check digit is wrong */
};

struct encounter {
    struct view spell, organisation, site, ward, room, bed;
    struct view consultant_code, consultant_name;
    int64_t admitted_at_ms, discharged_at_ms; /* 0: not known */
    struct view discharge_method, discharge_destination;
    enum event_class class;
};

struct care_plan {
    struct view id, title, category, status, link;
    int64_t changed_at_ms;
};

struct document {
    struct view id, kind, title, content_type, link;
    int64_t created_at_ms;
};

struct registration {
    struct view id;            /* begins with the patientRef */
    struct view subscriber;    /* who */
    struct view role;          /* "gp", "care-home" ... (registration_role_is_known) */
    int64_t from_ms, until_ms; /* compared with recordedAt; until 0: no end */
    struct view evidence;
};

/* Sealed. A part that is not there has present false or NULL data. */
struct event_body {
    int64_t happened_at_ms;
    struct view message_source; /* MSH-3, or the CloudEvent's source: with message_id and publisher, the identity */
    struct view message_id;     /* MSH-10, or the CloudEvent's id */
    struct view trigger;        /* "A01": which HL7 trigger it was; NULL for others */
    struct patient patient;
    bool has_encounter, has_care_plan, has_document, has_registration;
    struct encounter encounter;
    struct care_plan care_plan;
    struct document document;
    struct registration registration;
    struct view cancels; /* the message id (same source) that encounter-cancelled-1 takes back; NULL: by spell */
    struct view
        cancelled_type; /* which event of the spell is taken back: "encounter-admitted-1" ...; "" : found by cancels */
    struct view state;  /* where the patient is now, where match says it: "not-admitted", "in-hospital" ... */
    int64_t died_at_ms;
    bool late;
    struct view attributes; /* a CloudEvent's dataref, versionid, filtering, as one JSON object, bytes as sent */
};

struct care_event {
    struct event_header header;
    struct event_body body;
};

/* "gp" "care-home" "community" "social-care" "mental-health" "pharmacy" "ambulance" "palliative" "hospital-team"
 * "carer" */
bool registration_role_is_known(struct view role);

/* Lower-case UUID text, 36 characters and a NUL. */
enum { EVENT_ID_TEXT_SIZE = 37 };
struct view event_id_to_text(const struct event_id *id, char *ret);
bool event_id_from_text(struct view text, struct event_id *ret);
/* The part that is the same whenever the message was sent: the id without its 48 bits of time. */
bool event_id_is_same_message(const struct event_id *a, const struct event_id *b);
/* The 48 bits of message time, in ms. */
int64_t event_id_time_ms(const struct event_id *id);

/* The same identity came with this content hash and at this message time before: is it the same message, another
 * content under the same identity, or (HL7 only) a counter that wrapped and so a new message? (domain, section 2:
 * duplicates) */
enum sameness { SAME_MESSAGE, SAME_IDENTITY_OTHER_CONTENT, NEW_MESSAGE };
enum sameness event_sameness(enum origin origin, bool content_is_same, int64_t before_ms, int64_t now_ms);
