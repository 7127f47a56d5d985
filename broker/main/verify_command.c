/* `tidings verify`: reads the whole log, also beside a running broker, and says whether it is what it has to be. */
#include "broker/main/commands.h"

#include "broker/base/json.h"
#include "broker/main/log_command.h"
#include "broker/main/progress.h"
#include "broker/main/scratch.h"
#include "broker/main/verify.h"

static const struct option_kind verify_option_kinds[] = {
    {"json", NULL, "prints the counts as JSON", false},
    {0},
};

static void show(void *context, int64_t done, int64_t total)
{
    struct progress *progress = context;
    progress->total = total;
    progress_show(progress, done);
}

static void counts_print(const struct invocation *invocation, const struct verify_counts *counts)
{
    const struct {
        const char *member, *words;
        int64_t count;
    } lines[] = {
        {"records", "records", counts->records},
        {"events", "events", counts->events},
        {"erased", "erased", counts->erased},
        {"tellings", "tellings", counts->tellings},
        {"duplicates", "duplicates dropped", counts->duplicates},
        {"numbered", "alerts numbered", counts->numbered},
        {"untold", "not told yet", counts->untold},
    };
    struct buffer text = {0};
    struct json json = json_start(&text);
    json_open_object(&json);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        json_member_number(&json, lines[i].member, lines[i].count);
        if (!options_has(invocation->options, "json"))
            printf("%-20s%lld\n", lines[i].words, (long long)lines[i].count);
    }
    json_close_object(&json);
    if (options_has(invocation->options, "json"))
        printf("%.*s\n", VIEW_ARGS(buffer_view(&text)));
    buffer_destroy(&text);
}

static int verify(const struct invocation *invocation)
{
    struct log_command log = {0};
    struct verify_counts counts = {0};
    struct progress progress = progress_start("records", 0);
    char scratch[SCRATCH_PATH_SIZE] = "";
    struct error err;
    enum result result = log_command_open(&log, invocation, true, &err);
    if (result == OK)
        result = scratch_make(scratch, &err);
    if (result == OK) {
        struct verify_options options = {.log = log.log,
                                         .vault = log.vault,
                                         .data_folder = log.data_folder,
                                         .scratch = scratch,
                                         .one_stream = log.embedded,
                                         .stop = invocation->stop,
                                         .progress = show,
                                         .context = &progress};
        result = verify_log(&options, &counts, &err);
        progress_end(&progress);
        counts_print(invocation, &counts);
    }
    scratch_remove(scratch);
    log_command_close(&log);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command verify_command = {
    .name = "verify",
    .arguments = "",
    .summary = "reads the whole log and checks it, also beside a running broker",
    .options = {log_option_kinds, verify_option_kinds},
    .run = verify,
    .looks_at_stop = true,
    .more =
        "Every record decodes and unseals (or its patient is erased), every event's id is what its publisher and\n"
        "message id give, and the alerts are exactly the fold of the events. The first difference ends it, with its\n"
        "position in the log. Folding is done in TMPDIR, or /var/tmp.",
};
