/* `tidings register`: who looks after which patient. The NHS number comes in by an option or stdin and is never
 * printed. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/main/file.h"

#include <stdlib.h>

enum { NUMBER_FILE_LIMIT = 4096 };

static const struct option_kind register_option_kinds[] = {
    {"patient", "NUMBER", "the NHS number, or - to read it from stdin", false},
    {"local-id", "ODS:NUMBER", "instead of it: a hospital's own number, after its ODS code", false},
    {"role", "ROLE", "gp, care-home, community, social-care, mental-health, pharmacy, ambulance ...", false},
    {"from", "TIME", "from when (RFC 3339; now where it is left out)", false},
    {"until", "TIME", "until when (no end for gp, a year for others where it is left out)", false},
    {"evidence", "TEXT", "what says so", false},
    {0},
};

static const struct option_kind register_list_option_kinds[] = {
    {"subscriber", "ID", "whose", false},
    {0},
};

static const struct column list_columns[] = {
    {"ID", "id"}, {"SUBSCRIBER", "subscriber"}, {"ROLE", "role"}, {"FROM", "from"}, {"UNTIL", "until"}, {0},
};

static enum result patient_write(const struct options *options, struct json *json, struct error *err)
{
    const char *number = options_find(options, "patient"), *local = options_find(options, "local-id");
    struct buffer line = {0};
    enum result result = OK;
    if ((number == NULL) == (local == NULL))
        return error_set(err, REJECTED, "--patient says of whom, or --local-id; one of the two");
    json_name(json, "patient");
    if (local != NULL) {
        const char *colon = strchr(local, ':');
        if (colon == NULL)
            return error_set(err, REJECTED, "--local-id is an ODS code, a colon and the number: R0A:654321");
        json_open_object(json);
        json_name(json, "localId");
        json_open_object(json);
        json_member_text(json, "assigner", view_make(local, (size_t)(colon - local)));
        json_member_text(json, "value", view_of_text(colon + 1));
        json_close_object(json);
        json_close_object(json);
        return OK;
    }
    if (strcmp(number, "-") == 0)
        result = file_read_line("-", NUMBER_FILE_LIMIT, &line, err);
    else
        buffer_add_text(&line, number);
    json_text(json, buffer_view(&line));
    buffer_destroy(&line);
    return result;
}

static int add(const struct invocation *invocation)
{
    const struct options *options = invocation->options;
    struct buffer body = {0};
    struct json json = json_start(&body);
    struct error err;
    json_open_object(&json);
    json_member_text(&json, "subscriber", view_of_text(invocation_argument(invocation, 0)));
    enum result result = patient_write(options, &json, &err);
    json_member_option(&json, "role", options, "role");
    json_member_option(&json, "from", options, "from");
    json_member_option(&json, "until", options, "until");
    json_member_option(&json, "evidence", options, "evidence");
    json_close_object(&json);
    int code = result != OK ? command_misused(invocation, &err)
                            : answer_show_member(invocation, "POST", "/registrations", &body, "id");
    buffer_destroy(&body);
    return code;
}

static int list(const struct invocation *invocation)
{
    struct buffer path = {0};
    struct error err;
    const char *subscriber = options_find(invocation->options, "subscriber");
    int code;
    if (subscriber == NULL) {
        (void)!error_set(&err, REJECTED, "--subscriber ID says whose");
        code = command_misused(invocation, &err);
    } else {
        code = answer_list(invocation, path_make(&path, "/registrations?subscriber=", subscriber, ""), list_columns);
    }
    buffer_destroy(&path);
    return code;
}

static int end(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show_member(invocation, "POST",
                                  path_make(&path, "/registrations/", invocation_argument(invocation, 0), "/end"), NULL,
                                  "until");
    buffer_destroy(&path);
    return code;
}

const struct command register_add_command = {
    .name = "register add",
    .arguments = "SUBSCRIBER",
    .least = 1,
    .most = 1,
    .summary = "registers a patient to whoever looks after them; prints the id",
    .options = {register_option_kinds, client_option_kinds},
    .run = add,
};

const struct command register_list_command = {
    .name = "register list",
    .arguments = "",
    .summary = "lists a subscriber's registrations",
    .options = {register_list_option_kinds, client_option_kinds},
    .run = list,
};

const struct command register_end_command = {
    .name = "register end",
    .arguments = "ID",
    .least = 1,
    .most = 1,
    .summary = "ends a registration now",
    .options = {client_option_kinds},
    .run = end,
};
