/* `tidings token`: who may speak to the broker, and the link that signs a person in. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/codec/cloudevent.h"

static const struct option_kind token_option_kinds[] = {
    {"organisation", "ODS", "for whom it acts", true},
    {"role", "ROLE", "publisher, subscriber, operator, auditor or metrics", true},
    {"expires", "TIME", "until when it is good (RFC 3339; for ever where it is left out)", false},
    {0},
};

static int add(const struct invocation *invocation)
{
    const struct options *options = invocation->options;
    struct buffer body = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_options(&json, "organisations", options, "organisation");
    json_member_options(&json, "roles", options, "role");
    json_member_option(&json, "expiresAt", options, "expires");
    json_close_object(&json);
    int code = answer_show_member(invocation, "POST", "/tokens", &body, "token");
    buffer_destroy(&body);
    return code;
}

static int end(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show_member(invocation, "DELETE",
                                  path_make(&path, "/tokens/", invocation_argument(invocation, 0), ""), NULL, NULL);
    buffer_destroy(&path);
    return code;
}

static int link_print(const struct invocation *invocation)
{
    struct broker broker = {0};
    struct buffer body = {0}, answer = {0};
    struct arena arena = {0};
    struct view code;
    struct error err;
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_text(&json, "organisation", view_of_text(invocation_argument(invocation, 0)));
    json_close_object(&json);
    enum result result = broker_open(invocation->options, &broker, &err);
    if (result == OK)
        result = broker_ask(&broker, "POST", "/tokens/link", &body, &answer, &err);
    if (result == OK && json_find(buffer_view(&answer), "code", &arena, &code) != OK)
        result = error_set(&err, REJECTED, "%.100s gave no code", broker.url);
    if (result == OK && options_has(invocation->options, "json"))
        printf("%.*s\n", VIEW_ARGS(buffer_view(&answer)));
    else if (result == OK)
        printf("%s/#code=%.*s\n", broker.url, VIEW_ARGS(shown_text(&arena, code)));
    broker_close(&broker);
    buffer_destroy(&body);
    buffer_destroy(&answer);
    arena_destroy(&arena);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command token_add_command = {
    .name = "token add",
    .arguments = "",
    .summary = "makes a token and prints it, this once",
    .options = {token_option_kinds, client_option_kinds},
    .run = add,
};

const struct command token_end_command = {
    .name = "token end",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "ends a token",
    .options = {client_option_kinds},
    .run = end,
};

const struct command token_link_command = {
    .name = "token link",
    .arguments = "ODS",
    .least = 1,
    .most = 1,
    .summary = "prints a link that signs a person in to the organisation's page",
    .options = {client_option_kinds},
    .run = link_print,
    .more = "The link is good for ten minutes and one use.",
};
