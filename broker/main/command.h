/* A command of the program: its words, its options, what it does. */
#pragma once

#include "broker/main/options.h"

#include <stdatomic.h>

enum { EXIT_DONE = 0, EXIT_COULD_NOT = 1, EXIT_WRONG_USAGE = 2 };

struct command;

/* One call of a command. */
struct invocation {
    const struct command *command;
    struct options *options;
    const atomic_bool *stop; /* SIGTERM or SIGINT came; only for commands that say they look */
};

struct command {
    const char *name;      /* one word or two: "serve", "organisation add" */
    const char *arguments; /* as --help calls them: "ODS", "FILE..."; "" */
    size_t least, most;    /* how many */
    const char *summary;   /* one line: what it does */
    const struct option_kind *options[OPTION_TABLES];
    int (*run)(const struct invocation *invocation); /* answers the program's exit code */
    bool looks_at_stop;                              /* false: a signal ends it at once */
    const char *more;                                /* a paragraph for --help; NULL: none */
};

const char *invocation_argument(const struct invocation *invocation, size_t place); /* NULL: not given */
/* Prints the reason, with the command's name, to stderr. Both answer the exit code. */
int command_failed(const struct invocation *invocation, const struct error *err);
int command_misused(const struct invocation *invocation, const struct error *err);
