/* SplitMix64. */
#include "producers/simulator/dice.h"

static const uint64_t golden = 0x9E3779B97F4A7C15U;

uint64_t dice_mix(uint64_t number)
{
    number = (number ^ (number >> 30)) * 0xBF58476D1CE4E5B9U;
    number = (number ^ (number >> 27)) * 0x94D049BB133111EBU;
    return number ^ (number >> 31);
}

struct dice dice_take(uint64_t seed, uint64_t stream)
{
    return (struct dice){dice_mix(dice_mix(seed + golden) ^ (stream * golden))};
}

uint64_t dice_roll(struct dice *dice)
{
    dice->state += golden;
    return dice_mix(dice->state);
}

uint32_t dice_below(struct dice *dice, uint32_t bound)
{
    return (uint32_t)(((dice_roll(dice) >> 32) * bound) >> 32);
}

bool dice_chance(struct dice *dice, uint32_t per_thousand)
{
    return dice_below(dice, 1000) < per_thousand;
}
