/* What `serve` was told, read and checked. */
#include "broker/main/serve_options.h"

#include "broker/base/note.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"
#include "broker/main/file.h"
#include "broker/main/word.h"

enum { SETTINGS_LIMIT = 64 * 1024, REPLICATION_LIMIT = 16 };

static const struct {
    const char *name;
    int role;
} role_names[] = {
    {"ingest", ROLE_INGEST}, {"match", ROLE_MATCH}, {"deliver", ROLE_DELIVER}, {"read", ROLE_READ}, {"api", ROLE_API},
};
enum { ROLE_COUNT = sizeof role_names / sizeof role_names[0] };

static enum result role_read(const char *name, int *ret, struct error *err)
{
    for (size_t i = 0; i < ROLE_COUNT; i++) {
        if (strcmp(name, role_names[i].name) == 0) {
            *ret |= role_names[i].role;
            return OK;
        }
    }
    for (size_t i = 0; i < ROLE_COUNT; i++)
        if (word_is_near(name, role_names[i].name))
            return error_set(err, REJECTED, "--roles: there is no role %.20s; is %s meant?", name, role_names[i].name);
    return error_set(err, REJECTED, "--roles: there is no role %.20s: ingest, match, deliver, read, api", name);
}

enum result roles_read(const char *text, int *ret, struct error *err)
{
    int roles = 0;
    enum result result = OK;
    while (result == OK && *text != '\0') {
        char name[32];
        size_t size = strcspn(text, ",");
        (void)snprintf(name, sizeof name, "%.*s", (int)(size < sizeof name ? size : sizeof name - 1), text);
        result = role_read(name, &roles, err);
        text += size;
        text += *text == ',';
    }
    if (result == OK && roles == 0)
        return error_set(err, REJECTED, "--roles names none");
    if (result == OK)
        *ret = roles;
    return result;
}

bool address_is_loopback(const char *address)
{
    return strncmp(address, "127.", 4) == 0 || strncmp(address, "localhost:", 10) == 0 ||
           strncmp(address, "[::1]:", 6) == 0;
}

/* "host:port". What the host is, the door finds out. */
static enum result address_check(const char *option, const char *address, struct error *err)
{
    const char *colon = strrchr(address, ':');
    int64_t port;
    if (colon == NULL || colon == address || !view_to_number(view_of_text(colon + 1), &port) || port > 65535)
        return error_set(err, REJECTED, "--%s is an address and a port, such as 127.0.0.1:8080", option);
    return OK;
}

static enum result later_refuse(const struct options *options, struct error *err)
{
    if (options_has(options, "webhook-allow"))
        return error_set(err, REJECTED, "--webhook-allow comes with webhooks, which this version does not send");
    if (options_has(options, "standby"))
        return error_set(err, REJECTED, "--standby comes with takeover, which this version does not do");
    return OK;
}

static enum result log_check(const char *log, struct error *err)
{
    if (strcmp(log, "embedded") == 0 || (strncmp(log, "kafka://", 8) == 0 && log[8] != '\0'))
        return OK;
    return error_set(err, REJECTED, "--log is embedded, or kafka://host:port[,host:port]");
}

static enum result zone_check(const char *name, struct error *err)
{
    struct time_zone *zone = time_zone_open(name);
    if (zone == NULL)
        return error_set(err, REJECTED, "--time-zone: this machine knows no zone %.40s (tzdata)", name);
    time_zone_close(zone);
    return OK;
}

static void texts_take(const struct options *options, struct serve_options *serve)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"data", &serve->data_folder},    {"log", &serve->log},       {"http", &serve->http},
        {"mllp", &serve->mllp},           {"region", &serve->region}, {"machine", &serve->machine},
        {"time-zone", &serve->time_zone},
    };
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        const char *value = options_find(options, texts[i].name);
        if (value != NULL)
            *texts[i].to = value;
    }
}

/* The region's name stands in `urn:tidings:<name>`. */
static enum result region_check(const char *name, struct error *err)
{
    size_t size = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-");
    if (size == 0 || size > 64 || name[size] != '\0')
        return error_set(err, REJECTED, "--region is 1 to 64 letters, digits and -");
    return OK;
}

static enum result settings_read(const char *path, struct serve_options *serve, struct buffer *settings,
                                 struct error *err)
{
    enum result result = file_read(path, SETTINGS_LIMIT, settings, err);
    buffer_add_byte(settings, 0);
    serve->kafka_settings = (const char *)settings->data;
    return result;
}

enum result serve_options_read(const struct options *options, struct serve_options *ret, struct buffer *settings,
                               struct error *err)
{
    struct serve_options serve;
    int64_t partitions = 0, replication = 0;
    serve_options_default(&serve);
    texts_take(options, &serve);
    enum result result = later_refuse(options, err);
    if (result == OK && options_has(options, "roles"))
        result = roles_read(options_find(options, "roles"), &serve.roles, err);
    if (result == OK)
        result = log_check(serve.log, err);
    if (result == OK)
        result = address_check("http", serve.http, err);
    if (result == OK)
        result = address_check("mllp", serve.mllp, err);
    if (result == OK)
        result = region_check(serve.region, err);
    if (result == OK && options_has(options, "time-zone"))
        result = zone_check(serve.time_zone, err);
    if (result == OK)
        result = options_number(options, "partitions", 1, LIMIT_PARTITIONS, &partitions, err);
    if (result == OK)
        result = options_number(options, "replication", 1, REPLICATION_LIMIT, &replication, err);
    if (result == OK && options_has(options, "kafka-settings"))
        result = settings_read(options_find(options, "kafka-settings"), &serve, settings, err);
    serve.partitions = (int)partitions;
    serve.replication = (int)replication;
    if (result == OK)
        *ret = serve;
    return result;
}

void serve_options_warn(const struct serve_options *options)
{
    if (!address_is_loopback(options->http))
        note(NOTE_WARNING, "http-open",
             "address=%s why=\"others on the network can reach it, and it is not encrypted: put TLS before it\"",
             options->http);
    if ((options->roles & ROLE_INGEST) != 0 && !address_is_loopback(options->mllp))
        note(NOTE_WARNING, "mllp-open",
             "address=%s why=\"others on the network can reach it: each organisation's mllpPeers says who may send\"",
             options->mllp);
}
