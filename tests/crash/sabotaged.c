/*
 * The broker as `tidings serve` runs it, with one rule broken, or killed at one exact point: what the crash harness
 * starts. With no option of its own it is the honest broker.
 *
 *   --sabotage NAME             breaks one rule (names below)
 *   --kill-at WHO/POINT[:N]     kills itself (SIGKILL) at the Nth passing of a point, such as match/store-committed
 *   --stop-at WHO/POINT[:N]     the same, but only stops (SIGSTOP): an owner that others take for dead
 *   --faulty SCRIPT             wraps the log in the faulty one; rules separated by ';'
 *   --commit-ms N               how often folds commit
 *   --data --log --http --mllp --machine --partitions --roles   as `tidings serve`
 */
#include "broker/base/bytes.h"
#include "broker/base/view.h"
#include "broker/main/serve_options.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { ANSWER_EARLY = 1000, EXIT_MISUSED = 2 };

static const struct {
    const char *name;
    int sabotage; /* of enum sabotage, or ANSWER_EARLY, which is the publisher's */
} sabotages[] = {
    {"none", SABOTAGE_NONE},
    {"answer-early", ANSWER_EARLY},
    {"store-before-outputs", SABOTAGE_STORE_BEFORE_OUTPUTS},
    {"offset-before-outputs", SABOTAGE_OFFSET_BEFORE_OUTPUTS},
    {"watermark-without-index", SABOTAGE_WATERMARK_WITHOUT_INDEX},
    {"watermark-per-subscription", SABOTAGE_WATERMARK_PER_KEY},
    {"skip-failed-output", SABOTAGE_SKIP_FAILED_OUTPUT},
    {"no-read-back", SABOTAGE_NO_READ_BACK},
};

/* The one file variable that a signal needs, and what the point of death is compared with. */
static atomic_bool stopping;
static struct {
    struct view who, point;
    atomic_long left; /* passings until then */
    int signal;
} death;

static void stop(int signal)
{
    (void)signal;
    atomic_store(&stopping, true);
}

static void die_at_point(void *context, const char *who, const char *point)
{
    (void)context;
    if (view_is_text(death.who, who) && view_is_text(death.point, point) && atomic_fetch_sub(&death.left, 1) == 1)
        (void)kill(getpid(), death.signal);
}

/* "match/store-committed:3" */
static bool death_read(const char *text, int signal)
{
    death.signal = signal;
    const char *slash = strchr(text, '/');
    int64_t passings = 1;
    if (slash == NULL)
        return false;
    const char *colon = strchr(slash, ':');
    size_t size = colon == NULL ? strlen(slash + 1) : (size_t)(colon - slash - 1);
    if (colon != NULL && (!view_to_number(view_of_text(colon + 1), &passings) || passings < 1))
        return false;
    death.who = view_make(text, (size_t)(slash - text));
    death.point = view_make(slash + 1, size);
    atomic_store(&death.left, (long)passings);
    return true;
}

static bool sabotage_read(const char *name, struct serve_options *options)
{
    for (size_t i = 0; i < sizeof sabotages / sizeof sabotages[0]; i++) {
        if (strcmp(sabotages[i].name, name) != 0)
            continue;
        options->answer_early = sabotages[i].sabotage == ANSWER_EARLY;
        options->sabotage = options->answer_early ? SABOTAGE_NONE : sabotages[i].sabotage;
        return true;
    }
    return false;
}

static bool number_read(const char *text, int64_t *ret)
{
    return view_to_number(view_of_text(text), ret) && *ret >= 0 && *ret <= INT32_MAX;
}

/* False: not an option, or not a value that it takes. */
static bool option_read(const char *name, char *value, struct serve_options *options)
{
    const struct {
        const char *name;
        const char **to;
    } texts[] = {
        {"--data", &options->data_folder}, {"--log", &options->log},         {"--http", &options->http},
        {"--mllp", &options->mllp},        {"--machine", &options->machine},
    };
    int64_t number = 0;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (strcmp(name, texts[i].name) != 0)
            continue;
        *texts[i].to = value;
        return true;
    }
    if (strcmp(name, "--sabotage") == 0)
        return sabotage_read(value, options);
    if (strcmp(name, "--kill-at") == 0)
        return death_read(value, SIGKILL);
    if (strcmp(name, "--stop-at") == 0)
        return death_read(value, SIGSTOP);
    if (strcmp(name, "--roles") == 0) {
        struct error err;
        return roles_read(value, &options->roles, &err) == OK;
    }
    if (strcmp(name, "--faulty") == 0) {
        for (char *at = value; (at = strchr(at, ';')) != NULL; at++)
            *at = '\n';
        options->faulty_script = value;
        return true;
    }
    bool partitions = strcmp(name, "--partitions") == 0;
    if ((!partitions && strcmp(name, "--commit-ms") != 0) || !number_read(value, &number))
        return false;
    if (partitions)
        options->partitions = (int)number;
    else
        options->commit_ms = number;
    return true;
}

int main(int count, char **words)
{
    struct serve_options options;
    struct error err = {0};
    serve_options_default(&options);
    options.at_point = die_at_point;
    for (int i = 1; i < count; i += 2) {
        if (i + 1 == count || !option_read(words[i], words[i + 1], &options)) {
            (void)fprintf(stderr, "sabotaged: %s %s is not understood\n", words[i], i + 1 == count ? "" : words[i + 1]);
            return EXIT_MISUSED;
        }
    }
    struct sigaction action = {.sa_handler = stop};
    (void)sigaction(SIGTERM, &action, NULL);
    (void)sigaction(SIGINT, &action, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is a full disk, not a death */
    if (serve_run(&options, &stopping, &err) == OK)
        return EXIT_SUCCESS;
    (void)fprintf(stderr, "sabotaged: %s\n", err.text);
    return EXIT_FAILURE;
}
