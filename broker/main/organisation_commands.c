/* `tidings organisation`: who sends and who is told, in the directory. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/event/limits.h"
#include "broker/main/file.h"

static const struct option_kind organisation_option_kinds[] = {
    {"name", "TEXT", "its name", false},
    {"kind", "KIND", "hospital, gp-practice, care-home, community or region", false},
    {"hl7-name", "TEXT", "what its systems call themselves in MSH-4, beside the ODS code", true},
    {"source", "URI", "a CloudEvents source that it may use", true},
    {"mllp-peer", "CIDR", "where its MLLP may come from (loopback only where none is given)", true},
    {"processing-id", "ID", "MSH-11 of its live messages (P where none is given)", true},
    {"time-zone", "NAME", "of its times without an offset (Europe/London)", false},
    {"reject-untrusted", NULL, "refuses messages whose NHS number fails its check", false},
    {"json-file", "FILE", "all of it as JSON, from a file or stdin (-), instead of the options above", false},
    {0},
};

static const struct column columns[] = {
    {"id", "id"},
    {"name", "name"},
    {"kind", "kind"},
    {"HL7 names", "hl7Names"},
    {"sources", "sources"},
    {"MLLP peers", "mllpPeers"},
    {"processing ids", "processingIds"},
    {"time zone", "timeZone"},
    {"untrusted NHS number", "untrustedNhsNumber"},
    {0},
};

static const struct column list_columns[] = {
    {"ID", "id"},
    {"KIND", "kind"},
    {"NAME", "name"},
    {0},
};

static void organisation_write(const struct options *options, struct buffer *to)
{
    struct json json = json_start(to);
    json_open_object(&json);
    json_member_option(&json, "name", options, "name");
    json_member_option(&json, "kind", options, "kind");
    json_member_options(&json, "hl7Names", options, "hl7-name");
    json_member_options(&json, "sources", options, "source");
    json_member_options(&json, "mllpPeers", options, "mllp-peer");
    json_member_options(&json, "processingIds", options, "processing-id");
    json_member_option(&json, "timeZone", options, "time-zone");
    if (options_has(options, "reject-untrusted"))
        json_member_text(&json, "untrustedNhsNumber", VIEW("reject"));
    json_close_object(&json);
}

static int add(const struct invocation *invocation)
{
    struct buffer body = {0}, path = {0};
    struct error err;
    enum result result = OK;
    const char *file = options_find(invocation->options, "json-file");
    if (file != NULL)
        result = file_read(file, LIMIT_BODY_BYTES, &body, &err);
    else
        organisation_write(invocation->options, &body);
    int code = result != OK ? command_failed(invocation, &err)
                            : answer_show(invocation, "PUT",
                                          path_make(&path, "/organisations/", invocation_argument(invocation, 0), ""),
                                          &body, columns);
    buffer_destroy(&body);
    buffer_destroy(&path);
    return code;
}

static int list(const struct invocation *invocation)
{
    return answer_list(invocation, "/organisations", list_columns);
}

static int show(const struct invocation *invocation)
{
    struct buffer path = {0};
    int code = answer_show(invocation, "GET",
                           path_make(&path, "/organisations/", invocation_argument(invocation, 0), ""), NULL, columns);
    buffer_destroy(&path);
    return code;
}

const struct command organisation_add_command = {
    .name = "organisation add",
    .arguments = "ODS",
    .least = 1,
    .most = 1,
    .summary = "adds an organisation, or replaces what is known of it",
    .options = {organisation_option_kinds, client_option_kinds},
    .run = add,
};

const struct command organisation_list_command = {
    .name = "organisation list",
    .arguments = "",
    .summary = "lists the organisations",
    .options = {client_option_kinds},
    .run = list,
};

const struct command organisation_show_command = {
    .name = "organisation show",
    .arguments = "ODS",
    .least = 1,
    .most = 1,
    .summary = "shows one organisation",
    .options = {client_option_kinds},
    .run = show,
};
