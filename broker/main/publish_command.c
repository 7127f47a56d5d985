/* `tidings publish`: sends events from files or stdin. */
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/main/file.h"
#include "broker/main/hl7_file.h"
#include "broker/main/publishing.h"
#include "broker/main/table.h"

enum { FILE_LIMIT = 1024 * 1024 * 1024 };

static const struct option_kind publish_option_kinds[] = {
    {"as", "ODS", "CloudEvents with --data: the organisation that sends; a token is made for it, on record", false},
    {"mllp", "ADDRESS", "where HL7 goes (else the one of --data, or 127.0.0.1:2575)", false},
    {0},
};

void publishing_reject(struct publishing *publishing, struct view id, struct view why)
{
    struct arena arena = {0};
    publishing->rejected++;
    struct json json = json_start(&publishing->rejections);
    if (publishing->rejections.size > 0)
        buffer_add_byte(&publishing->rejections, ',');
    json_open_object(&json);
    json_member_text(&json, "file", view_of_text(publishing->file));
    if (id.size > 0)
        json_member_text(&json, "id", id);
    json_member_text(&json, "why", why);
    json_close_object(&json);
    (void)fprintf(stderr, "%s: %.*s%s%.*s\n", publishing->file, VIEW_ARGS(shown_text(&arena, id)),
                  id.size > 0 ? ": " : "", VIEW_ARGS(shown_text(&arena, why)));
    arena_destroy(&arena);
}

static bool is_json(struct view text)
{
    const char *at = text.data;
    size_t i = 0;
    if (view_starts_with(text, VIEW("\xEF\xBB\xBF")))
        i = 3;
    while (i < text.size && strchr(" \t\r\n", at[i]) != NULL && at[i] != '\0')
        i++;
    return i < text.size && (at[i] == '{' || at[i] == '[');
}

/* The operator's token publishes nothing: it makes one that does. */
static enum result publisher_become(struct publishing *publishing, char ret_id[TOKEN_ID_SIZE], struct error *err)
{
    const char *organisation = options_find(publishing->invocation->options, "as");
    char token[TOKEN_TEXT_SIZE];
    struct broker publisher = {0};
    if (!publishing->broker.is_operator)
        return OK;
    if (organisation == NULL)
        return error_set(err, REJECTED,
                         "--as ODS says which organisation sends: the operator's token publishes nothing");
    enum result result =
        broker_borrow_token(&publishing->broker, view_of_text(organisation), "publisher", ret_id, token, err);
    if (result == OK)
        result = broker_open_as(&publishing->broker, token, &publisher, err);
    if (result == OK) {
        broker_close(&publishing->broker);
        publishing->broker = publisher;
    }
    explicit_bzero(token, sizeof token);
    return result;
}

static enum result file_publish(struct publishing *publishing, char token_id[TOKEN_ID_SIZE], struct error *err)
{
    struct buffer text = {0};
    enum result result = file_read(publishing->file, FILE_LIMIT, &text, err);
    if (result == OK && is_json(buffer_view(&text))) {
        if (token_id[0] == '\0')
            result = publisher_become(publishing, token_id, err);
        if (result == OK)
            result = publish_events(publishing, buffer_view(&text), err);
    } else if (result == OK && hl7_file_is(buffer_view(&text))) {
        result = publish_messages(publishing, buffer_view(&text), err);
    } else if (result == OK) {
        result = error_set(err, REJECTED, "%.100s holds neither CloudEvents as JSON nor HL7 messages (MSH)",
                           publishing->file);
    }
    buffer_destroy(&text);
    return result;
}

static void summary_print(struct publishing *publishing)
{
    if (!options_has(publishing->invocation->options, "json")) {
        printf("%lld sent, %lld acknowledged, %lld rejected", (long long)publishing->sent,
               (long long)publishing->acknowledged, (long long)publishing->rejected);
        if (publishing->unasked > 0)
            printf(", %lld asked for no acknowledgement", (long long)publishing->unasked);
        printf("\n");
        return;
    }
    struct buffer text = {0};
    struct json json = json_start(&text);
    json_open_object(&json);
    json_member_number(&json, "sent", publishing->sent);
    json_member_number(&json, "acknowledged", publishing->acknowledged);
    json_member_number(&json, "rejected", publishing->rejected);
    json_member_number(&json, "unasked", publishing->unasked);
    json_name(&json, "rejections");
    json_open_array(&json);
    buffer_add_view(&text, buffer_view(&publishing->rejections));
    json_close_array(&json);
    json_close_object(&json);
    printf("%.*s\n", VIEW_ARGS(buffer_view(&text)));
    buffer_destroy(&text);
}

static int publish(const struct invocation *invocation)
{
    struct publishing publishing = {.invocation = invocation};
    char token_id[TOKEN_ID_SIZE] = "";
    struct broker operators = {0};
    struct error err;
    enum result result = broker_open(invocation->options, &publishing.broker, &err);
    for (size_t i = 0; i < invocation->options->argument_count && result == OK; i++) {
        publishing.file = invocation_argument(invocation, i);
        result = file_publish(&publishing, token_id, &err);
    }
    broker_close(&publishing.broker);
    if (token_id[0] != '\0' && broker_open(invocation->options, &operators, NULL) == OK)
        broker_give_back_token(&operators, token_id);
    broker_close(&operators);
    if (result == OK || publishing.sent > 0)
        summary_print(&publishing);
    buffer_destroy(&publishing.rejections);
    if (result != OK)
        return command_failed(invocation, &err);
    return publishing.rejected == 0 ? EXIT_DONE : EXIT_COULD_NOT;
}

const struct command publish_command = {
    .name = "publish",
    .arguments = "FILE...",
    .least = 1,
    .most = SIZE_MAX,
    .summary = "sends events from files or stdin (-): CloudEvents as JSON, or HL7 v2 over MLLP",
    .options = {publish_option_kinds, client_option_kinds},
    .run = publish,
    .more = "Waits for every acknowledgement, and names each message that is refused. A file holds one CloudEvent or a "
            "list of\n"
            "them, or HL7 messages one after the other, each beginning with MSH on a line of its own.",
};
