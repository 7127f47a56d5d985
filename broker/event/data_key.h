/* What stands in tidings.keys: one data key, wrapped by the region's master key. Schema: schemas/data-key.avsc. */
#pragma once

#include "broker/base/view.h"

enum { WRAPPED_KEY_SIZE = 24 + 32 + 16 /* nonce, key, tag */ };

struct data_key {
    struct view owner;                 /* a patientRef, or a subscription id */
    uint64_t id;                       /* never 0 */
    uint8_t wrapped[WRAPPED_KEY_SIZE]; /* under the region's master key, bound to owner and id */
};
