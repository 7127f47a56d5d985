/* Positions in JSON text: depth, members, elements. */
#include "broker/codec/json_scan.h"

bool json_nests_within(struct view text, int limit)
{
    const char *at = text.data;
    int depth = 0;
    bool in_text = false;
    for (size_t i = 0; i < text.size; i++) {
        if (in_text) {
            if (at[i] == '\\')
                i++;
            else if (at[i] == '"')
                in_text = false;
        } else if (at[i] == '"') {
            in_text = true;
        } else if (at[i] == '{' || at[i] == '[') {
            if (++depth > limit)
                return false;
        } else if (at[i] == '}' || at[i] == ']') {
            depth--;
        }
    }
    return true;
}

static size_t after_space(struct view text, size_t i)
{
    const char *at = text.data;
    while (i < text.size && (at[i] == ' ' || at[i] == '\t' || at[i] == '\n' || at[i] == '\r'))
        i++;
    return i;
}

static size_t after_text(struct view text, size_t i)
{
    const char *at = text.data;
    for (i++; i < text.size && at[i] != '"'; i++)
        if (at[i] == '\\')
            i++;
    return i < text.size ? i + 1 : text.size;
}

/* One value that starts at i: up to the comma or bracket that is not its own. */
static size_t after_value(struct view text, size_t i)
{
    const char *at = text.data;
    int depth = 0;
    while (i < text.size) {
        if (at[i] == '"') {
            i = after_text(text, i);
            continue;
        }
        if (depth == 0 && (at[i] == ',' || at[i] == '}' || at[i] == ']'))
            break;
        if (at[i] == '{' || at[i] == '[')
            depth++;
        else if (at[i] == '}' || at[i] == ']')
            depth--;
        i++;
    }
    return i;
}

static struct view trimmed(struct view text, size_t from, size_t to)
{
    const char *at = text.data;
    while (to > from && (at[to - 1] == ' ' || at[to - 1] == '\t' || at[to - 1] == '\n' || at[to - 1] == '\r'))
        to--;
    return view_make(at + from, to - from);
}

struct view json_member_as_sent(struct view text, const char *name)
{
    const char *at = text.data;
    size_t i = after_space(text, 0);
    if (i == text.size || at[i] != '{')
        return VIEW_NONE;
    for (i = after_space(text, i + 1); i < text.size && at[i] == '"'; i = after_space(text, i + 1)) {
        size_t name_end = after_text(text, i);
        struct view found = trimmed(text, i + 1, name_end - 1);
        size_t value = after_space(text, after_space(text, name_end) + 1); /* past the colon */
        size_t end = after_value(text, value);
        if (view_is_text(found, name))
            return trimmed(text, value, end);
        i = end;
    }
    return VIEW_NONE;
}

bool json_element_as_sent(struct view text, size_t *at, struct view *ret)
{
    const char *byte = text.data;
    size_t i = *at == 0 ? after_space(text, 0) : *at;
    if (i >= text.size || byte[i] == ']')
        return false;
    i = after_space(text, i + 1); /* past the bracket, or the comma */
    if (i >= text.size || byte[i] == ']')
        return false;
    size_t end = after_value(text, i);
    *ret = trimmed(text, i, end);
    *at = end;
    return true;
}
