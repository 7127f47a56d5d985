/* What stands in tidings.directory and tidings.quarantine: organisations, subscribers, tokens, the work list. Views as
 * in care_event.h. */
#pragma once

#include "broker/event/care_event.h"

/* Key "organisation/" + id. An organisation is a subscriber of the same id. */
struct organisation {
    struct view id; /* ODS code */
    struct view name;
    struct view kind; /* "hospital" "gp-practice" "care-home" "community" "region" */
    struct view *hl7_names, *sources, *mllp_peers, *processing_ids;
    size_t hl7_name_count, source_count, mllp_peer_count, processing_id_count;
    struct view time_zone; /* "Europe/London" by default */
    bool reject_untrusted; /* untrustedNhsNumber: "reject" */
    int64_t changed_at_ms;
};

/* Key "subscriber/" + id. */
struct subscriber {
    struct view id;
    struct view kind; /* "organisation" "team" "professional" */
    struct view organisation;
    struct view name;
    int64_t changed_at_ms;
};

enum { ROLE_OPERATOR = 1, ROLE_PUBLISHER = 2, ROLE_SUBSCRIBER = 4, ROLE_AUDITOR = 8, ROLE_METRICS = 16 };

/* Key "token/" + id. The token itself is "<id>.<secret>"; only a hash of the secret is kept. A one-time code and a
 * browser's session are tokens too, of their own kind. */
struct token {
    struct view id;
    uint8_t hash[32];
    struct view *organisations;
    size_t organisation_count;
    int32_t roles;         /* ROLE_... */
    int64_t expires_at_ms; /* 0: does not */
    struct view kind;      /* "token" "code" "session" */
    bool ended;
    int64_t made_at_ms;
    struct view parent; /* of a session: the token that it was opened with, and ends with; NULL data: none */
};

/* Something a person must look at: a message refused, a conflict, an untrusted or missing number. Key: the
 * organisation. */
struct work_item {
    struct view organisation; /* whose it is to mend; "" not known: the operator's */
    struct view kind;   /* "refused" "conflict" "untrusted-nhs-number" "missing-nhs-number" "bad-time" "bad-characters"
                           "cancels-nothing" "quarantined" */
    struct view source; /* MSH-3, or the CloudEvent's source */
    struct view message_id; /* MSH-10, or the CloudEvent's id */
    struct view why;        /* for people; no patient data */
    struct view at;         /* where in the message: "MSH-12", "/time"; may be empty */
    struct view code;       /* the ERR-3 code or HTTP status; may be empty */
    int64_t recorded_at_ms;
    int32_t source_topic, source_partition; /* a quarantined record's position; -1: none */
    int64_t source_offset;
    int32_t source_index; /* among what that record made a fold emit */
};
