/* What matching remembers of one patient: who looks after them, what was applied, which facts stand and who was told of
 * them. Sealed in match's own store, never in a topic. Schema: schemas/patient-state.avsc. Views as in care_event.h. */
#pragma once

#include "broker/event/telling.h"

struct known_registration {
    int32_t number; /* 1, 2, 3 ... within this patient: what `told` refers to */
    struct view id; /* without the patientRef it begins with */
    struct view subscriber, role;
    int64_t from_ms, until_ms; /* compared with recordedAt; until 0: no end */
};

/* One registration because of which a subscriber was told, and the place of that telling among the record's outputs. */
struct told {
    int32_t registration;
    int32_t index;
};

/* An event that said something new: an admission, a transfer, a changed care plan. */
struct fact {
    uint8_t id[EVENT_ID_SIZE];
    struct view type;
    struct view spell; /* publisher, a slash, the spell; empty: belongs to no stay */
    bool standing;     /* false: taken back */
    int64_t happened_at_ms;
    int32_t cause_partition; /* where the event stands in the log: with told.index the cause of each telling */
    int64_t cause_offset;
    struct told *told;
    size_t told_count;
};

struct applied_identity {
    uint8_t id[EVENT_ID_SIZE];
    uint64_t content; /* the first 8 bytes of the message's content hash */
    int64_t recorded_at_ms;
};

struct patient_state {
    struct known_registration *registrations;
    size_t registration_count;
    struct fact *facts; /* oldest first */
    size_t fact_count;
    struct applied_identity *applied; /* oldest first */
    size_t applied_count;
};
