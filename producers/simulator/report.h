/* The count at the end, for people or machines, and what it says of success. */
#pragma once

#include "producers/simulator/simulate.h"
#include "producers/simulator/traffic.h"

struct report {
    const struct simulate_options *options;
    int64_t start_ms; /* what --start would be, to send the same again */
    struct traffic_counts traffic;
    struct tally_counts tally;
    struct error trouble; /* why somebody could not listen, the last time */
};

/* To stdout. */
void report_print(const struct report *report);
/* REJECTED, with a sentence, unless everybody was told everything once and in order. */
enum result report_judge(const struct report *report, struct error *err);
