/*
 * Options of a command: described in tables, read from the command line or from an INI file, explained by --help.
 *
 * `--name VALUE` and `--name=VALUE` are the same; `--` ends the options; `-` is an argument (stdin).
 */
#pragma once

#include "broker/base/memory.h"
#include "broker/base/result.h"

#include <stdio.h>

/* A table ends with an entry without a name. */
struct option_kind {
    const char *name;  /* without the dashes */
    const char *value; /* what it takes, as --help calls it: "DIR"; NULL: nothing */
    const char *help;  /* one line */
    bool repeats;      /* may stand several times */
};

enum { OPTION_TABLES = 3 };

struct option_given {
    const struct option_kind *kind;
    const char *value; /* "" where it takes none */
    bool by_file;
};

struct options {
    const struct option_kind *tables[OPTION_TABLES]; /* NULL: none */
    struct option_given *given;
    size_t given_count;
    const char **arguments;
    size_t argument_count;
    struct arena arena;
};

/* Reads argv[0] to argv[argc - 1]. REJECTED: the reason names what is wrong, and the nearest right option. */
enum result options_read(const struct option_kind *const tables[OPTION_TABLES], int argc, char **argv,
                         struct options *ret, struct error *err);
void options_destroy(struct options *options);

/* Adds what stands in an INI file: `name = value` lines, those of a table alone or under [section]. What the command
 * line says wins. */
enum result options_read_file(struct options *options, const char *path, const char *section, struct error *err);

/* The value given (the last one); NULL: not given. */
const char *options_find(const struct options *options, const char *name);
bool options_has(const struct options *options, const char *name);
/* The value of the place-th mention, from 0; NULL: no more. */
const char *options_nth(const struct options *options, const char *name, size_t place);
/* A whole number within bounds. Left as it is where the option is not given. REJECTED: not one. */
enum result options_number(const struct options *options, const char *name, int64_t least, int64_t most, int64_t *ret,
                           struct error *err);

void options_help(const struct option_kind *const tables[OPTION_TABLES], FILE *to);
