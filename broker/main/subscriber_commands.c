/* `tidings subscriber`: teams and professionals who can be told. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"

static const struct option_kind subscriber_option_kinds[] = {
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

static int add(const struct invocation *invocation)
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

static int list(const struct invocation *invocation)
{
    return answer_list(invocation, "/subscribers", list_columns);
}

static int show(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show(invocation, "GET", path_make(&path, "/subscribers/", invocation_argument(invocation, 0), ""),
                           NULL, columns);
    buffer_destroy(&path);
    return code;
}

const struct command subscriber_add_command = {
    .name = "subscriber add",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "adds a team or professional who can be told",
    .options = {subscriber_option_kinds, client_option_kinds},
    .run = add,
};

const struct command subscriber_list_command = {
    .name = "subscriber list",
    .arguments = "",
    .summary = "lists who can be told",
    .options = {client_option_kinds},
    .run = list,
};

const struct command subscriber_show_command = {
    .name = "subscriber show",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "shows one of them",
    .options = {client_option_kinds},
    .run = show,
};
