/* A pause before the next attempt: it grows to two seconds, with jitter, and ends at once when a flag is raised. */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>

struct pause {
    int attempts; /* 0: the next pause is the shortest */
};

void pause_wait(struct pause *pause, const atomic_bool *raised);
/* Waits so long, or until the flag is raised. */
void pause_ms(int ms, const atomic_bool *raised);
