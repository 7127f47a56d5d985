/* Care plan changes as CloudEvents. */
#pragma once

#include "broker/base/buffer.h"
#include "producers/simulator/person.h"

struct care_plan_change {
    const char *id;
    int64_t time_ms;
    const struct person *person;
    int publisher; /* the subscriber that sends it: a practice or a community team */
    unsigned what; /* which of the plans, and what became of it */
};

/* "urn:simulated:A81001": what the organisation may send as. */
void care_plan_source(const char *ods, struct buffer *to);
/* Appends one event, structured mode. */
void care_plan_write(const struct care_plan_change *change, struct buffer *to);
