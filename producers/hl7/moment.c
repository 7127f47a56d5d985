/* HL7 times, read and written. */
#include "producers/hl7/moment.h"

#include <stdio.h>

enum { YEAR_DIGITS = 4, FULL_DIGITS = 14, OFFSET_DIGITS = 4, FURTHEST_OFFSET_HOURS = 14 };

static int number(const char *at, size_t digits)
{
    int value = 0;
    for (size_t i = 0; i < digits; i++)
        value = value * 10 + (at[i] - '0');
    return value;
}

static size_t count_digits(struct view text)
{
    const char *at = text.data;
    size_t count = 0;
    while (count < text.size && at[count] >= '0' && at[count] <= '9')
        count++;
    return count;
}

/* ".S+" at the front of text, cut to milliseconds. False: a point without digits. */
static bool fraction_read(struct view *text, int *ret_millisecond)
{
    if (text->size == 0 || *(const char *)text->data != '.')
        return true;
    struct view digits = view_after(*text, 1);
    size_t count = count_digits(digits);
    const char *at = digits.data;
    int value = 0;
    for (size_t i = 0; i < 3; i++)
        value = value * 10 + (i < count ? at[i] - '0' : 0);
    *ret_millisecond = value;
    *text = view_after(digits, count);
    return count > 0;
}

/* The whole of text is an offset. */
static bool offset_read(struct view text, int64_t *ret_ms)
{
    const char *at = text.data;
    if (text.size != 1 + OFFSET_DIGITS || (at[0] != '+' && at[0] != '-') ||
        count_digits(view_after(text, 1)) != OFFSET_DIGITS)
        return false;
    int hours = number(at + 1, 2), minutes = number(at + 3, 2);
    if (hours > FURTHEST_OFFSET_HOURS || minutes > 59)
        return false;
    *ret_ms = (int64_t)(hours * 60 + minutes) * 60 * 1000 * (at[0] == '-' ? -1 : 1);
    return true;
}

/* Digits alone, in pairs after the year. ret_count: how many were said. */
static bool fields_read(struct view *text, struct time_fields *ret, size_t *ret_count)
{
    const char *at = text->data;
    size_t count = count_digits(*text);
    if (count < YEAR_DIGITS || count > FULL_DIGITS || count % 2 != 0)
        return false;
    *ret = (struct time_fields){.year = number(at, YEAR_DIGITS), .month = 1, .day = 1};
    int *const pairs[] = {&ret->month, &ret->day, &ret->hour, &ret->minute, &ret->second};
    for (size_t i = 0; i * 2 + YEAR_DIGITS < count; i++)
        *pairs[i] = number(at + YEAR_DIGITS + i * 2, 2);
    *text = view_after(*text, count);
    *ret_count = count;
    return time_fields_are_valid(ret);
}

static bool is_said(struct view text)
{
    return text.size > 0 && !view_is_text(text, "\"\"");
}

enum moment_reading moment_read(struct view text, const struct time_zone *zone, int64_t *ret_ms)
{
    struct time_fields fields;
    size_t count;
    int64_t offset_ms;
    if (!is_said(text))
        return MOMENT_NOT_SAID;
    if (!fields_read(&text, &fields, &count))
        return MOMENT_BAD;
    if (count == FULL_DIGITS && !fraction_read(&text, &fields.millisecond))
        return MOMENT_BAD;
    if (text.size == 0) {
        *ret_ms = time_from_local(zone, &fields);
        return MOMENT_READ;
    }
    if (!offset_read(text, &offset_ms))
        return MOMENT_BAD;
    *ret_ms = time_from_fields_utc(&fields) - offset_ms;
    return MOMENT_READ;
}

enum moment_reading moment_read_day(struct view text, char ret[11])
{
    struct time_fields fields;
    size_t count;
    if (!is_said(text))
        return MOMENT_NOT_SAID;
    if (!fields_read(&text, &fields, &count))
        return MOMENT_BAD;
    if (count < 8)
        return MOMENT_NOT_SAID;
    (void)snprintf(ret, 11, "%04u-%02u-%02u", (unsigned)fields.year % 10000, (unsigned)fields.month % 100,
                   (unsigned)fields.day % 100);
    return MOMENT_READ;
}

struct view moment_write(int64_t ms, char *ret)
{
    struct time_fields f = time_to_fields_utc(ms);
    int size = snprintf(ret, MOMENT_TEXT_SIZE, "%04u%02u%02u%02u%02u%02u+0000", (unsigned)f.year % 10000,
                        (unsigned)f.month % 100, (unsigned)f.day % 100, (unsigned)f.hour % 100,
                        (unsigned)f.minute % 100, (unsigned)f.second % 100);
    return view_make(ret, (size_t)size);
}
