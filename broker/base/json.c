/* The writer of all JSON that leaves. */
#include "broker/base/json.h"

#include "broker/base/bytes.h"
#include "broker/base/time.h"

#include <math.h>

static void separate(struct json *json)
{
    if (json->comma)
        buffer_add_byte(json->to, ',');
    json->comma = true;
}

void json_open_object(struct json *json)
{
    separate(json);
    buffer_add_byte(json->to, '{');
    json->comma = false;
}

void json_close_object(struct json *json)
{
    buffer_add_byte(json->to, '}');
    json->comma = true;
}

void json_open_array(struct json *json)
{
    separate(json);
    buffer_add_byte(json->to, '[');
    json->comma = false;
}

void json_close_array(struct json *json)
{
    buffer_add_byte(json->to, ']');
    json->comma = true;
}

void json_name(struct json *json, const char *name)
{
    separate(json);
    buffer_add_format(json->to, "\"%s\":", name);
    json->comma = false;
}

static void add_escaped(struct buffer *to, unsigned char character)
{
    switch (character) {
    case '"':
        buffer_add_text(to, "\\\"");
        break;
    case '\\':
        buffer_add_text(to, "\\\\");
        break;
    case '\n':
        buffer_add_text(to, "\\n");
        break;
    case '\r':
        buffer_add_text(to, "\\r");
        break;
    case '\t':
        buffer_add_text(to, "\\t");
        break;
    default:
        buffer_add_format(to, "\\u%04x", character);
    }
}

void json_text(struct json *json, struct view text)
{
    separate(json);
    buffer_add_byte(json->to, '"');
    const unsigned char *byte = text.data;
    size_t plain = 0, size; /* plain: where the run of bytes that stand for themselves began */
    for (size_t i = 0; i < text.size; i += size) {
        bool escape = byte[i] < 0x20 || byte[i] == '"' || byte[i] == '\\' || byte[i] == 0x7F;
        size = byte[i] < 0x80 ? 1 : bytes_utf8_sequence(view_after(text, i));
        if (!escape && size > 0)
            continue;
        buffer_add(json->to, byte + plain, i - plain);
        if (size == 0) {
            buffer_add_text(json->to, "\xEF\xBF\xBD");
            size = 1;
        } else {
            add_escaped(json->to, byte[i]);
        }
        plain = i + 1;
    }
    if (text.size > plain)
        buffer_add(json->to, byte + plain, text.size - plain);
    buffer_add_byte(json->to, '"');
}

void json_number(struct json *json, int64_t number)
{
    separate(json);
    buffer_add_format(json->to, "%lld", (long long)number);
}

void json_double(struct json *json, double number)
{
    separate(json);
    if (isfinite(number))
        buffer_add_format(json->to, "%.6g", number);
    else
        buffer_add_text(json->to, "null"); /* JSON has no word for it */
}

void json_bool(struct json *json, bool value)
{
    separate(json);
    buffer_add_text(json->to, value ? "true" : "false");
}

void json_null(struct json *json)
{
    separate(json);
    buffer_add_text(json->to, "null");
}

void json_raw(struct json *json, struct view value)
{
    separate(json);
    buffer_add_view(json->to, value);
}

void json_member_text(struct json *json, const char *name, struct view text)
{
    if (text.data == NULL)
        return;
    json_name(json, name);
    json_text(json, text);
}

void json_member_texts(struct json *json, const char *name, const struct view *texts, size_t count)
{
    if (count == 0)
        return;
    json_name(json, name);
    json_open_array(json);
    for (size_t i = 0; i < count; i++)
        json_text(json, texts[i]);
    json_close_array(json);
}

void json_member_number(struct json *json, const char *name, int64_t number)
{
    json_name(json, name);
    json_number(json, number);
}

void json_member_bool(struct json *json, const char *name, bool value)
{
    json_name(json, name);
    json_bool(json, value);
}

void json_member_time(struct json *json, const char *name, int64_t ms)
{
    if (ms == 0)
        return;
    char text[TIME_TEXT_SIZE];
    json_member_text(json, name, time_to_rfc3339(ms, text));
}
