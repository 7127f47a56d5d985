/* Waiting in small pieces, to see the flag. */
#include "producers/simulator/pause.h"

#include "broker/base/time.h"
#include "producers/simulator/dice.h"

#include <time.h>

enum { SHORTEST_MS = 40, LONGEST_MS = 2000, LOOK_MS = 20 };

void pause_ms(int ms, const atomic_bool *raised)
{
    int64_t until_ms = time_monotonic_ms() + ms;
    for (;;) {
        int64_t left_ms = until_ms - time_monotonic_ms();
        if (left_ms <= 0 || atomic_load(raised))
            return;
        int64_t piece_ms = left_ms < LOOK_MS ? left_ms : LOOK_MS;
        (void)nanosleep(&(struct timespec){.tv_nsec = (long)piece_ms * 1000000}, NULL);
    }
}

void pause_wait(struct pause *pause, const atomic_bool *raised)
{
    struct dice dice = dice_take((uint64_t)time_monotonic_us(), (uint64_t)(uintptr_t)pause);
    int ms = pause->attempts > 5 ? LONGEST_MS : SHORTEST_MS << pause->attempts;
    pause->attempts++;
    pause_ms(ms / 2 + (int)dice_below(&dice, (uint32_t)ms / 2 + 1), raised);
}
