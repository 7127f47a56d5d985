/* The commands of the program; each stands in the file of its name. */
#pragma once

#include "broker/main/command.h"

extern const struct command serve_command, simulate_command;
extern const struct command organisation_add_command, organisation_list_command, organisation_show_command;
extern const struct command subscriber_add_command, subscriber_list_command, subscriber_show_command;
extern const struct command register_add_command, register_list_command, register_end_command;
extern const struct command subscribe_add_command, subscribe_list_command, subscribe_show_command,
    subscribe_end_command;
extern const struct command token_add_command, token_end_command, token_link_command;
extern const struct command publish_command;
extern const struct command alerts_command, replay_command;
extern const struct command status_command;
extern const struct command verify_command, recover_command;

/* How client commands find the broker: --data, --url, --token-file, --json. */
extern const struct option_kind client_option_kinds[];
