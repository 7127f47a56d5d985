/* `tidings alerts`: what one subscription was told: pull, then (with --follow) the live stream. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/base/time.h"
#include "broker/codec/cloudevent.h"

#include <stdio.h>

enum {
    PAGE = 200,
    BORROWED_FOR_MS = 50 * 60 * 1000, /* a borrowed token is good for an hour */
    FIRST_PAUSE_MS = 500,
    LONGEST_PAUSE_MS = 10 * 1000,
};

static const struct option_kind alerts_option_kinds[] = {
    {"after", "NUMBER", "the last number that you have (0: all)", false},
    {"follow", NULL, "goes on with what comes, until it is stopped", false},
    {0},
};

/* The alerts of one subscription on their way to stdout. */
struct reading {
    const struct invocation *invocation;
    const char *subscription;
    int64_t last; /* the last number printed, or not wanted */
    struct broker broker;
    char token_id[TOKEN_ID_SIZE], token[TOKEN_TEXT_SIZE]; /* borrowed; "": none */
    int64_t borrowed_ms;
    bool moved; /* something came on this connection */
};

static struct view member(struct arena *arena, struct view alert, const char *path, const char *other_path)
{
    struct view found;
    if (json_find(alert, path, arena, &found) != OK &&
        (other_path == NULL || json_find(alert, other_path, arena, &found) != OK))
        return VIEW("-");
    return shown_text(arena, found);
}

/* False: nobody reads stdout any more. */
static bool alert_print(struct reading *reading, int64_t number, struct view alert)
{
    struct arena arena = {0};
    if (options_has(reading->invocation->options, "json")) {
        (void)fwrite(alert.data, 1, alert.size, stdout);
        printf("\n");
    } else {
        struct view time = member(&arena, alert, "time", NULL), kind = member(&arena, alert, "data/kind", NULL);
        struct view type = member(&arena, alert, "type", NULL);
        struct view who = member(&arena, alert, "subject", "data/patientRef");
        struct view where = member(&arena, alert, "data/encounter/organisation", "data/publisher");
        struct view ward = member(&arena, alert, "data/encounter/ward", "data/carePlan/title");
        printf("%6lld  %.*s  %-10.*s  %-26.*s  %-10.*s  %.*s %.*s\n", (long long)number, VIEW_ARGS(time),
               VIEW_ARGS(kind), VIEW_ARGS(type), VIEW_ARGS(who), VIEW_ARGS(where), VIEW_ARGS(ward));
    }
    arena_destroy(&arena);
    reading->last = number;
    reading->moved = true;
    return fflush(stdout) == 0;
}

static bool is_stopped(const struct reading *reading)
{
    return atomic_load(reading->invocation->stop) || ferror(stdout);
}

/* ---- The connection ---- */

/* An operator's token reads no patient content: it makes one that does, for the subscription's organisation. */
static enum result token_borrow(struct reading *reading, struct broker *operators, struct error *err)
{
    struct buffer path = {0}, answer = {0};
    struct arena arena = {0};
    struct view subscriber, organisation = VIEW_NONE;
    enum result result = broker_ask(operators, "GET", path_make(&path, "/subscriptions/", reading->subscription, ""),
                                    NULL, &answer, err);
    if (result == OK)
        result = json_find(buffer_view(&answer), "subscriber", &arena, &subscriber);
    if (result == OK)
        result =
            broker_ask(operators, "GET", path_make(&path, "/subscribers/", subscriber.data, ""), NULL, &answer, err);
    if (result == OK)
        result = json_find(buffer_view(&answer), "organisation", &arena, &organisation);
    if (result == OK)
        result = broker_borrow_token(operators, organisation, "subscriber", reading->token_id, reading->token, err);
    if (result == OK)
        reading->borrowed_ms = time_monotonic_ms();
    buffer_destroy(&path);
    buffer_destroy(&answer);
    arena_destroy(&arena);
    return result;
}

static enum result reading_connect(struct reading *reading, struct error *err)
{
    struct broker found = {0};
    enum result result = broker_open(reading->invocation->options, &found, err);
    if (result != OK || !found.is_operator) {
        reading->broker = found;
        return result;
    }
    if (reading->token[0] == '\0' || time_monotonic_ms() - reading->borrowed_ms > BORROWED_FOR_MS)
        result = token_borrow(reading, &found, err);
    if (result == OK)
        result = broker_open_as(&found, reading->token, &reading->broker, err);
    broker_close(&found);
    return result;
}

static void reading_close(struct reading *reading)
{
    struct broker found = {0};
    broker_close(&reading->broker);
    if (reading->token[0] != '\0' && broker_open(reading->invocation->options, &found, NULL) == OK)
        broker_give_back_token(&found, reading->token_id);
    broker_close(&found);
    explicit_bzero(reading->token, sizeof reading->token);
}

/* ---- Pull ---- */

static bool page_print_one(void *context, struct view alert)
{
    struct reading *reading = context;
    struct arena arena = {0};
    struct view text;
    int64_t number;
    bool known = json_find(alert, "data/number", &arena, &text) == OK && view_to_number(text, &number);
    arena_destroy(&arena);
    return known && alert_print(reading, number, alert) && !is_stopped(reading);
}

/* Prints what there is after reading->last. */
static enum result pull(struct reading *reading, struct error *err)
{
    struct buffer path = {0}, answer = {0};
    struct arena arena = {0};
    struct view text;
    enum result result = OK;
    int64_t head = INT64_MAX, before = -1;
    while (result == OK && before < reading->last && reading->last < head && !is_stopped(reading)) {
        before = reading->last;
        (void)path_make(&path, "/subscriptions/", reading->subscription, "/alerts");
        buffer_add_format(&path, "?after=%lld&limit=%d", (long long)reading->last, PAGE);
        result = broker_ask(&reading->broker, "GET", path_text(&path), NULL, &answer, err);
        if (result == OK &&
            (json_find(buffer_view(&answer), "head", &arena, &text) != OK || !view_to_number(text, &head) ||
             json_each(buffer_view(&answer), "alerts", &arena, page_print_one, reading) != OK))
            result = error_set(err, REJECTED, "%.100s answered with no page of alerts", reading->broker.url);
        arena_reset(&arena);
    }
    buffer_destroy(&path);
    buffer_destroy(&answer);
    arena_destroy(&arena);
    return result;
}

/* ---- The live stream ---- */

static bool stream_print_one(void *context, struct view id, struct view event, struct view data)
{
    struct reading *reading = context;
    int64_t number;
    if (!view_is_text(event, "alert") || !view_to_number(id, &number) || number <= reading->last)
        return true;
    return alert_print(reading, number, data) && !is_stopped(reading);
}

static enum result stream(struct reading *reading, struct error *err)
{
    struct buffer path = {0};
    char last[32];
    (void)snprintf(last, sizeof last, "%lld", (long long)reading->last);
    /* _Atomic bool and bool are the same byte; the stream only looks at it. */
    const atomic_bool *stop = reading->invocation->stop;
    enum result result =
        client_stream(reading->broker.client, path_make(&path, "/subscriptions/", reading->subscription, "/stream"),
                      last, stream_print_one, reading, stop, err);
    buffer_destroy(&path);
    return result;
}

/* Comes back after every break, with the number it has. */
static enum result follow(struct reading *reading, struct error *err)
{
    int pause_ms = FIRST_PAUSE_MS;
    enum result result = OK;
    while (!is_stopped(reading)) {
        reading->moved = false;
        result = reading->broker.client == NULL ? reading_connect(reading, err) : OK;
        if (result == OK)
            result = stream(reading, err);
        if (result == REJECTED || result == FATAL || is_stopped(reading))
            break;
        broker_close(&reading->broker);
        pause_ms = reading->moved ? FIRST_PAUSE_MS : pause_ms;
        broker_pause(pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
    return is_stopped(reading) ? OK : result;
}

static int alerts(const struct invocation *invocation)
{
    struct reading reading = {.invocation = invocation, .subscription = invocation_argument(invocation, 0)};
    struct error err;
    if (options_number(invocation->options, "after", 0, INT64_MAX - PAGE, &reading.last, &err) != OK)
        return command_misused(invocation, &err);
    enum result result = reading_connect(&reading, &err);
    if (result == OK)
        result = pull(&reading, &err);
    if (result == OK && options_has(invocation->options, "follow"))
        result = follow(&reading, &err);
    reading_close(&reading);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command alerts_command = {
    .name = "alerts",
    .arguments = "SUBSCRIPTION",
    .least = 1,
    .most = 1,
    .summary = "prints a subscription's alerts",
    .options = {alerts_option_kinds, client_option_kinds},
    .run = alerts,
    .looks_at_stop = true,
    .more =
        "With --json each alert is one line, as the broker gives it. An operator's token reads no patient content: "
        "with\n"
        "--data a subscriber's token is made for the subscription's organisation, good for an hour; that is on record.",
};
