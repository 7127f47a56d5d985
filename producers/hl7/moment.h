/* HL7 times (HL7 v2.5, 2.A.77 TS, DTM): YYYY[MM[DD[HH[MM[SS[.S+]]]]]][+-ZZZZ]. */
#pragma once

#include "broker/base/time.h"

enum moment_reading { MOMENT_NOT_SAID, MOMENT_READ, MOMENT_BAD };

/* What is left out is the earliest it can be. A time without offset is in zone; in the hour that comes twice, the
 * first. NOT_SAID: empty, or `""`. ret_ms is touched only by READ. */
enum moment_reading moment_read(struct view text, const struct time_zone *zone, int64_t *ret_ms);
/* The day alone, as YYYY-MM-DD with a NUL. NOT_SAID: also when only the year or the month is known. */
enum moment_reading moment_read_day(struct view text, char ret[11]);
/* In UTC, as YYYYMMDDHHMMSS+0000 with a NUL. */
enum { MOMENT_TEXT_SIZE = 20 };
struct view moment_write(int64_t ms, char *ret);
