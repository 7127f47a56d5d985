/*
 * What an HL7 message means: a pure function of the message and its publisher's facts to care events. Admissions,
 * transfers, discharges and their cancellations give events (the table in adt.c); every other message is accepted and
 * gives none.
 */
#pragma once

#include "producers/hl7/envelope.h"

enum { ADT_EVENTS = 2 }; /* a discharge by death is a discharge, then a death */

struct adt_result {
    struct care_event events[ADT_EVENTS];
    size_t event_count; /* 0: accepted, and tells nobody anything */
};

/* The events live as long as the message and its arena. Notes for the work list are left in reading. REJECTED: refused.
 */
enum result adt_read(struct reading *reading, const struct envelope *envelope, struct adt_result *ret,
                     struct refusal *ret_refusal);
