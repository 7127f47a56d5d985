/* Times: milliseconds since 1970-01-01T00:00:00Z, on the wire RFC 3339 in UTC with milliseconds. */
#pragma once

#include "broker/base/view.h"

enum { TIME_TEXT_SIZE = 25 }; /* "2026-11-23T10:15:30.000Z" and a NUL */

/* The system's clock. No fold calls it (design: time passes in the log). */
int64_t time_now_ms(void);
/* A clock that never goes back, for deadlines and measuring; its zero means nothing. */
int64_t time_monotonic_ms(void);
int64_t time_monotonic_us(void);

/* RFC 3339 section 5.6 with an offset or Z; a fraction of any length, cut to ms. Years 1900 to 9999. False: not one. */
bool time_from_rfc3339(struct view text, int64_t *ret_ms);
/* Writes TIME_TEXT_SIZE characters with the NUL; returns a view of the text. */
struct view time_to_rfc3339(int64_t ms, char *ret);

/* A date and time on a calendar, without a zone; month 1-12, day 1-31. */
struct time_fields {
    int year, month, day, hour, minute, second, millisecond;
};
bool time_fields_are_valid(const struct time_fields *fields); /* years 1900 to 9999, seconds to 59 */
int64_t time_from_fields_utc(const struct time_fields *fields);
struct time_fields time_to_fields_utc(int64_t ms);

/* A time zone, read once from the system's database (TZif, RFC 8536). Immutable, shared freely. */
struct time_zone;
/* name like "Europe/London": letters, digits, / _ + - only. NULL: not there. */
struct time_zone *time_zone_open(const char *name);
void time_zone_close(struct time_zone *zone);
/* Local wall clock to UTC ms; in the hour that comes twice the first, in the hour that is skipped as if it were not. */
int64_t time_from_local(const struct time_zone *zone, const struct time_fields *fields);
/* UTC to the zone's offset east of UTC, in seconds. */
int32_t time_zone_offset_s(const struct time_zone *zone, int64_t ms);
