/* `tidings recover`: says from where matching is to go on when its stores and offsets are gone. */
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/main/log_command.h"
#include "broker/main/recover.h"

#include <inttypes.h>
#include <stdlib.h>

static const struct option_kind recover_option_kinds[] = {
    {"json", NULL, "prints what it did as JSON", false},
    {0},
};

static void told_print(const struct recovered *recovered, int32_t count)
{
    int32_t told = 0;
    for (int32_t i = 0; i < count; i++) {
        if (recovered[i].next < 0)
            continue;
        told++;
        printf("tidings.events %" PRId32 ": goes on at %" PRId64 " (somebody was told last because of %" PRId64 ")\n",
               i, recovered[i].next, recovered[i].last_told);
    }
    printf("%" PRId32 " of %" PRId32 " partitions were set; from the others nobody was told yet.\n", told, count);
}

static void json_print(const struct recovered *recovered, int32_t count)
{
    struct buffer text = {0};
    struct json json = json_start(&text);
    json_open_object(&json);
    json_name(&json, "partitions");
    json_open_array(&json);
    for (int32_t i = 0; i < count; i++) {
        if (recovered[i].next < 0)
            continue;
        json_open_object(&json);
        json_member_number(&json, "partition", i);
        json_member_number(&json, "next", recovered[i].next);
        json_member_number(&json, "lastTold", recovered[i].last_told);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_close_object(&json);
    printf("%.*s\n", VIEW_ARGS(buffer_view(&text)));
    buffer_destroy(&text);
}

static int recover(const struct invocation *invocation)
{
    struct log_command log = {0};
    struct recovered *recovered = NULL;
    int32_t count = 0;
    struct error err;
    enum result result = log_command_open(&log, invocation, false, &err);
    if (result == OK) {
        struct recover_options options = {.log = log.log, .one_stream = log.embedded, .stop = invocation->stop};
        result = recover_log(&options, &recovered, &count, &err);
    }
    if (result == OK && options_has(invocation->options, "json"))
        json_print(recovered, count);
    else if (result == OK)
        told_print(recovered, count);
    free(recovered);
    log_command_close(&log);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command recover_command = {
    .name = "recover",
    .arguments = "",
    .summary = "says from where to go on when stores and offsets are gone",
    .options = {log_option_kinds, recover_option_kinds},
    .run = recover,
    .looks_at_stop = true,
    .more =
        "Every `tidings serve` on this log is to be stopped. It reads the alerts, and sets the offsets of the group\n"
        "`match` to the last record because of which somebody was told. The next start folds up to there silently\n"
        "and tells from there on; what is told twice is recognised and dropped.",
};
