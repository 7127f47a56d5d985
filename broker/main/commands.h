/* What each command does, for the table in main.c. */
#pragma once

#include "broker/main/command.h"

/* serve_command.c */
extern const struct option_kind serve_option_kinds[];
int serve_command(const struct invocation *invocation);

/* broker.c: how client commands find the broker */
extern const struct option_kind client_option_kinds[];

/* organisation_commands.c, subscriber_commands.c */
extern const struct option_kind organisation_option_kinds[], subscriber_option_kinds[];
int organisation_add_command(const struct invocation *invocation);
int organisation_list_command(const struct invocation *invocation);
int organisation_show_command(const struct invocation *invocation);
int subscriber_add_command(const struct invocation *invocation);
int subscriber_list_command(const struct invocation *invocation);
int subscriber_show_command(const struct invocation *invocation);

/* register_commands.c */
extern const struct option_kind register_option_kinds[], register_list_option_kinds[];
int register_add_command(const struct invocation *invocation);
int register_list_command(const struct invocation *invocation);
int register_end_command(const struct invocation *invocation);

/* subscribe_commands.c */
extern const struct option_kind subscribe_option_kinds[], subscribe_list_option_kinds[], replay_option_kinds[];
int subscribe_add_command(const struct invocation *invocation);
int subscribe_list_command(const struct invocation *invocation);
int subscribe_show_command(const struct invocation *invocation);
int subscribe_end_command(const struct invocation *invocation);
int replay_command(const struct invocation *invocation);

/* token_commands.c */
extern const struct option_kind token_option_kinds[];
int token_add_command(const struct invocation *invocation);
int token_end_command(const struct invocation *invocation);
int token_link_command(const struct invocation *invocation);

/* alerts_command.c, status_command.c */
extern const struct option_kind alerts_option_kinds[];
int alerts_command(const struct invocation *invocation);
int status_command(const struct invocation *invocation);
