/* `tidings serve`: its options, read and checked, before the broker starts. */
#include "broker/main/commands.h"

#include "broker/main/serve.h"
#include "broker/main/serve_options.h"

static const struct option_kind serve_option_kinds[] = {
    {"data", "DIR", "the data folder (./data)", false},
    {"log", "WHERE", "embedded, or kafka://host:port[,host:port] (embedded)", false},
    {"roles", "LIST", "ingest,match,deliver,read,api: which of them run here (all)", false},
    {"http", "ADDRESS", "where HTTP listens; port 0: any free one (127.0.0.1:8080)", false},
    {"mllp", "ADDRESS", "where MLLP listens (127.0.0.1:2575)", false},
    {"region", "NAME", "the region's name, in the source of alerts (wessex)", false},
    {"time-zone", "NAME", "the region's time zone (Europe/London)", false},
    {"partitions", "NUMBER", "of events and alerts; first start only, final (48)", false},
    {"replication", "NUMBER", "Kafka, first start only: copies of each topic (1)", false},
    {"machine", "NAME", "Kafka: this machine's name among the group's members, stable (the host's)", false},
    {"kafka-settings", "FILE", "more settings of librdkafka, such as TLS: name=value lines", false},
    {"config", "FILE", "an INI file; every option has a key there, the command line wins", false},
    {"webhook-allow", "CIDR", "comes with webhooks", false},
    {"standby", NULL, "comes with takeover", false},
    {0},
};

static int serve(const struct invocation *invocation)
{
    struct serve_options serve;
    struct buffer settings = {0};
    struct error err;
    const char *config = options_find(invocation->options, "config");
    enum result result = config == NULL ? OK : options_read_file(invocation->options, config, "serve", &err);
    if (result == OK)
        result = serve_options_read(invocation->options, &serve, &settings, &err);
    int code = EXIT_DONE;
    if (result != OK) {
        code = command_misused(invocation, &err);
    } else {
        serve_options_warn(&serve);
        if (serve_run(&serve, invocation->stop, &err) != OK)
            code = command_failed(invocation, &err);
    }
    buffer_destroy(&settings);
    return code;
}

const struct command serve_command = {
    .name = "serve",
    .arguments = "",
    .summary = "runs the broker",
    .options = {serve_option_kinds},
    .run = serve,
    .looks_at_stop = true,
    .more =
        "When everything listens it prints one line: ready http=ADDRESS mllp=ADDRESS. SIGTERM: takes no more, "
        "finishes\n"
        "what it has, exits. The first start on an empty log makes operator.token and region.key in the data folder.",
};
