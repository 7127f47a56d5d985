/* Reads members of JSON objects and says what is wrong with them. */
#include "broker/codec/json_reading.h"

#include "broker/codec/json_scan.h"

#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

[[gnu::format(printf, 3, 0)]] static void problem_add_list(struct problems *problems, const char *at, const char *why,
                                                           va_list arguments)
{
    if (problems == NULL || problems->count == PROBLEM_LIMIT)
        return;
    (void)snprintf(problems->list[problems->count].at, sizeof problems->list[0].at, "%s", at);
    (void)vsnprintf(problems->list[problems->count].why, sizeof problems->list[0].why, why, arguments);
    problems->count++;
}

void problem_add(struct problems *problems, const char *at, const char *why, ...)
{
    va_list arguments;
    va_start(arguments, why);
    problem_add_list(problems, at, why, arguments);
    va_end(arguments);
}

void reading_join(char ret[READING_AT], const char *before, const char *name)
{
    size_t front = strnlen(before, READING_AT - 2), room = READING_AT - 2 - front, back = strnlen(name, room);
    memcpy(ret, before, front);
    memcpy(ret + front, name, back);
    memcpy(ret + front + back, "/", 2);
}

void reading_problem(const struct reading *reading, const char *name, const char *why, ...)
{
    char at[sizeof reading->problems->list[0].at];
    va_list arguments;
    (void)snprintf(at, sizeof at, "%s%s", reading->at, name);
    va_start(arguments, why);
    problem_add_list(reading->problems, at, why, arguments);
    va_end(arguments);
}

/* jansson's own text quotes the input near the fault, which may be a patient's. */
static const char *parse_reason(enum json_error_code code)
{
    if (code == json_error_duplicate_key)
        return "says one thing twice (a duplicate member)";
    if (code == json_error_invalid_utf8)
        return "is not UTF-8";
    if (code == json_error_premature_end_of_input)
        return "ends too early";
    if (code == json_error_end_of_input_expected)
        return "goes on after its end";
    if (code == json_error_null_character || code == json_error_null_byte_in_key)
        return "has a NUL in a text";
    if (code == json_error_numeric_overflow)
        return "has a number too large to hold";
    return "is not JSON";
}

static void allocation_set(void)
{
    json_set_alloc_funcs(memory_take, free);
}

json_t *reading_parse(struct view text, const char *at, struct problems *problems)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    json_error_t error;
    (void)pthread_once(&once, allocation_set);
    if (!json_nests_within(text, LIMIT_JSON_DEPTH)) {
        problem_add(problems, at, "nests more than %d deep", LIMIT_JSON_DEPTH);
        return NULL;
    }
    json_t *value = json_loadb(text.data == NULL ? "" : text.data, text.size, JSON_REJECT_DUPLICATES, &error);
    if (value == NULL)
        problem_add(problems, at, "%s (line %d, column %d)", parse_reason(json_error_code(&error)), error.line,
                    error.column);
    return value;
}

struct reading reading_start(const json_t *value, const char *at, struct arena *arena, struct problems *problems)
{
    struct reading reading = {.arena = arena, .problems = problems};
    size_t size = strlen(at);
    (void)snprintf(reading.at, sizeof reading.at, "%s", at);
    if (json_is_object(value)) {
        reading.object = value;
    } else {
        char where[sizeof reading.at];
        (void)snprintf(where, sizeof where, "%.*s", (int)(size > 0 ? size - 1 : 0), at);
        problem_add(problems, where, "is not an object");
    }
    return reading;
}

static bool name_is_a_word(const char *name)
{
    size_t size = strnlen(name, 41);
    return size > 0 && size <= 40 && (name[0] < '0' || name[0] > '9') &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-") == size;
}

void reading_refuse_others(const struct reading *reading, const char *const *names, size_t count)
{
    json_t *object = (json_t *)reading->object;
    for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i)) {
        const char *name = json_object_iter_key(i);
        size_t known = 0;
        while (known < count && strcmp(names[known], name) != 0)
            known++;
        if (known == count)
            reading_problem(reading, name_is_a_word(name) ? name : "?", "is not known here");
    }
}

const json_t *reading_member(const struct reading *reading, const char *name, enum need need)
{
    if (reading->object == NULL)
        return NULL;
    const json_t *value = json_object_get(reading->object, name);
    if (value == NULL && need == REQUIRED)
        reading_problem(reading, name, "is required");
    if (value == NULL || !json_is_null(value))
        return value;
    reading_problem(reading, name, "is null: what is not known is left out");
    return NULL;
}

struct reading reading_object(const struct reading *reading, const char *name, enum need need)
{
    struct reading inner = {.arena = reading->arena, .problems = reading->problems};
    const json_t *value = reading_member(reading, name, need);
    reading_join(inner.at, reading->at, name);
    if (json_is_object(value))
        inner.object = value;
    else if (value != NULL)
        reading_problem(reading, name, "is not an object");
    return inner;
}

/* CloudEvents 1.0.2, type system: no control characters, no code points that are not characters. text is UTF-8. */
static const char *characters_check(struct view text, size_t limit, bool lines)
{
    const unsigned char *at = text.data, *end = at + text.size;
    size_t count = 0;
    for (; at < end; count++) {
        int more = *at >= 0xF0 ? 3 : *at >= 0xE0 ? 2 : *at >= 0xC0 ? 1 : 0;
        uint32_t code = more == 0 ? *at : *at & (0x3FU >> more);
        for (int i = 1; i <= more; i++)
            code = code << 6 | (at[i] & 0x3FU);
        at += more + 1;
        bool allowed = lines && (code == '\t' || code == '\n' || code == '\r');
        if (!allowed && (code < 0x20 || (code >= 0x7F && code <= 0x9F)))
            return "has a control character in it";
        if ((code >= 0xFDD0 && code <= 0xFDEF) || (code & 0xFFFE) == 0xFFFE)
            return "has a code point in it that is no character";
    }
    if (count == 0)
        return "is empty: what is not known is left out";
    return count > limit ? "is too long" : NULL;
}

static struct view view_of_json(const json_t *value)
{
    return view_make(json_string_value(value), json_string_length(value));
}

static struct view text_of(const struct reading *reading, const char *name, const json_t *value, size_t limit,
                           bool lines)
{
    if (!json_is_string(value)) {
        reading_problem(reading, name, "is not a text");
        return VIEW_NONE;
    }
    const char *why = characters_check(view_of_json(value), limit, lines);
    if (why != NULL) {
        reading_problem(reading, name, "%s (1 to %zu characters)", why, limit);
        return VIEW_NONE;
    }
    return arena_copy(reading->arena, view_of_json(value));
}

struct view reading_text_of(const struct reading *reading, const char *name, const json_t *value, size_t limit)
{
    return text_of(reading, name, value, limit, false);
}

struct view reading_text(const struct reading *reading, const char *name, enum need need, size_t limit)
{
    const json_t *value = reading_member(reading, name, need);
    return value == NULL ? VIEW_NONE : text_of(reading, name, value, limit, false);
}

struct view reading_prose(const struct reading *reading, const char *name, enum need need, size_t limit)
{
    const json_t *value = reading_member(reading, name, need);
    return value == NULL ? VIEW_NONE : text_of(reading, name, value, limit, true);
}

static struct view checked_text(const struct reading *reading, const char *name, enum need need, size_t limit,
                                const char *(*check)(struct view text))
{
    struct view text = reading_text(reading, name, need, limit);
    const char *why = text.data == NULL ? NULL : check(text);
    if (why == NULL)
        return text;
    reading_problem(reading, name, "%s", why);
    return VIEW_NONE;
}

const char *ods_code_check(struct view text)
{
    const char *at = text.data;
    bool right = text.size >= 3 && text.size <= LIMIT_ODS_CHARACTERS;
    for (size_t i = 0; right && i < text.size; i++)
        right = (at[i] >= 'A' && at[i] <= 'Z') || (at[i] >= '0' && at[i] <= '9');
    return right ? NULL : "is not an ODS code: 3 to 10 capital letters and digits";
}

struct view reading_ods_code(const struct reading *reading, const char *name, enum need need)
{
    return checked_text(reading, name, need, LIMIT_TEXT_CHARACTERS, ods_code_check);
}

static bool is_hex(char character)
{
    return (character >= '0' && character <= '9') || (character >= 'a' && character <= 'f') ||
           (character >= 'A' && character <= 'F');
}

/* RFC 3986, 4.1, as far as its characters go. */
const char *uri_reference_check(struct view text)
{
    static const char reason[] = "is not a URI reference";
    static const char others[] = "-._~:/?[]@!$&'()*+,;=";
    const char *at = text.data;
    bool fragment = false;
    for (size_t i = 0; i < text.size; i++) {
        char c = at[i];
        if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || strchr(others, c) != NULL)
            continue;
        if (c == '#' && !fragment)
            fragment = true;
        else if (c == '%' && i + 2 < text.size && is_hex(at[i + 1]) && is_hex(at[i + 2]))
            i += 2;
        else
            return reason;
    }
    return NULL;
}

struct view reading_uri_reference(const struct reading *reading, const char *name, enum need need, size_t limit)
{
    return checked_text(reading, name, need, limit, uri_reference_check);
}

struct view reading_dump(const json_t *value, size_t flags, size_t likely, struct arena *arena)
{
    char *text = arena_take(arena, likely + 1);
    size_t size = json_dumpb(value, text, likely, flags | JSON_ENCODE_ANY);
    if (size > likely) {
        text = arena_take(arena, size + 1);
        size = json_dumpb(value, text, size, flags | JSON_ENCODE_ANY);
    }
    return view_make(text, size);
}
