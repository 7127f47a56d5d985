/* An alert as it is heard, in pull and stream alike: read for the tally. */
#pragma once

#include "producers/simulator/tally.h"

/* Fills all of ret but seen_us. tag: of this run. False: it is no alert of ours to read. */
bool heard_read(struct view alert, int subscriber, const char *tag, struct seen_alert *ret);
