/* Writes JSON, append-only: nothing to parse, nothing to free. The caller nests rightly; commas come by themselves. */
#pragma once

#include "broker/base/buffer.h"

struct json {
    struct buffer *to;
    bool comma; /* something stands before in this object or array */
};

static inline struct json json_start(struct buffer *to)
{
    return (struct json){.to = to, .comma = false};
}

void json_open_object(struct json *json);
void json_close_object(struct json *json);
void json_open_array(struct json *json);
void json_close_array(struct json *json);
void json_name(struct json *json, const char *name); /* a member's name: plain ASCII of ours */
void json_text(struct json *json, struct view text); /* escaped; bytes that are not UTF-8 become U+FFFD */
void json_number(struct json *json, int64_t number);
void json_double(struct json *json, double number);
void json_bool(struct json *json, bool value);
void json_null(struct json *json);
void json_raw(struct json *json, struct view value); /* a whole value that is JSON already */

/* A whole member; text members whose view has NULL data are left out. */
void json_member_text(struct json *json, const char *name, struct view text);
void json_member_texts(struct json *json, const char *name, const struct view *texts,
                       size_t count); /* an array; left out when empty */
void json_member_number(struct json *json, const char *name, int64_t number);
void json_member_bool(struct json *json, const char *name, bool value);
void json_member_time(struct json *json, const char *name, int64_t ms); /* RFC 3339; left out when 0 */
