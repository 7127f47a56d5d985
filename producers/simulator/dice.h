/* Chance that is the same for the same seed on every machine: SplitMix64 (Steele, Lea and Flood, 2014). */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct dice {
    uint64_t state;
};

/* Another stream of one seed has nothing to do with the first. */
struct dice dice_take(uint64_t seed, uint64_t stream);
uint64_t dice_roll(struct dice *dice);
uint32_t dice_below(struct dice *dice, uint32_t bound); /* 0 to bound - 1; bound is at least 1 */
bool dice_chance(struct dice *dice, uint32_t per_thousand);

/* One number mixed so that neighbours have nothing in common. */
uint64_t dice_mix(uint64_t number);
