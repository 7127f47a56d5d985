/* `tidings status`: how the broker is. */
#include "broker/main/answer.h"
#include "broker/main/commands.h"

#include "broker/codec/cloudevent.h"

static const struct column roles[] = {
    {"ROLE", "role"},
    {"LAG (EVENTS)", "lagEvents"},
    {"LAG (SECONDS)", "lagSeconds"},
    {0},
};

static const struct column broker_columns[] = {
    {"region", "region"},
    {"log takes records", "logHealthy"},
    {"quarantined", "quarantined"},
    {"publish to deliver p50 (s)", "publishToDeliverSeconds/p50"},
    {"publish to deliver p99 (s)", "publishToDeliverSeconds/p99"},
    {0},
};

/* How many stand on a page of the list; "1000+" where there are more. */
static void count_print(struct broker *broker, const char *path, const char *title)
{
    struct buffer answer = {0};
    struct table items = {.columns = (const struct column[]){{"ID", "id"}, {0}}};
    struct arena arena = {0};
    struct view next;
    if (broker_ask(broker, "GET", path, NULL, &answer, NULL) == OK) {
        table_add_list(&items, buffer_view(&answer), "items");
        printf("%-28s%zu%s\n", title, items.cell_count,
               json_find(buffer_view(&answer), "next", &arena, &next) == OK ? "+" : "");
    }
    table_destroy(&items);
    buffer_destroy(&answer);
    arena_destroy(&arena);
}

int status_command(const struct invocation *invocation)
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
