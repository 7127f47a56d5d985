/* tidings: the table of its commands. */
#include "broker/main/commands.h"
#include "broker/main/word.h"

#include <signal.h>
#include <string.h>

static const struct command *const commands[] = {
    &serve_command,
    &simulate_command,
    &organisation_add_command,
    &organisation_list_command,
    &organisation_show_command,
    &subscriber_add_command,
    &subscriber_list_command,
    &subscriber_show_command,
    &register_add_command,
    &register_list_command,
    &register_end_command,
    &subscribe_add_command,
    &subscribe_list_command,
    &subscribe_show_command,
    &subscribe_end_command,
    &token_add_command,
    &token_end_command,
    &token_link_command,
    &publish_command,
    &alerts_command,
    &replay_command,
    &status_command,
    &verify_command,
    &recover_command,
};
enum { COMMAND_COUNT = sizeof commands / sizeof commands[0] };

/* The only file variable of the program: a signal has nothing else to write to. */
static atomic_bool stopping;

static void stop(int signal_number)
{
    (void)signal_number;
    atomic_store(&stopping, true);
}

/* A client that goes away while it is written to is no reason to end. */
static void signals_prepare(const struct command *command)
{
    struct sigaction ignore = {.sa_handler = SIG_IGN}, ask_to_stop = {.sa_handler = stop};
    (void)sigaction(SIGPIPE, &ignore, NULL);
    if (command->looks_at_stop) {
        (void)sigaction(SIGTERM, &ask_to_stop, NULL);
        (void)sigaction(SIGINT, &ask_to_stop, NULL);
    }
}

/* ---- --help ---- */

static int help_all(FILE *to, int code)
{
    (void)fprintf(to,
                  "tidings COMMAND [options]: tells the people who look after a patient what has just happened.\n\n");
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char left[64];
        (void)snprintf(left, sizeof left, "%s %s", commands[i]->name, commands[i]->arguments);
        (void)fprintf(to, "  %-26s %s\n", left, commands[i]->summary);
    }
    (void)fprintf(to, "\n`tidings COMMAND --help` says what each takes. Exit: 0 done, 1 could not, 2 wrong usage.\n");
    return code;
}

static int help_one(const struct command *command)
{
    printf("tidings %s%s%s [options]: %s\n\n", command->name, command->arguments[0] == '\0' ? "" : " ",
           command->arguments, command->summary);
    options_help(command->options, stdout);
    if (command->more != NULL)
        printf("\n%s\n", command->more);
    return EXIT_DONE;
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--") == 0)
            return false;
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

/* ---- Finding the command ---- */

/* How many of the words name this command: 0, 1 or 2. */
static int words_of(const struct command *command, int argc, char **argv)
{
    const char *space = strchr(command->name, ' ');
    size_t size = space == NULL ? strlen(command->name) : (size_t)(space - command->name);
    if (argc < 1 || strlen(argv[0]) != size || memcmp(argv[0], command->name, size) != 0)
        return 0;
    if (space == NULL)
        return 1;
    return argc > 1 && strcmp(argv[1], space + 1) == 0 ? 2 : 0;
}

/* "organisation" alone, or with a word that it does not have: names what it has. False: no such first word. */
static bool family_help(int argc, char **argv, FILE *to)
{
    size_t size = strlen(argv[0]);
    bool found = false;
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        const struct command *command = commands[i];
        if (strncmp(command->name, argv[0], size) != 0 || command->name[size] != ' ')
            continue;
        if (!found && argc > 1 && argv[1][0] != '-')
            (void)fprintf(to, "tidings: there is no command `%.40s %.40s`\n", argv[0], argv[1]);
        (void)fprintf(to, "  tidings %s %s: %s\n", command->name, command->arguments, command->summary);
        found = true;
    }
    return found;
}

static int unknown_command(int argc, char **argv)
{
    if (family_help(argc, argv, asks_for_help(argc, argv) ? stdout : stderr))
        return asks_for_help(argc, argv) ? EXIT_DONE : EXIT_WRONG_USAGE;
    const char *nearest = NULL;
    char words[64];
    (void)snprintf(words, sizeof words, "%.30s", argv[0]);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        char first[64];
        (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(commands[i]->name, " "), commands[i]->name);
        if (nearest == NULL && word_is_near(words, first))
            nearest = commands[i]->name;
    }
    (void)fprintf(stderr, "tidings: there is no command `%s`", words);
    if (nearest != NULL)
        (void)fprintf(stderr, "; is `%.*s` meant?", (int)strcspn(nearest, " "), nearest);
    (void)fprintf(stderr, "\n`tidings --help` lists them.\n");
    return EXIT_WRONG_USAGE;
}

static int run(const struct command *command, int argc, char **argv)
{
    struct options options = {0};
    struct invocation invocation = {command, &options, &stopping};
    struct error err;
    enum result result = options_read(command->options, argc, argv, &options, &err);
    if (result == OK && (options.argument_count < command->least || options.argument_count > command->most))
        result =
            error_set(&err, REJECTED,
                      options.argument_count < command->least ? "%s is missing" : "%s is all it takes beside options",
                      command->arguments[0] == '\0' ? "nothing" : command->arguments);
    int code = result == OK ? command->run(&invocation) : command_misused(&invocation, &err);
    options_destroy(&options);
    if (fflush(stdout) != 0 && code == EXIT_DONE)
        code = EXIT_COULD_NOT; /* nobody took what it printed */
    return code;
}

int main(int argc, char **argv)
{
    argc--;
    argv++;
    if (argc == 0)
        return help_all(stderr, EXIT_WRONG_USAGE);
    if (strcmp(argv[0], "--help") == 0 || strcmp(argv[0], "-h") == 0 || strcmp(argv[0], "help") == 0)
        return help_all(stdout, EXIT_DONE);
    for (size_t i = 0; i < COMMAND_COUNT; i++) {
        int words = words_of(commands[i], argc, argv);
        if (words == 0)
            continue;
        if (asks_for_help(argc - words, argv + words))
            return help_one(commands[i]);
        signals_prepare(commands[i]);
        return run(commands[i], argc - words, argv + words);
    }
    return unknown_command(argc, argv);
}
