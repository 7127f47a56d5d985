/* `tidings subscriber`: teams and professionals who can be told. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"

const struct option_kind subscriber_option_kinds[] = {
    {"kind", "KIND", "team or professional (an organisation is a subscriber by itself)", false},
    {"organisation", "ODS", "whose team or professional", false},
    {"name", "TEXT", "the name", false},
    {0},
};

static const struct column columns[] = {
    {"id", "id"}, {"kind", "kind"}, {"organisation", "organisation"}, {"name", "name"}, {0},
};
static const struct column list_columns[] = {
    {"ID", "id"}, {"KIND", "kind"}, {"ORGANISATION", "organisation"}, {"NAME", "name"}, {0},
};

int subscriber_add_command(const struct invocation *invocation)
{
    struct buffer body = {0}, path = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_option(&json, "kind", invocation->options, "kind");
    json_member_option(&json, "organisation", invocation->options, "organisation");
    json_member_option(&json, "name", invocation->options, "name");
    json_close_object(&json);
    int code = answer_show(invocation, "PUT", path_make(&path, "/subscribers/", invocation_argument(invocation, 0), ""),
                           &body, columns);
    buffer_destroy(&body);
    buffer_destroy(&path);
    return code;
}

int subscriber_list_command(const struct invocation *invocation)
{
    return answer_list(invocation, "/subscribers", list_columns);
}

int subscriber_show_command(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show(invocation, "GET", path_make(&path, "/subscribers/", invocation_argument(invocation, 0), ""),
                           NULL, columns);
    buffer_destroy(&path);
    return code;
}
