/* A command that opens the log itself, with the region's key. */
#include "broker/main/log_command.h"

#include "broker/codec/schemas.h"
#include "broker/main/file.h"

#include <errno.h>
#include <stdio.h>
#include <unistd.h>

enum { PATH_SIZE = 512, SETTINGS_LIMIT = 64 * 1024, HOST_SIZE = 64 };

const struct option_kind log_option_kinds[] = {
    {"data", "DIR", "the data folder; the region's key is there (./data)", false},
    {"log", "WHERE", "embedded, or kafka://host:port[,host:port] (embedded)", false},
    {"kafka-settings", "FILE", "more settings of librdkafka, such as TLS: name=value lines", false},
    {0},
};

static const char *given(const struct invocation *invocation, const char *name, const char *otherwise)
{
    const char *value = options_find(invocation->options, name);
    return value == NULL ? otherwise : value;
}

enum result log_command_open(struct log_command *command, const struct invocation *invocation, bool read_only,
                             struct error *err)
{
    char path[PATH_SIZE], client[HOST_SIZE];
    const char *settings = options_find(invocation->options, "kafka-settings");
    const char *where = given(invocation, "log", "embedded");
    enum result result = OK;
    command->data_folder = given(invocation, "data", "./data");
    command->embedded = strcmp(where, "embedded") == 0;
    vault_protect_process();
    (void)snprintf(path, sizeof path, "%s/region.key", command->data_folder);
    (void)snprintf(client, sizeof client, "tidings-%s-%d", invocation->command->name, (int)getpid());
    if (access(path, F_OK) != 0)
        return error_set(err, REJECTED, "%.150s is not there (%s): is --data the folder of a broker that ran here?",
                         path, strerror(errno));
    if (settings != NULL)
        result = file_read(settings, SETTINGS_LIMIT, &command->settings, err);
    buffer_add_byte(&command->settings, 0);
    struct log_options options = {.where = where,
                                  .data_folder = command->data_folder,
                                  .read_only = read_only,
                                  .client_id = client,
                                  .settings = settings == NULL ? NULL : (const char *)command->settings.data};
    if (result == OK)
        result = schemas_open(err);
    if (result == OK)
        result = vault_open(path, &command->vault, err);
    return result == OK ? log_open(&options, &command->log, err) : result;
}

void log_command_close(struct log_command *command)
{
    log_close(command->log);
    vault_close(command->vault);
    buffer_destroy(&command->settings);
    schemas_close();
}
