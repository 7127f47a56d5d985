/*
 * Who has to be told of a message: the simulator's own count, read from the bytes that it sends and from who is
 * registered. It knows the rules as the domain tells them, and nothing of how the broker keeps them.
 */
#pragma once

#include "broker/base/result.h"
#include "broker/base/time.h"
#include "producers/simulator/person.h"

enum { EXPECTED_MOST = 2 * SUBSCRIBER_KINDS }; /* a discharge and a death, to each */

/* One alert. key: all that makes it this one, hashed: to whom, kind, type, visit or plan, time, NHS number. */
struct expected_alert {
    int subscriber;
    enum subscriber_kind kind;
    uint64_t key;
};

/* What stands of a patient's present visit. */
struct standing {
    uint64_t visit; /* its hash; 0: none yet */
    bool arrived, admitted, discharged, died;
};

struct told_things {
    int subscriber;
    struct view kind, type; /* "new", "encounter-admitted-1" */
    struct view about;      /* the visit, or the plan's id */
    struct view nhs_number;
    int64_t time_ms;
};
uint64_t expectation_key(const struct told_things *things);

/* The alerts of an ADT message, and what stands then. Returns how many. */
size_t expectation_of_adt(struct view message, const struct person *person, const struct time_zone *zone,
                          struct standing *standing, struct expected_alert ret[EXPECTED_MOST]);
/* Of a care plan change, which the sender itself is not told of. */
size_t expectation_of_care_plan(struct view event, const struct person *person,
                                struct expected_alert ret[EXPECTED_MOST]);
