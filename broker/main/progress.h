/* How far long work is, on a terminal: count, rate, time left. Nothing where stderr is not one. */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct progress {
    const char *what; /* "messages" */
    int64_t total;    /* 0: not known */
    bool shown, on;
    int64_t started_ms, last_ms;
};

struct progress progress_start(const char *what, int64_t total);
void progress_show(struct progress *progress, int64_t done);
void progress_end(struct progress *progress); /* leaves the line empty */
