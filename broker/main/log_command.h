/* A command that opens the log itself, with the region's key: verify, recover. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/log/log.h"
#include "broker/main/command.h"
#include "broker/vault/vault.h"

/* --data, --log, --kafka-settings */
extern const struct option_kind log_option_kinds[];

struct log_command {
    const char *data_folder;
    bool embedded;
    struct log *log;
    struct vault *vault;
    struct buffer settings;
};

enum result log_command_open(struct log_command *command, const struct invocation *invocation, bool read_only,
                             struct error *err);
void log_command_close(struct log_command *command);
