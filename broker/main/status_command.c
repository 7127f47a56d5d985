/* `tidings status`: how the broker is. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/codec/cloudevent.h"

#include <stdlib.h>

static const struct column roles[] = {
    {"ROLE", "role"},
    {"LAG (EVENTS)", "lagEvents"},
    {"LAG (SECONDS)", "lagSeconds"},
    {0},
};

static const struct column broker_columns[] = {
    {"region", "region"},
    {"log takes records", "logHealthy"},
    {"quarantined since start   ", "quarantined"},
    {0},
};

static void seconds_print(struct view answer, const char *path, const char *title)
{
    struct arena arena = {0};
    struct view text;
    if (json_find(answer, path, &arena, &text) == OK)
        printf("%-26s  %.3f s\n", title, strtod(text.data, NULL));
    arena_destroy(&arena);
}

/* How many stand on a page of the list; "1000+" where there are more. */
static void count_print(struct broker *broker, const char *path, const char *title)
{
    struct buffer answer = {0};
    struct table items = {.columns = (const struct column[]){{"ID", "id"}, {0}}};
    struct arena arena = {0};
    struct view next;
    if (broker_ask(broker, "GET", path, NULL, &answer, NULL) == OK) {
        table_add_list(&items, buffer_view(&answer), "items");
        printf("%-26s  %zu%s\n", title, items.cell_count,
               json_find(buffer_view(&answer), "next", &arena, &next) == OK ? "+" : "");
    }
    table_destroy(&items);
    buffer_destroy(&answer);
    arena_destroy(&arena);
}

static int status(const struct invocation *invocation)
{
    struct broker broker = {0};
    struct buffer answer = {0};
    struct table table = {.columns = roles};
    struct error err;
    enum result result = broker_open(invocation->options, &broker, &err);
    if (result == OK)
        result = broker_ask(&broker, "GET", "/status", NULL, &answer, &err);
    if (result == OK && options_has(invocation->options, "json")) {
        printf("%.*s\n", VIEW_ARGS(buffer_view(&answer)));
    } else if (result == OK) {
        object_print(broker_columns, buffer_view(&answer));
        seconds_print(buffer_view(&answer), "publishToDeliverSeconds/p50", "publish to deliver, p50");
        seconds_print(buffer_view(&answer), "publishToDeliverSeconds/p99", "publish to deliver, p99");
        count_print(&broker, "/worklist?limit=1000", "work list");
        printf("\n");
        table_add_list(&table, buffer_view(&answer), "roles");
        table_print(&table);
    }
    table_destroy(&table);
    buffer_destroy(&answer);
    broker_close(&broker);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command status_command = {
    .name = "status",
    .arguments = "",
    .summary = "shows how the broker is",
    .options = {client_option_kinds},
    .run = status,
};
