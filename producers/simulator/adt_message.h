/* HL7 v2.4 ADT messages as an English hospital's system writes them. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/time.h"
#include "producers/simulator/person.h"
#include "producers/simulator/stay.h"

struct adt_message {
    const char *trigger;
    const char *id;  /* MSH-10 */
    const char *tag; /* of this run: in numbers that only this run gives */
    int64_t time_ms;
    const struct person *person;
    const struct stay *stay;
};

/* Appends the message, unframed; segments end with CR. zone: the hospitals' wall clock. */
void adt_message_write(const struct adt_message *message, const struct time_zone *zone, struct buffer *to);
