/*
 * Two sequences of tellings, compared as they come: those that the events give, and those that stand in the alerts.
 * Both are in order within (alerts partition, source partition). What waits for its other half is kept: little where
 * both are read at one pace.
 */
#pragma once

#include "broker/event/care_event.h"
#include "broker/base/result.h"

struct tellings;
struct tellings *tellings_create(int32_t alerts_partitions, int32_t events_partitions);
void tellings_destroy(struct tellings *tellings);

/* The events give a telling into this partition of the alerts. REJECTED: another one stands there, or none where it
 * should. */
enum result tellings_expect(struct tellings *tellings, int32_t partition, const struct cause *cause,
                            const uint8_t content[HASH_SIZE], struct error *err);
/* One stands in the alerts, behind the watermark. REJECTED: as above. */
enum result tellings_find(struct tellings *tellings, int32_t partition, int64_t offset, const struct cause *cause,
                          const uint8_t content[HASH_SIZE], struct error *err);
/* Was the cause seen before in this partition (design, section 3, item 4)? Then the record is dropped by every reader.
 * Moves the watermark. */
bool tellings_is_duplicate(struct tellings *tellings, int32_t partition, const struct cause *cause);

/*
 * At the end of both. settled: by source partition, the offset before which matching is known to have told everything.
 * REJECTED: a telling has no other half, and it is not only that matching has not come so far. *ret_untold: how many it
 * has still to tell.
 */
enum result tellings_end(const struct tellings *tellings, const int64_t *settled, int64_t *ret_untold,
                         struct error *err);
