/* Lines end with CR, LF or both; an empty line ends an event. */
#include "broker/client/sse.h"

void sse_destroy(struct sse *sse)
{
    buffer_destroy(&sse->line);
    buffer_destroy(&sse->id);
    buffer_destroy(&sse->event);
    buffer_destroy(&sse->data);
}

struct view sse_last_id(const struct sse *sse)
{
    return buffer_view(&sse->id);
}

static void set(struct buffer *buffer, struct view value)
{
    buffer_clear(buffer);
    buffer_add_view(buffer, value);
}

static void take_field(struct sse *sse, struct view name, struct view value)
{
    if (view_is(name, VIEW("data"))) {
        if (sse->has_data)
            buffer_add_byte(&sse->data, '\n');
        sse->has_data = true;
        buffer_add_view(&sse->data, value);
    } else if (view_is(name, VIEW("event"))) {
        set(&sse->event, value);
    } else if (view_is(name, VIEW("id"))) {
        if (value.size == 0 || memchr(value.data, '\0', value.size) == NULL)
            set(&sse->id, value);
    }
    /* `retry` is for browsers: our callers have a pause of their own. Any other name is skipped, as the standard says.
     */
}

static void take_line(struct sse *sse, struct view line)
{
    const char *colon = memchr(line.data, ':', line.size);
    if (colon == NULL) {
        take_field(sse, line, VIEW(""));
        return;
    }
    size_t before = (size_t)(colon - (const char *)line.data);
    if (before == 0)
        return; /* a comment */
    struct view value = view_after(line, before + 1);
    if (view_starts_with(value, VIEW(" ")))
        value = view_after(value, 1);
    take_field(sse, view_make(line.data, before), value);
}

/* False: the reader wants no more. */
static bool end_line(struct sse *sse, bool (*each)(void *, struct view, struct view, struct view), void *context)
{
    struct view line = buffer_view(&sse->line);
    if (!sse->began && view_starts_with(line, VIEW("\xEF\xBB\xBF")))
        line = view_after(line, 3);
    sse->began = true;
    bool go_on = true;
    if (line.size > 0) {
        take_line(sse, line);
    } else {
        struct view event = sse->event.size == 0 ? VIEW("message") : buffer_view(&sse->event);
        if (sse->has_data)
            go_on = each(context, buffer_view(&sse->id), event, buffer_view(&sse->data));
        buffer_clear(&sse->event);
        buffer_clear(&sse->data);
        sse->has_data = false;
    }
    buffer_clear(&sse->line);
    return go_on;
}

enum sse_outcome sse_feed(struct sse *sse, struct view bytes,
                          bool (*each)(void *context, struct view id, struct view event, struct view data),
                          void *context)
{
    const char *at = bytes.data;
    const char *end = at + bytes.size;
    while (at < end) {
        if (sse->after_cr && *at == '\n')
            at++;
        sse->after_cr = false;
        const char *stop = at;
        while (stop < end && *stop != '\n' && *stop != '\r')
            stop++;
        buffer_add(&sse->line, at, (size_t)(stop - at));
        if (sse->line.size + sse->data.size > LIMIT_SSE_BYTES)
            return SSE_TOO_LARGE;
        if (stop == end)
            return SSE_MORE;
        sse->after_cr = *stop == '\r';
        at = stop + 1;
        if (!end_line(sse, each, context))
            return SSE_STOPPED;
    }
    return SSE_MORE;
}
