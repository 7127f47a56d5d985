/* What all commands say in the same words. */
#include "broker/main/command.h"

const char *invocation_argument(const struct invocation *invocation, size_t place)
{
    return place < invocation->options->argument_count ? invocation->options->arguments[place] : NULL;
}

int command_failed(const struct invocation *invocation, const struct error *err)
{
    (void)fflush(stdout);
    (void)fprintf(stderr, "tidings %s: %s\n", invocation->command->name, err->text);
    return EXIT_COULD_NOT;
}

int command_misused(const struct invocation *invocation, const struct error *err)
{
    (void)fprintf(stderr, "tidings %s: %s\n", invocation->command->name, err->text);
    (void)fprintf(stderr, "`tidings %s --help` says what it takes.\n", invocation->command->name);
    return EXIT_WRONG_USAGE;
}
