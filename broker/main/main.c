/* tidings: the table of its commands. */
#include "broker/main/commands.h"
#include "broker/main/word.h"

#include <signal.h>
#include <string.h>

static const struct command commands[] = {
    {"serve",
     "",
     0,
     0,
     "runs the broker",
     {serve_option_kinds},
     serve_command,
     true,
     "When everything listens it prints one line: ready http=ADDRESS mllp=ADDRESS. SIGTERM: takes no more, finishes\n"
     "what it has, exits. The first start on an empty log makes operator.token and region.key in the data folder."},

    {"organisation add",
     "ODS",
     1,
     1,
     "adds an organisation, or replaces what is known of it",
     {organisation_option_kinds, client_option_kinds},
     organisation_add_command,
     false,
     NULL},
    {"organisation list",
     "",
     0,
     0,
     "lists the organisations",
     {client_option_kinds},
     organisation_list_command,
     false,
     NULL},
    {"organisation show",
     "ODS",
     1,
     1,
     "shows one organisation",
     {client_option_kinds},
     organisation_show_command,
     false,
     NULL},

    {"subscriber add",
     "ID",
     1,
     1,
     "adds a team or professional who can be told",
     {subscriber_option_kinds, client_option_kinds},
     subscriber_add_command,
     false,
     NULL},
    {"subscriber list", "", 0, 0, "lists who can be told", {client_option_kinds}, subscriber_list_command, false, NULL},
    {"subscriber show", "ID", 1, 1, "shows one of them", {client_option_kinds}, subscriber_show_command, false, NULL},

    {"register add",
     "SUBSCRIBER",
     1,
     1,
     "registers a patient to whoever looks after them; prints the id",
     {register_option_kinds, client_option_kinds},
     register_add_command,
     false,
     NULL},
    {"register list",
     "",
     0,
     0,
     "lists a subscriber's registrations",
     {register_list_option_kinds, client_option_kinds},
     register_list_command,
     false,
     NULL},
    {"register end", "ID", 1, 1, "ends a registration now", {client_option_kinds}, register_end_command, false, NULL},

    {"subscribe add",
     "SUBSCRIBER",
     1,
     1,
     "makes a subscription; prints its id",
     {subscribe_option_kinds, client_option_kinds},
     subscribe_add_command,
     false,
     NULL},
    {"subscribe list",
     "",
     0,
     0,
     "lists subscriptions",
     {subscribe_list_option_kinds, client_option_kinds},
     subscribe_list_command,
     false,
     NULL},
    {"subscribe show", "ID", 1, 1, "shows a subscription", {client_option_kinds}, subscribe_show_command, false, NULL},
    {"subscribe end", "ID", 1, 1, "ends a subscription", {client_option_kinds}, subscribe_end_command, false, NULL},

    {"token add",
     "",
     0,
     0,
     "makes a token and prints it, this once",
     {token_option_kinds, client_option_kinds},
     token_add_command,
     false,
     NULL},
    {"token end", "ID", 1, 1, "ends a token", {client_option_kinds}, token_end_command, false, NULL},
    {"token link",
     "ODS",
     1,
     1,
     "prints a link that signs a person in to the organisation's page",
     {client_option_kinds},
     token_link_command,
     false,
     "The link is good for ten minutes and one use."},

    {"alerts",
     "SUBSCRIPTION",
     1,
     1,
     "prints a subscription's alerts",
     {alerts_option_kinds, client_option_kinds},
     alerts_command,
     true,
     "With --json each alert is one line, as the broker gives it. An operator's token reads no patient content: with\n"
     "--data a subscriber's token is made for the subscription's organisation, good for an hour; that is on record."},
    {"replay",
     "SUBSCRIPTION",
     1,
     1,
     "asks for a webhook's alerts to be sent again",
     {replay_option_kinds, client_option_kinds},
     replay_command,
     false,
     NULL},
    {"status", "", 0, 0, "shows how the broker is", {client_option_kinds}, status_command, false, NULL},
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
        (void)snprintf(left, sizeof left, "%s %s", commands[i].name, commands[i].arguments);
        (void)fprintf(to, "  %-26s %s\n", left, commands[i].summary);
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
        const struct command *command = &commands[i];
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
        (void)snprintf(first, sizeof first, "%.*s", (int)strcspn(commands[i].name, " "), commands[i].name);
        if (nearest == NULL && word_is_near(words, first))
            nearest = commands[i].name;
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
        int words = words_of(&commands[i], argc, argv);
        if (words == 0)
            continue;
        if (asks_for_help(argc - words, argv + words))
            return help_one(&commands[i]);
        signals_prepare(&commands[i]);
        return run(&commands[i], argc - words, argv + words);
    }
    return unknown_command(argc, argv);
}
