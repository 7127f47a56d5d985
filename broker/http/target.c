/* Percent-decoding happens here and once, so that no two places can read one path in two ways. */
#include "broker/http/target.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <stdlib.h>

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    char lower = (char)(character | 0x20);
    return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

/* Decodes to *at and moves it on. plus_is_space: application/x-www-form-urlencoded, as browsers write queries. */
static bool decode(struct view raw, bool plus_is_space, char **at, struct view *ret)
{
    const char *from = raw.data;
    char *to = *at;
    size_t size = 0;
    for (size_t i = 0; i < raw.size; i++) {
        char character = from[i];
        if (character == '%') {
            int high = raw.size - i > 2 ? hex_digit(from[i + 1]) : -1;
            int low = raw.size - i > 2 ? hex_digit(from[i + 2]) : -1;
            if (high < 0 || low < 0)
                return false;
            character = (char)(high << 4 | low);
            i += 2;
        } else if (character == '+' && plus_is_space) {
            character = ' ';
        }
        if (character == '\0')
            return false;
        to[size++] = character;
    }
    *at += size;
    *ret = view_make(to, size);
    return bytes_are_utf8(*ret);
}

/* Splits text at the first mark; what comes after it goes to *ret_rest (NULL data: no mark). */
static struct view split(struct view text, char mark, struct view *ret_rest)
{
    const char *at = text.size == 0 ? NULL : memchr(text.data, mark, text.size);
    if (at == NULL) {
        *ret_rest = VIEW_NONE;
        return text;
    }
    size_t before = (size_t)(at - (const char *)text.data);
    *ret_rest = view_after(text, before + 1);
    return view_make(text.data, before);
}

static size_t count_parameters(struct view query)
{
    size_t count = query.data != NULL;
    for (size_t i = 0; i < query.size; i++)
        count += ((const char *)query.data)[i] == '&';
    return count;
}

static bool read_query(struct view query, char *at, struct target *target)
{
    while (query.data != NULL) {
        struct view value;
        struct view name = split(split(query, '&', &query), '=', &value);
        if (name.size == 0 && value.data == NULL)
            continue;
        struct parameter *parameter = &target->parameters[target->parameter_count++];
        if (!decode(name, true, &at, &parameter->name) || !decode(value, true, &at, &parameter->value))
            return false;
    }
    return true;
}

/* The absolute form, which servers must take too: what stands before the path is dropped. */
static struct view without_authority(struct view raw)
{
    struct view rest;
    if (view_starts_with(raw, VIEW("http://")))
        (void)split(view_after(raw, 7), '/', &rest);
    else if (view_starts_with(raw, VIEW("https://")))
        (void)split(view_after(raw, 8), '/', &rest);
    else
        return raw;
    return rest.data == NULL ? VIEW("/") : view_make((const char *)rest.data - 1, rest.size + 1);
}

bool target_read(struct view raw, struct target *ret)
{
    struct view query;
    struct view path = split(without_authority(raw), '?', &query);
    size_t most = count_parameters(query);
    if (most > LIMIT_PARAMETERS || (!view_starts_with(path, VIEW("/")) && !view_is(path, VIEW("*"))))
        return false;

    /* Decoding never makes anything longer, so one block holds it all. */
    size_t table_bytes = most * sizeof(struct parameter);
    struct target target = {.memory = memory_take(table_bytes + raw.size + 1)};
    target.parameters = target.memory;
    char *at = (char *)target.memory + table_bytes;
    if (!decode(path, false, &at, &target.path) || !read_query(query, at, &target)) {
        target_destroy(&target);
        return false;
    }
    *ret = target;
    return true;
}

void target_destroy(struct target *target)
{
    free(target->memory);
    *target = (struct target){0};
}
