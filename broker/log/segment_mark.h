/*
 * A mark: how far a topic's stream is known to be durable, so that opening it need not read all of it.
 *
 * The file holds two places that are written in turn, each with a number and a checksum: a half-written one leaves the
 * other. It is written after what it speaks of is durable, so it never promises too much; a stream that ends before
 * its mark has lost what was durable.
 */
#pragma once

#include "broker/base/result.h"

#include <stdbool.h>
#include <stdint.h>

/* The end of a stream, seen from inside. */
struct segment_state {
    int64_t address; /* one past the last frame */
    int64_t ordinal; /* of the next record */
    int32_t partitions;
    int64_t *partition_ends; /* of each partition: one past its last record's offset; 0: it has none */
};

struct segment_mark {
    int file; /* -1: not open */
    uint64_t number;
};

/* Opens (and makes, unless read_only) the file and reads the newest place into state, which is left alone when there is
 * none that fits. */
enum result segment_mark_open(struct segment_mark *mark, const char *folder, bool read_only,
                              struct segment_state *state, struct error *err);
void segment_mark_close(struct segment_mark *mark);
/* Best effort: an old mark only makes the next opening slower. */
void segment_mark_write(struct segment_mark *mark, const struct segment_state *state);
