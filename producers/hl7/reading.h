/*
 * What a message is read with: the facts of its publisher, the clock as the door saw it, and what the reader notes down
 * for people on the way. Nothing here or in pid.c, pv1.c, adt.c looks at a clock, a directory or a log.
 */
#pragma once

#include "broker/base/time.h"
#include "broker/event/directory_entry.h"
#include "producers/hl7/message.h"
#include "producers/hl7/moment.h"

struct publisher_facts {
    const struct organisation *organisation; /* who sent it */
    const struct time_zone *zone;
    int64_t now_ms;
    /* Is this the ODS code (or a site, or a name) of another organisation that we know? NULL: none is known. */
    bool (*is_another)(const void *context, struct view code);
    const void *context;
};

enum { READING_ITEMS = 12 }; /* more than a message can give: a few times, one number, one item for characters */

struct reading {
    struct message *message;
    const struct publisher_facts *facts;
    struct view source, id; /* MSH-3 and MSH-10, as text */
    struct work_item items[READING_ITEMS];
    size_t item_count;
};

/* For the work list. kind, why and at are ours, and live for ever. The same kind at the same place is noted once. */
void reading_note(struct reading *reading, const char *kind, const char *why, const char *at);
/* A work item of a message that is refused. organisation: "" where it is not known. */
struct work_item refusal_item(const struct refusal *refusal, struct view organisation, struct view source,
                              struct view id, int64_t now_ms);
/* A time field, read in the publisher's zone; BAD is noted down for the work list. at: "PV1-44". */
enum moment_reading adt_reading_time(struct reading *reading, enum segment segment, unsigned field, const char *at,
                                     int64_t *ret_ms);
