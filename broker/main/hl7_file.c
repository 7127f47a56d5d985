/* HL7 v2 messages in a file, and what their acknowledgements say. */
#include "broker/main/hl7_file.h"

enum { START_BLOCK = 0x0B, END_BLOCK = 0x1C };

static bool is_break(uint8_t byte)
{
    return byte == '\r' || byte == '\n' || byte == START_BLOCK || byte == END_BLOCK;
}

/* The line at *at, which moves past it. */
static struct view line_take(struct view text, size_t *at)
{
    const uint8_t *bytes = text.data;
    while (*at < text.size && is_break(bytes[*at]))
        (*at)++;
    size_t start = *at;
    while (*at < text.size && !is_break(bytes[*at]))
        (*at)++;
    return view_make(bytes + start, *at - start);
}

static bool is_envelope(struct view line)
{
    return view_starts_with(line, VIEW("FHS")) || view_starts_with(line, VIEW("BHS")) ||
           view_starts_with(line, VIEW("BTS")) || view_starts_with(line, VIEW("FTS"));
}

bool hl7_file_is(struct view text)
{
    size_t at = 0;
    if (view_starts_with(text, VIEW("\xEF\xBB\xBF")))
        at = 3;
    struct view line = line_take(text, &at);
    return view_starts_with(line, VIEW("MSH")) || is_envelope(line);
}

bool hl7_file_next(struct view text, size_t *at, struct buffer *ret)
{
    buffer_clear(ret);
    if (*at == 0 && view_starts_with(text, VIEW("\xEF\xBB\xBF")))
        *at = 3;
    while (*at < text.size) {
        size_t before = *at;
        struct view line = line_take(text, at);
        bool starts = view_starts_with(line, VIEW("MSH"));
        if (starts && ret->size > 0) {
            *at = before;
            break;
        }
        if (line.size == 0 || is_envelope(line) || (!starts && ret->size == 0))
            continue;
        buffer_add_view(ret, line);
        buffer_add_byte(ret, '\r');
    }
    return ret->size > 0;
}

static struct view segment_find(struct view message, const char *name)
{
    size_t at = 0;
    while (at < message.size) {
        struct view line = line_take(message, &at);
        if (line.size > 3 && memcmp(line.data, name, 3) == 0)
            return line;
    }
    return VIEW_NONE;
}

/* The place-th part of text, from 0, between separators. */
static struct view part(struct view text, char separator, unsigned place)
{
    while (text.size > 0) {
        const char *end = memchr(text.data, separator, text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - (const char *)text.data);
        if (place-- == 0)
            return view_make(text.data, size);
        if (end == NULL)
            break;
        text = view_after(text, size + 1);
    }
    return VIEW("");
}

static char separator_at(struct view message, size_t place, char otherwise)
{
    return message.size > place && view_starts_with(message, VIEW("MSH")) ? ((const char *)message.data)[place]
                                                                          : otherwise;
}

struct view hl7_field(struct view message, const char *segment, unsigned field)
{
    struct view line = segment_find(message, segment);
    bool is_header = strcmp(segment, "MSH") == 0; /* whose first field is the separator itself */
    return part(line, separator_at(message, 3, '|'), is_header ? field - 1 : field);
}

struct view hl7_component(struct view message, struct view field, unsigned component)
{
    return part(field, separator_at(message, 4, '^'), component - 1);
}

bool hl7_verdict_of(struct view acknowledgement, enum hl7_verdict *ret)
{
    struct view code = hl7_field(acknowledgement, "MSA", 1);
    if (code.size != 2)
        return false;
    switch (((const char *)code.data)[1]) {
    case 'A':
        *ret = HL7_ACCEPTED;
        return true;
    case 'E':
        *ret = HL7_LATER;
        return true;
    case 'R':
        *ret = HL7_NEVER;
        return true;
    default:
        return false;
    }
}

static int is_wanted(struct view condition, enum hl7_verdict verdict)
{
    if (condition.size == 0 || view_is_text(condition, "NE"))
        return 0;
    if (view_is_text(condition, "ER"))
        return verdict != HL7_ACCEPTED;
    return view_is_text(condition, "SU") ? verdict == HL7_ACCEPTED : 1;
}

int hl7_answers_wanted(struct view message, enum hl7_verdict verdict)
{
    struct view accept = hl7_field(message, "MSH", 15), application = hl7_field(message, "MSH", 16);
    if (accept.size == 0 && application.size == 0)
        return 1;
    return is_wanted(accept, verdict) + is_wanted(application, verdict);
}

void hl7_reason_add(struct view acknowledgement, struct buffer *to)
{
    struct view location = hl7_field(acknowledgement, "ERR", 2), code = hl7_field(acknowledgement, "ERR", 3);
    struct view text = hl7_field(acknowledgement, "ERR", 8);
    struct view segment = hl7_component(acknowledgement, location, 1);
    struct view field = hl7_component(acknowledgement, location, 3);
    buffer_add_view(to, hl7_field(acknowledgement, "MSA", 1));
    if (code.size > 0)
        buffer_add_format(to, " %.*s %.*s", VIEW_ARGS(hl7_component(acknowledgement, code, 1)),
                          VIEW_ARGS(hl7_component(acknowledgement, code, 2)));
    if (segment.size > 0)
        buffer_add_format(to, " at %.*s%s%.*s", VIEW_ARGS(segment), field.size == 0 ? "" : "-", VIEW_ARGS(field));
    if (text.size > 0)
        buffer_add_format(to, ": %.*s", VIEW_ARGS(text));
}
