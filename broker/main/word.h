/* Words that people type: the one they may have meant. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* How many letters must be put in, left out, changed or swapped with their neighbour to make one of the other. */
size_t word_distance(const char *a, const char *b);
/* Near enough to be named as what was meant? */
bool word_is_near(const char *given, const char *known);
