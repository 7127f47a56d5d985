/*
 * Says from where matching is to go on when its stores and its group's offsets are gone: read from the alerts. Never
 * too far: what is told again is recognised by its cause and dropped by every reader (design, section 3, item 4).
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/log/log.h"

#include <stdatomic.h>

struct recover_options {
    struct log *log; /* owned: the embedded log of no running broker */
    bool one_stream; /* the embedded log: a telling stands only behind all that were decided before it */
    const atomic_bool *stop;
};

/* One partition of tidings.events, after recovery. */
struct recovered {
    int64_t last_told; /* the last record because of which somebody was told; -1: none */
    int64_t next;      /* where matching goes on telling; -1: from the beginning, by itself */
};

/* Sets the group's offsets. ret: *ret_count partitions, freed by the caller. REJECTED: it cannot be said, or another
 * broker runs; the reason says what to do. */
enum result recover_log(const struct recover_options *options, struct recovered **ret, int32_t *ret_count,
                        struct error *err);
