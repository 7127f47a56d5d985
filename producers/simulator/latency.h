/* How long things took, as a histogram whose steps are a sixteenth of a doubling: 6 % exact, one size for ever. */
#pragma once

#include <stdint.h>

enum { LATENCY_STEPS = 16, LATENCY_BUCKETS = 48 * LATENCY_STEPS };

struct latency {
    uint64_t counts[LATENCY_BUCKETS], all;
};

void latency_add(struct latency *latency, int64_t us);
double latency_quantile_ms(const struct latency *latency, double p); /* 0 with none */
