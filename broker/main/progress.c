/* How far long work is, on a terminal. */
#include "broker/main/progress.h"

#include "broker/base/time.h"

#include <stdio.h>
#include <unistd.h>

enum { SHOW_MS = 200, FIRST_MS = 500 };

struct progress progress_start(const char *what, int64_t total)
{
    int64_t now_ms = time_monotonic_ms();
    return (struct progress){.what = what,
                             .total = total,
                             .on = isatty(STDERR_FILENO) == 1,
                             .started_ms = now_ms,
                             .last_ms = now_ms + FIRST_MS - SHOW_MS};
}

void progress_show(struct progress *progress, int64_t done)
{
    int64_t now_ms = time_monotonic_ms();
    if (!progress->on || now_ms - progress->last_ms < SHOW_MS)
        return;
    double seconds = (double)(now_ms - progress->started_ms) / 1000.0, rate = (double)done / seconds;
    progress->last_ms = now_ms;
    progress->shown = true;
    (void)fprintf(stderr, "\r\033[K%lld", (long long)done);
    if (progress->total > 0)
        (void)fprintf(stderr, " of %lld", (long long)progress->total);
    (void)fprintf(stderr, " %s, %.0f/s", progress->what, rate);
    if (progress->total > done && rate > 0)
        (void)fprintf(stderr, ", %.0f s left", (double)(progress->total - done) / rate);
}

void progress_end(struct progress *progress)
{
    if (progress->shown)
        (void)fprintf(stderr, "\r\033[K");
    progress->shown = false;
}
