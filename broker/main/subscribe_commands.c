/* `tidings subscribe`: how a subscriber wants to be told; and `tidings replay`. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"

static const struct option_kind subscribe_option_kinds[] = {
    {"type", "PATTERN", "only these event types, such as encounter-*-1 (all that alert where none is given)", true},
    {"role", "ROLE", "only because of registrations in these roles", true},
    {"payload", "HOW", "full, id-only or empty (full)", false},
    {"purpose", "PURPOSE", "direct-care", false},
    {"own", NULL, "also of what the organisation itself published", false},
    {0},
};

static const struct option_kind subscribe_list_option_kinds[] = {
    {"subscriber", "ID", "only of this subscriber", false},
    {0},
};

static const struct option_kind replay_option_kinds[] = {
    {"from", "NUMBER", "the first alert to be sent again", false},
    {0},
};

static const struct column columns[] = {
    {"id", "id"},
    {"subscriber", "subscriber"},
    {"status", "status"},
    {"types", "types"},
    {"roles", "roles"},
    {"payload", "payload"},
    {"purpose", "purpose"},
    {"own", "own"},
    {"channel", "channel/kind"},
    {"head", "head"},
    {0},
};

static const struct column list_columns[] = {
    {"ID", "id"},
    {"STATUS", "status"},
    {"CHANNEL", "channel/kind"},
    {"PAYLOAD", "payload"},
    {"TYPES", "types"},
    {"ROLES", "roles"},
    {"HEAD", "head"},
    {0},
};

static int add(const struct invocation *invocation)
{
    const struct options *options = invocation->options;
    struct buffer body = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_text(&json, "subscriber", view_of_text(invocation_argument(invocation, 0)));
    json_member_options(&json, "types", options, "type");
    json_member_options(&json, "roles", options, "role");
    json_member_option(&json, "payload", options, "payload");
    json_member_option(&json, "purpose", options, "purpose");
    if (options_has(options, "own"))
        json_member_bool(&json, "own", true);
    json_close_object(&json);
    int code = answer_show_member(invocation, "POST", "/subscriptions", &body, "id");
    buffer_destroy(&body);
    return code;
}

static int list(const struct invocation *invocation)
{
    struct buffer path = {0};
    const char *subscriber = options_find(invocation->options, "subscriber");
    int code = answer_list(invocation,
                           subscriber == NULL ? "/subscriptions"
                                              : path_make(&path, "/subscriptions?subscriber=", subscriber, ""),
                           list_columns);
    buffer_destroy(&path);
    return code;
}

static int show(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show(invocation, "GET",
                           path_make(&path, "/subscriptions/", invocation_argument(invocation, 0), ""), NULL, columns);
    buffer_destroy(&path);
    return code;
}

static int end(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show_member(
        invocation, "DELETE", path_make(&path, "/subscriptions/", invocation_argument(invocation, 0), ""), NULL, NULL);
    buffer_destroy(&path);
    return code;
}

static int replay(const struct invocation *invocation)
{
    struct buffer body = {0}, path = {0};
    struct json json = json_start(&body);
    struct error err;
    int64_t from = 0;
    enum result result = options_number(invocation->options, "from", 1, INT64_MAX, &from, &err);
    if (result == OK && from == 0)
        result = error_set(&err, REJECTED, "--from NUMBER says from which alert");
    json_open_object(&json);
    json_member_number(&json, "from", from);
    json_close_object(&json);
    int code =
        result != OK
            ? command_misused(invocation, &err)
            : answer_show_member(invocation, "POST",
                                 path_make(&path, "/subscriptions/", invocation_argument(invocation, 0), "/replay"),
                                 &body, NULL);
    buffer_destroy(&body);
    buffer_destroy(&path);
    return code;
}

const struct command subscribe_add_command = {
    .name = "subscribe add",
    .arguments = "SUBSCRIBER",
    .least = 1,
    .most = 1,
    .summary = "makes a subscription; prints its id",
    .options = {subscribe_option_kinds, client_option_kinds},
    .run = add,
};

const struct command subscribe_list_command = {
    .name = "subscribe list",
    .arguments = "",
    .summary = "lists subscriptions",
    .options = {subscribe_list_option_kinds, client_option_kinds},
    .run = list,
};

const struct command subscribe_show_command = {
    .name = "subscribe show",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "shows a subscription",
    .options = {client_option_kinds},
    .run = show,
};

const struct command subscribe_end_command = {
    .name = "subscribe end",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "ends a subscription",
    .options = {client_option_kinds},
    .run = end,
};

const struct command replay_command = {
    .name = "replay",
    .arguments = "SUBSCRIPTION",
    .least = 1,
    .most = 1,
    .summary = "asks for a webhook's alerts to be sent again",
    .options = {replay_option_kinds, client_option_kinds},
    .run = replay,
};
