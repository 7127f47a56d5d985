/* Reads times, dates, booleans and lists of texts. */
#include "broker/codec/json_reading.h"

#include "broker/base/time.h"

#include <stdio.h>

int64_t reading_time(const struct reading *reading, const char *name, enum need need)
{
    struct view text = reading_text(reading, name, need, 64);
    int64_t ms = 0;
    if (text.data == NULL)
        return 0;
    if (!time_from_rfc3339(text, &ms))
        reading_problem(reading, name, "is not an RFC 3339 time with an offset, like 2026-11-23T10:15:30.000Z");
    else if (ms == 0)
        reading_problem(reading, name, "is the start of 1970: a clock that was not set");
    return ms;
}

struct view reading_date(const struct reading *reading, const char *name)
{
    struct view text = reading_text(reading, name, OPTIONAL, 64);
    char at_midnight[32];
    int64_t ms;
    if (text.data == NULL)
        return text;
    (void)snprintf(at_midnight, sizeof at_midnight, "%.*sT00:00:00Z", text.size == 10 ? 10 : 0,
                   (const char *)text.data);
    if (time_from_rfc3339(view_of_text(at_midnight), &ms))
        return text;
    reading_problem(reading, name, "is not a date, like 1950-02-01");
    return VIEW_NONE;
}

bool reading_bool(const struct reading *reading, const char *name, bool otherwise)
{
    const json_t *value = reading_member(reading, name, OPTIONAL);
    if (value == NULL)
        return otherwise;
    if (!json_is_boolean(value))
        reading_problem(reading, name, "is neither true nor false");
    return json_is_true(value);
}

size_t reading_texts(const struct reading *reading, const char *name, enum need need, size_t most, size_t limit,
                     const char *(*check)(struct view text), struct view **ret)
{
    const json_t *value = reading_member(reading, name, need);
    size_t count = json_array_size(value);
    if (value == NULL)
        return 0;
    if (!json_is_array(value) || count == 0 || count > most) {
        reading_problem(reading, name, "is not a list of 1 to %zu texts", most);
        return 0;
    }
    struct reading list = {.arena = reading->arena, .problems = reading->problems};
    reading_join(list.at, reading->at, name);
    struct view *texts = arena_take(reading->arena, count * sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        char position[24];
        (void)snprintf(position, sizeof position, "%zu", i);
        texts[i] = reading_text_of(&list, position, json_array_get(value, i), limit);
        const char *why = texts[i].data == NULL || check == NULL ? NULL : check(texts[i]);
        if (why != NULL)
            reading_problem(&list, position, "%s", why);
    }
    *ret = texts;
    return count;
}
