/* A client command from the question to what is printed. */
#include "broker/main/answer.h"

#include "broker/base/json.h"
#include "broker/codec/cloudevent.h"

#include <stdio.h>

enum { PAGE = 1000 };

const char *path_make(struct buffer *to, const char *before, const char *part, const char *after)
{
    buffer_clear(to);
    buffer_add_text(to, before);
    path_add(to, part);
    buffer_add_text(to, after);
    return path_text(to);
}

void json_member_options(struct json *json, const char *name, const struct options *options, const char *option)
{
    if (!options_has(options, option))
        return;
    json_name(json, name);
    json_open_array(json);
    const char *text;
    for (size_t i = 0; (text = options_nth(options, option, i)) != NULL; i++)
        json_text(json, view_of_text(text));
    json_close_array(json);
}

void json_member_option(struct json *json, const char *name, const struct options *options, const char *option)
{
    json_member_text(json, name, view_of_text(options_find(options, option)));
}

static void print_as_is(struct view answer)
{
    (void)fwrite(answer.data, 1, answer.size, stdout);
    if (answer.size > 0)
        printf("\n");
}

static enum result ask_once(const struct invocation *invocation, const char *method, const char *path,
                            const struct buffer *body, struct buffer *ret_answer, struct error *err)
{
    struct broker broker = {0};
    enum result result = broker_open(invocation->options, &broker, err);
    if (result == OK)
        result = broker_ask(&broker, method, path, body, ret_answer, err);
    broker_close(&broker);
    return result;
}

int answer_show(const struct invocation *invocation, const char *method, const char *path, const struct buffer *body,
                const struct column *columns)
{
    struct buffer answer = {0};
    struct error err;
    enum result result = ask_once(invocation, method, path, body, &answer, &err);
    if (result == OK && options_has(invocation->options, "json"))
        print_as_is(buffer_view(&answer));
    else if (result == OK)
        object_print(columns, buffer_view(&answer));
    buffer_destroy(&answer);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

int answer_show_member(const struct invocation *invocation, const char *method, const char *path,
                       const struct buffer *body, const char *member)
{
    struct buffer answer = {0};
    struct arena arena = {0};
    struct view text;
    struct error err;
    enum result result = ask_once(invocation, method, path, body, &answer, &err);
    if (result == OK && options_has(invocation->options, "json"))
        print_as_is(buffer_view(&answer));
    else if (result == OK && member != NULL && json_find(buffer_view(&answer), member, &arena, &text) == OK)
        print_as_is(shown_text(&arena, text));
    buffer_destroy(&answer);
    arena_destroy(&arena);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

/* The cursor of the page after this one. False: it is the last. */
static bool next_page(struct view answer, struct buffer *ret_next)
{
    struct arena arena = {0};
    struct view next;
    bool more = json_find(answer, "next", &arena, &next) == OK;
    buffer_clear(ret_next);
    if (more)
        buffer_add_view(ret_next, next);
    arena_destroy(&arena);
    return more;
}

int answer_list(const struct invocation *invocation, const char *path, const struct column *columns)
{
    struct broker broker = {0};
    struct table table = {.columns = columns};
    struct buffer page = {0}, answer = {0}, next = {0};
    struct error err;
    enum result result = broker_open(invocation->options, &broker, &err);
    for (bool more = true; more && result == OK;) {
        buffer_clear(&page);
        buffer_add_format(&page, "%s%slimit=%d", path, strchr(path, '?') == NULL ? "?" : "&", PAGE);
        if (next.size > 0) {
            buffer_add_text(&page, "&after=");
            path_add(&page, path_text(&next));
        }
        result = broker_ask(&broker, "GET", path_text(&page), NULL, &answer, &err);
        if (result == OK && options_has(invocation->options, "json"))
            print_as_is(buffer_view(&answer));
        else if (result == OK)
            table_add_list(&table, buffer_view(&answer), "items");
        more = result == OK && next_page(buffer_view(&answer), &next);
    }
    if (result == OK && !options_has(invocation->options, "json"))
        table_print(&table);
    table_destroy(&table);
    buffer_destroy(&page);
    buffer_destroy(&answer);
    buffer_destroy(&next);
    broker_close(&broker);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}
