/* One decision of matching, on its way: the input, the state as it becomes, and where outputs go. */
#pragma once

#include "broker/fold/fold.h"
#include "consumers/match/state.h"

struct decision {
    const struct fold_input *input;
    struct fold_output *output;
    struct patient_state state;
    struct view spell; /* publisher, a slash, the spell; NULL data: the event belongs to no stay */
    struct arena *arena;
    struct error *err;
};

enum result news_apply(struct decision *decision); /* tell.c */
/* A hospital's transfer within a stay that was never seen implies how it began, and tells that (domain, section 2). */
enum result transfer_apply(struct decision *decision);
enum result cancellation_apply(struct decision *decision); /* retract.c */
enum result registration_apply(struct decision *decision); /* register.c */
enum result registration_end_apply(struct decision *decision);

/* The registration's whole id: within a state it is kept without the patientRef it begins with. */
struct view registration_full_id(const struct decision *decision, const struct known_registration *registration);
