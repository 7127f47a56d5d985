/* Buckets by the number's highest bit and the four after it. */
#include "producers/simulator/latency.h"

static int bucket_of(int64_t us)
{
    if (us < LATENCY_STEPS)
        return us < 0 ? 0 : (int)us;
    int high = 63 - __builtin_clzll((unsigned long long)us); /* at least 4 */
    int bucket = (high - 3) * LATENCY_STEPS + (int)(us >> (high - 4) & (LATENCY_STEPS - 1));
    return bucket < LATENCY_BUCKETS ? bucket : LATENCY_BUCKETS - 1;
}

/* The middle of a bucket. */
static double bucket_us(int bucket)
{
    if (bucket < LATENCY_STEPS)
        return bucket;
    int high = bucket / LATENCY_STEPS + 3;
    double step = (double)(1ULL << (high - 4));
    return ((double)(LATENCY_STEPS + bucket % LATENCY_STEPS) + 0.5) * step;
}

void latency_add(struct latency *latency, int64_t us)
{
    latency->counts[bucket_of(us)]++;
    latency->all++;
}

double latency_quantile_ms(const struct latency *latency, double p)
{
    double wanted = p * (double)latency->all, passed = 0;
    for (int i = 0; i < LATENCY_BUCKETS && latency->all > 0; i++) {
        passed += (double)latency->counts[i];
        if (latency->counts[i] > 0 && passed >= wanted)
            return bucket_us(i) / 1000.0;
    }
    return 0;
}
