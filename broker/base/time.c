/* Clocks, calendars and RFC 3339. */
#include "broker/base/time.h"

#include <stdio.h>
#include <time.h>

int64_t time_now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t time_monotonic_us(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t time_monotonic_ms(void)
{
    return time_monotonic_us() / 1000;
}

static bool year_is_leap(int year)
{
    return (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
}

bool time_fields_are_valid(const struct time_fields *f)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    if (f->year < 1900 || f->year > 9999 || f->month < 1 || f->month > 12 || f->day < 1)
        return false;
    if (f->day > days[f->month - 1] + (f->month == 2 && year_is_leap(f->year)))
        return false;
    return f->hour >= 0 && f->hour < 24 && f->minute >= 0 && f->minute < 60 && f->second >= 0 && f->second < 60 &&
           f->millisecond >= 0 && f->millisecond < 1000;
}

/* Days since 1970-01-01 by counting years from March, so that the leap day is the year's last. */
static int64_t days_from_date(int year, int month, int day)
{
    int64_t y = month <= 2 ? year - 1 : year;
    int64_t era = (y >= 0 ? y : y - 399) / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int64_t time_from_fields_utc(const struct time_fields *f)
{
    int64_t seconds = days_from_date(f->year, f->month, f->day) * 86400 + f->hour * 3600 + f->minute * 60 + f->second;
    return seconds * 1000 + f->millisecond;
}

struct time_fields time_to_fields_utc(int64_t ms)
{
    int64_t days = ms / 86400000, rest = ms % 86400000;
    if (rest < 0) {
        rest += 86400000;
        days--;
    }
    int64_t z = days + 719468;
    int64_t era = (z >= 0 ? z : z - 146096) / 146097;
    int64_t of_era = z - era * 146097;
    int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
    int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
    int64_t month = (5 * of_year + 2) / 153;
    struct time_fields f = {
        .day = (int)(of_year - (153 * month + 2) / 5 + 1),
        .month = (int)(month < 10 ? month + 3 : month - 9),
        .hour = (int)(rest / 3600000),
        .minute = (int)(rest / 60000 % 60),
        .second = (int)(rest / 1000 % 60),
        .millisecond = (int)(rest % 1000),
    };
    f.year = (int)(year + era * 400) + (f.month <= 2);
    return f;
}

static bool digits(const char *at, int count, int *ret)
{
    int number = 0;
    for (int i = 0; i < count; i++) {
        if (at[i] < '0' || at[i] > '9')
            return false;
        number = number * 10 + (at[i] - '0');
    }
    *ret = number;
    return true;
}

static bool offset_read(const char *at, size_t size, int64_t *ret_ms)
{
    int hours, minutes;
    if (size == 1 && (*at == 'Z' || *at == 'z')) {
        *ret_ms = 0;
        return true;
    }
    if (size != 6 || (*at != '+' && *at != '-') || !digits(at + 1, 2, &hours) || at[3] != ':' ||
        !digits(at + 4, 2, &minutes) || hours > 23 || minutes > 59)
        return false;
    *ret_ms = ((int64_t)hours * 60 + minutes) * (*at == '-' ? -60000 : 60000);
    return true;
}

bool time_from_rfc3339(struct view text, int64_t *ret_ms)
{
    const char *at = text.data;
    struct time_fields f = {0};
    int64_t offset;
    if (text.size < 20 || text.size > 64 || !digits(at, 4, &f.year) || at[4] != '-' || !digits(at + 5, 2, &f.month) ||
        at[7] != '-' || !digits(at + 8, 2, &f.day) || (at[10] != 'T' && at[10] != 't') ||
        !digits(at + 11, 2, &f.hour) || at[13] != ':' || !digits(at + 14, 2, &f.minute) || at[16] != ':' ||
        !digits(at + 17, 2, &f.second))
        return false;
    size_t next = 19;
    if (at[next] == '.') {
        int scale = 100;
        size_t first = ++next;
        for (; next < text.size && at[next] >= '0' && at[next] <= '9'; next++, scale /= 10)
            f.millisecond += (at[next] - '0') * scale;
        if (next == first)
            return false;
    }
    bool leap_second = f.second == 60; /* RFC 3339 allows it; it is read as the second before */
    if (leap_second)
        f.second = 59;
    if (next >= text.size || !offset_read(at + next, text.size - next, &offset) || !time_fields_are_valid(&f))
        return false;
    *ret_ms = time_from_fields_utc(&f) - offset;
    return true;
}

struct view time_to_rfc3339(int64_t ms, char *ret)
{
    struct time_fields f = time_to_fields_utc(ms);
    char text[64];
    int size = snprintf(text, sizeof text, "%04d-%02d-%02dT%02d:%02d:%02d.%03dZ", f.year, f.month, f.day, f.hour,
                        f.minute, f.second, f.millisecond);
    if (size != TIME_TEXT_SIZE - 1)
        size = snprintf(text, sizeof text, "%s", "9999-12-31T23:59:59.999Z");
    memcpy(ret, text, (size_t)size + 1);
    return view_make(ret, (size_t)size);
}
