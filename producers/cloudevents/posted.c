/* What a POST /events request holds: which of the three modes, the headers that are attributes, the events. */
#include "producers/cloudevents/inside.h"

#include <stdio.h>
#include <strings.h>

static bool name_is(const char *text, size_t size, const char *name)
{
    return size == strlen(name) && strncasecmp(text, name, size) == 0;
}

/* "; charset=utf-8", in whatever case and with quotes: JSON is in nothing else (RFC 8259, 8.1). */
static bool charset_is_utf8(struct view parameters)
{
    char text[128];
    if (parameters.size >= sizeof text)
        return false;
    (void)snprintf(text, sizeof text, "%.*s", VIEW_ARGS(parameters));
    const char *charset = strcasestr(text, "charset=");
    if (charset == NULL)
        return true;
    charset += strlen("charset=");
    charset += *charset == '"';
    return strncasecmp(charset, "utf-8", 5) == 0 && strchr("\"; \t", charset[5]) != NULL;
}

enum posted_mode posted_mode_of(struct view content_type, bool has_attributes)
{
    const char *at = content_type.data;
    size_t size = 0;
    if (content_type.size == 0) /* a well-known SDK sends none in binary mode */
        return has_attributes ? POSTED_BINARY : POSTED_UNSUPPORTED;
    while (size < content_type.size && at[size] != ';' && at[size] != ' ' && at[size] != '\t')
        size++;
    if (!charset_is_utf8(view_after(content_type, size)))
        return POSTED_UNSUPPORTED;
    if (name_is(at, size, "application/cloudevents+json"))
        return POSTED_STRUCTURED;
    if (name_is(at, size, "application/cloudevents-batch+json"))
        return POSTED_BATCH;
    if (size >= 23 && strncasecmp(at, "application/cloudevents", 23) == 0) /* another format of CloudEvents */
        return POSTED_UNSUPPORTED;
    bool json = name_is(at, size, "application/json") || name_is(at, size, "text/json") ||
                (size > 5 && strncasecmp(at + size - 5, "+json", 5) == 0);
    return json && has_attributes ? POSTED_BINARY : POSTED_UNSUPPORTED;
}

static int hex_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* RFC 9110, 5.6.4: a value that is one quoted string stands for what is in it. */
static struct view unquoted(struct view value, struct arena *arena)
{
    const char *from = value.data;
    if (value.size < 2 || from[0] != '"' || from[value.size - 1] != '"')
        return value;
    char *to = arena_take(arena, value.size);
    size_t size = 0;
    for (size_t i = 1; i < value.size - 1; i++) {
        if (from[i] == '\\' && i + 1 < value.size - 1)
            i++;
        to[size++] = from[i];
    }
    return view_make(to, size);
}

struct view posted_header_decode(struct view value, struct arena *arena)
{
    value = unquoted(value, arena);
    const char *from = value.data;
    char *to = arena_take(arena, value.size + 1);
    size_t size = 0;
    for (size_t i = 0; i < value.size; i++) {
        bool escape =
            from[i] == '%' && i + 2 < value.size && hex_value(from[i + 1]) >= 0 && hex_value(from[i + 2]) >= 0;
        if (escape) {
            to[size++] = (char)(hex_value(from[i + 1]) << 4 | hex_value(from[i + 2]));
            i += 2;
        } else {
            to[size++] = from[i];
        }
    }
    return view_make(to, size);
}

struct header_list {
    struct cloudevent_attribute *attributes; /* NULL: only counted */
    size_t count;
    struct arena *arena;
};

static void header_add(void *context, struct view name, struct view value)
{
    struct header_list *list = context;
    if (name.size <= 3 || strncasecmp(name.data, "ce-", 3) != 0)
        return;
    if (list->attributes != NULL) {
        struct view lower = arena_copy(list->arena, view_after(name, 3));
        for (char *at = (char *)lower.data; *at != '\0'; at++)
            *at = *at >= 'A' && *at <= 'Z' ? (char)(*at - 'A' + 'a') : *at;
        list->attributes[list->count] = (struct cloudevent_attribute){lower, posted_header_decode(value, list->arena)};
    }
    list->count++;
}

enum result posted_read(const struct http_request *request, struct arena *arena, struct posted *ret)
{
    struct header_list headers = {.arena = arena};
    struct view encoding = http_header(request, "Content-Encoding");
    *ret = (struct posted){.mode = POSTED_UNSUPPORTED, .body = http_body(request), .count = 1};
    http_each_header(request, header_add, &headers);
    if (http_header_count(request, "Content-Type") > 1 || (encoding.size > 0 && !view_is_text(encoding, "identity")))
        return REJECTED;
    ret->mode = posted_mode_of(http_header(request, "Content-Type"), headers.count > 0);
    if (ret->mode == POSTED_UNSUPPORTED)
        return REJECTED;
    if (ret->mode == POSTED_BATCH)
        return cloudevent_read_batch(ret->body, arena, &ret->events, &ret->count, &ret->problems);
    ret->events = arena_take(arena, sizeof *ret->events);
    if (ret->mode == POSTED_STRUCTURED)
        return cloudevent_read(ret->body, arena, ret->events, &ret->problems);
    headers.attributes = arena_take(arena, headers.count * sizeof *headers.attributes);
    headers.count = 0;
    http_each_header(request, header_add, &headers);
    ret->attributes = headers.attributes;
    ret->attribute_count = headers.count;
    return cloudevent_read_binary(headers.attributes, headers.count, ret->body, arena, ret->events, &ret->problems);
}

struct view posted_find(const struct posted *posted, size_t index, const char *name, struct arena *arena)
{
    struct view found = VIEW("");
    char path[64];
    if (posted->mode == POSTED_BINARY) {
        for (size_t i = 0; i < posted->attribute_count; i++)
            if (view_is_text(posted->attributes[i].name, name))
                found = posted->attributes[i].value;
    } else {
        if (posted->mode == POSTED_BATCH)
            (void)snprintf(path, sizeof path, "%zu/%s", index, name);
        else
            (void)snprintf(path, sizeof path, "%s", name);
        if (json_find(posted->body, path, arena, &found) != OK)
            found = VIEW("");
    }
    return found.size <= LIMIT_ID_CHARACTERS * 4 ? found : VIEW("");
}
