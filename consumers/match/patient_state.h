/* What matching remembers of one patient: who looks after them, what was applied, which spells there are and who was told of what.
 * Sealed in match's own store (schemas/patient-state.avsc). */
#pragma once

#include "broker/event/telling.h"

struct live_registration {
    struct view id, subscriber, role;
    int64_t from_ms, until_ms; /* until 0: no end */
};

/* A subscriber who was told of a fact. */
struct told_subscriber {
    struct view subscriber;
};

/* A fact that was applied: an event of a spell (or a care plan), and whether it still stands. */
struct fact {
    uint8_t id[EVENT_ID_SIZE];
    struct view type;
    struct view spell;        /* publisher + spell: which stay; empty: none */
    struct view message;      /* source and message id: what `cancels` names */
    bool standing;            /* false: taken back */
    int64_t happened_at_ms;
    int32_t cause_partition;
    int64_t cause_offset;
    int32_t cause_index;      /* of the first of its tellings; the others follow in order */
    int32_t place;
    struct told_subscriber *told;
    size_t told_count;
    struct because *because;  /* flattened reasons are in the tellings, not here */
    size_t because_count;
};

struct applied_identity {
    uint8_t id[EVENT_ID_SIZE];
    int64_t recorded_at_ms;
};

struct patient_state {
    struct live_registration *registrations;
    size_t registration_count;
    struct fact *facts;
    size_t fact_count;
    struct applied_identity *applied;
    size_t applied_count;
};
