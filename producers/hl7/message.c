/* The outline of an HL7 v2 message, and its parts as views and as text. */
#include "producers/hl7/message.h"

#include "broker/event/limits.h"
#include "producers/hl7/escape.h"
#include "producers/hl7/framing.h"

const struct delimiters usual_delimiters = {'|', '^', '~', '\\', '&'};

static const char *const segment_names[SEGMENT_COUNT] = {"MSH", "EVN", "PID", "PD1", "PV1"};

/* ---- the outline ---- */

/* Printable ASCII that is neither a letter, a digit nor a space. */
static bool can_delimit(char c)
{
    bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    return c > 0x20 && c < 0x7F && !letter && c != '"';
}

static bool repeats(struct view text, char with)
{
    const char *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (at[i] == with || memchr(at + i + 1, at[i], text.size - i - 1) != NULL)
            return true;
    return false;
}

static enum result delimiters_read(struct message *message, struct refusal *ret_refusal)
{
    struct view msh = message->segments[SEGMENT_MSH];
    const char *at = msh.data;
    if (msh.size < 4 || !can_delimit(at[3]))
        return refusal_set(ret_refusal, "MSH-1", "102", "MSH-1 must be a punctuation character: the field separator");
    message->delimiters.field = at[3]; /* from here on an answer can name the message */
    struct view encoding = message_field(message, SEGMENT_MSH, 2);
    const char *with = encoding.data;
    if (encoding.size < 4 || encoding.size > 5) /* 5: version 2.7 has a truncation character */
        return refusal_set(ret_refusal, "MSH-2", "102", "MSH-2 must be four or five encoding characters, as in ^~\\&");
    for (size_t i = 0; i < encoding.size; i++)
        if (!can_delimit(with[i]))
            return refusal_set(ret_refusal, "MSH-2", "102", "MSH-2 must be punctuation characters only, as in ^~\\&");
    if (repeats(encoding, at[3]))
        return refusal_set(ret_refusal, "MSH-2", "102",
                           "the separators in MSH-1 and MSH-2 must all be different characters");
    message->delimiters = (struct delimiters){at[3], with[0], with[1], with[2], with[3]};
    return OK;
}

static size_t line_size(struct view text)
{
    const char *at = text.data;
    size_t size = 0;
    while (size < text.size && at[size] != '\r' && at[size] != '\n')
        size++;
    return size;
}

static void segment_note(struct message *message, struct view line)
{
    if (line.size < 3 || (line.size > 3 && ((const char *)line.data)[3] != message->delimiters.field))
        return;
    for (int i = 0; i < SEGMENT_COUNT; i++) {
        if (memcmp(line.data, segment_names[i], 3) != 0)
            continue;
        if (message->counts[i]++ == 0)
            message->segments[i] = line;
        return;
    }
}

/* A start block inside: the end block of the message before it was lost, and two messages run into each other. */
static bool runs_into_another(struct view bytes)
{
    return bytes.size > 4 && memmem(bytes.data, bytes.size, "\x0BMSH", 4) != NULL;
}

enum result message_parse(struct view bytes, struct arena *arena, struct message *ret, struct refusal *ret_refusal)
{
    *ret = (struct message){.bytes = bytes, .arena = arena, .delimiters = usual_delimiters};
    ret->character_set = character_set_find(VIEW_NONE);
    if (view_starts_with(bytes, VIEW("\xEF\xBB\xBF"))) /* a byte order mark, as editors write it */
        bytes = view_after(bytes, 3);
    while (bytes.size > 0 && strchr("\r\n ", *(const char *)bytes.data) != NULL && *(const char *)bytes.data != '\0')
        bytes = view_after(bytes, 1);
    if (!view_starts_with(bytes, VIEW("MSH")))
        return refusal_set(ret_refusal, "MSH", "100", "a message begins with the segment MSH");
    struct view msh = view_make(bytes.data, line_size(bytes));
    if (msh.size > FRAME_HEAD_BYTES)
        return refusal_set(ret_refusal, "MSH", "102", "the segment MSH is longer than 4096 bytes");
    ret->segments[SEGMENT_MSH] = msh;
    enum result result = delimiters_read(ret, ret_refusal);
    if (result != OK)
        return result;
    ret->character_set = character_set_find(field_repetition(ret, message_field(ret, SEGMENT_MSH, 18), 1));
    while (bytes.size > 0) {
        size_t size = line_size(bytes);
        segment_note(ret, view_make(bytes.data, size));
        bytes = view_after(bytes, size < bytes.size ? size + 1 : size);
    }
    if (ret->counts[SEGMENT_MSH] > 1 || runs_into_another(ret->bytes))
        return refusal_set(ret_refusal, "MSH", "100", "MSH stands twice: the end of the first message is missing");
    return OK;
}

/* ---- parts ---- */

/* Part n (from 1) of text cut by separator. */
static struct view part(struct view text, char separator, unsigned n)
{
    while (text.data != NULL) {
        const char *end = text.size == 0 ? NULL : memchr(text.data, separator, text.size);
        size_t size = end == NULL ? text.size : (size_t)(end - (const char *)text.data);
        if (n == 1)
            return view_make(text.data, size);
        if (end == NULL)
            break;
        text = view_after(text, size + 1);
        n--;
    }
    return VIEW_NONE;
}

struct view message_field(const struct message *message, enum segment segment, unsigned n)
{
    struct view text = message->segments[segment];
    if (text.data == NULL || n == 0)
        return VIEW_NONE;
    if (segment == SEGMENT_MSH && n == 1)
        return text.size > 3 ? view_make((const char *)text.data + 3, 1) : VIEW_NONE;
    return part(text, message->delimiters.field, segment == SEGMENT_MSH ? n : n + 1);
}

struct view field_repetition(const struct message *message, struct view field, unsigned n)
{
    return part(field, message->delimiters.repetition, n);
}

struct view repetition_component(const struct message *message, struct view repetition, unsigned n)
{
    return part(repetition, message->delimiters.component, n);
}

struct view component_subcomponent(const struct message *message, struct view component, unsigned n)
{
    return part(component, message->delimiters.subcomponent, n);
}

bool part_is_deleted(struct view text)
{
    return view_is_text(text, "\"\"");
}

/* ---- text ---- */

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n';
}

static struct view trim(struct view text)
{
    while (text.size > 0 && is_blank(*(const char *)text.data))
        text = view_after(text, 1);
    while (text.size > 0 && is_blank(((const char *)text.data)[text.size - 1]))
        text.size--;
    return text;
}

static bool is_ascii(struct view text)
{
    const uint8_t *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        if (at[i] >= 0x80)
            return false;
    return true;
}

/* Cut to the limit at the end of a character: limits count characters, and what follows is UTF-8. */
static struct view cut(struct view text)
{
    const uint8_t *at = text.data;
    size_t characters = 0;
    for (size_t i = 0; i < text.size; i++)
        if ((at[i] & 0xC0) != 0x80 && ++characters > LIMIT_TEXT_CHARACTERS)
            return view_make(text.data, i);
    return text;
}

struct view message_text(struct message *message, struct view leaf)
{
    if (leaf.size == 0)
        return VIEW_NONE;
    if (part_is_deleted(leaf))
        return VIEW("");
    struct buffer bytes = {0}, text = {0};
    escape_decode(&message->delimiters, leaf, &bytes);
    message->undecodable += character_set_decode(&message->character_set, buffer_view(&bytes), &text);
    if (!message->character_set.known && !is_ascii(buffer_view(&bytes)))
        message->undecodable++; /* guessed, and perhaps wrongly */
    struct view trimmed = cut(trim(buffer_view(&text)));
    struct view ret = trimmed.size == 0 ? VIEW_NONE : arena_copy(message->arena, trimmed);
    buffer_destroy(&bytes);
    buffer_destroy(&text);
    return ret;
}

struct view repetition_value(struct message *message, struct view repetition, unsigned component)
{
    struct view leaf = component_subcomponent(message, repetition_component(message, repetition, component), 1);
    return message_text(message, leaf);
}

struct view message_value(struct message *message, enum segment segment, unsigned field, unsigned component)
{
    struct view first = field_repetition(message, message_field(message, segment, field), 1);
    return repetition_value(message, first, component);
}
