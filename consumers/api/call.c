/* One request on its way to an answer. */
#include "consumers/api/inside.h"

#include "broker/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

void call_destroy(struct call *call)
{
    buffer_destroy(&call->body);
    arena_destroy(&call->arena);
    free(call);
}

static void answer_and_free(struct call *call, struct http_answer *answer, struct view position)
{
    size_t count = 0;
    struct view correlation = http_header(call->request, "X-Correlation-ID");
    if (correlation.size > 0 && correlation.size <= 128) {
        answer->headers[count].name = "X-Correlation-ID";
        answer->headers[count++].value = correlation;
    }
    if (position.size > 0) {
        answer->headers[count].name = "Tidings-Position";
        answer->headers[count++].value = position;
    }
    if (call->cookie.data != NULL) {
        answer->headers[count].name = "Set-Cookie";
        answer->headers[count++].value = call->cookie;
    }
    if (answer->status == 503 || answer->status == 429) {
        answer->headers[count].name = "Retry-After";
        answer->headers[count++].value = VIEW("1");
    }
    http_answer(call->request, answer);
    call_destroy(call);
}

void call_answer(struct call *call, int status, struct view json)
{
    struct http_answer answer = {
        .status = status, .content_type = json.data == NULL ? NULL : "application/json", .body = json};
    answer_and_free(call, &answer, VIEW_NONE);
}

static const char *status_title(int status)
{
    switch (status) {
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 409:
        return "Conflict";
    case 503:
        return "Service Unavailable";
    default:
        return "Error";
    }
}

static void problem_write(struct json *json, int status, const char *detail, const struct problems *problems)
{
    json_open_object(json);
    json_member_text(json, "type", VIEW("about:blank"));
    json_member_text(json, "title", view_of_text(status_title(status)));
    json_member_number(json, "status", status);
    json_member_text(json, "detail", view_of_text(detail));
    if (problems != NULL && problems->count > 0) {
        json_name(json, "errors");
        json_open_array(json);
        for (size_t i = 0; i < problems->count; i++) {
            json_open_object(json);
            json_member_text(json, "at", view_of_text(problems->list[i].at));
            json_member_text(json, "why", view_of_text(problems->list[i].why));
            json_close_object(json);
        }
        json_close_array(json);
    }
    json_close_object(json);
}

static void problem_answer(struct call *call, int status, const char *detail, const struct problems *problems)
{
    struct buffer text = {0};
    struct json json = json_start(&text);
    problem_write(&json, status, detail, problems);
    struct http_answer answer = {
        .status = status, .content_type = "application/problem+json", .body = buffer_view(&text)};
    answer_and_free(call, &answer, VIEW_NONE);
    buffer_destroy(&text);
}

void call_problem(struct call *call, int status, const char *detail)
{
    problem_answer(call, status, detail, NULL);
}

void call_problems(struct call *call, const struct problems *problems)
{
    problem_answer(call, 400, "The request is not what this route takes; `errors` says where and why.", problems);
}

void call_not_found(struct call *call)
{
    call_problem(call, 404, "There is no such object, or it is not yours.");
}

void call_park(struct call *call)
{
    call->next = call->api->calls;
    call->api->calls = call;
}

void call_unpark(struct call *call)
{
    struct call **at = &call->api->calls;
    while (*at != NULL && *at != call)
        at = &(*at)->next;
    if (*at == call)
        *at = call->next;
}

bool call_waits_beyond(struct call *call, void (*resume)(struct call *call))
{
    enum { BEYOND_MS = 300 };
    if (call->beyond) {
        call_problem(call, 409, "The number in `after` was never given: the log was restored. Ask from 0.");
        return false;
    }
    call->beyond = true;
    call->resume = resume;
    call->deadline_ms = time_monotonic_ms() + BEYOND_MS;
    call_park(call);
    return true;
}

void call_append(struct call *call, const struct log_entry *entries, size_t count, size_t answered_entry, int status)
{
    struct api *api = call->api;
    struct error err;
    call->ticket = ++api->next_ticket;
    call->ticket_topic = entries[answered_entry].topic;
    call->ticket_partition = entries[answered_entry].partition;
    call->ticket_entry = answered_entry;
    call->status = status;
    if (log_append(api->appender, entries, count, call->ticket, &err) != OK) {
        call_problem(call, 503, "The log takes no records now; send the same request again.");
        return;
    }
    call->deadline_ms = time_monotonic_ms() + LIMIT_PUBLISH_WAIT_MS;
    call_park(call);
}

void call_made(struct call *call)
{
    char text[POSITION_TEXT_SIZE];
    const struct topic_position *position = &call->positions[0];
    bool waited = call->made;
    call->made = !waited && !position_is_passed(call->api, position);
    if (call->made) {
        call->deadline_ms = time_monotonic_ms() + LIMIT_PUBLISH_WAIT_MS;
        call_park(call);
        return;
    }
    struct http_answer answer = {
        .status = call->status,
        .content_type = call->body.size == 0 ? NULL : "application/json",
        .body = buffer_view(&call->body),
    };
    answer_and_free(call, &answer, position_to_text(position->topic, &position->position, text));
}

/* What was appended is durable. A token is usable at once, and who changes what was just made changes that: so the
 * answer, with where it stands, goes out when this process has seen it. */
static void call_finish(struct call *call, const struct log_answer *appended)
{
    struct api *api = call->api;
    call_unpark(call);
    if (appended->result != OK) {
        call_problem(call, 503, "It is not known whether this is durable; send the same request again.");
        return;
    }
    if (call->then != NULL) {
        call->deadline_ms = 0;
        call->then(call);
        return;
    }
    if (api->options.at_point != NULL)
        api->options.at_point(api->options.context, "api", "append-durable");
    call->positions[0] =
        (struct topic_position){call->ticket_topic, {call->ticket_partition, appended->offsets[call->ticket_entry]}};
    call->position_count = 1;
    call_made(call);
}

void calls_collect(struct api *api)
{
    struct log_answer answer;
    while (log_collect(api->appender, 0, &answer) == OK) {
        struct call *call = api->calls;
        while (call != NULL && call->ticket != answer.token)
            call = call->next;
        if (call != NULL)
            call_finish(call, &answer);
    }
}

void call_published(struct call *call, const struct publication_answer *published)
{
    call_unpark(call);
    if (published->outcome == PUBLICATION_UNCERTAIN) {
        call_problem(call, 503, "It is not known whether this is durable; send the same request again.");
        return;
    }
    if (published->outcome == PUBLICATION_CONFLICT) {
        call_problem(call, 409, "Another one is being made under the same Idempotency-Key.");
        return;
    }
    call->positions[0] = (struct topic_position){TOPIC_EVENTS, published->position};
    call->position_count = 1;
    call_made(call);
}

bool call_page(struct call *call, size_t *ret_limit, struct view *ret_after)
{
    struct view limit = http_query(call->request, "limit");
    int64_t number = 100;
    if (limit.data != NULL && (!view_to_number(limit, &number) || number < 1 || number > LIMIT_PAGE)) {
        call_problem(call, 400, "limit is a number from 1 to 1000.");
        return false;
    }
    *ret_limit = (size_t)number;
    *ret_after = http_query(call->request, "after");
    return true;
}

struct view call_make_id(struct call *call, struct view organisation, const char *kind)
{
    struct view key = http_header(call->request, "Idempotency-Key");
    uint8_t hash[16];
    char text[24];
    if (key.size > 0) {
        struct view parts[] = {view_of_text(kind), organisation, key};
        vault_hash(parts, 3, hash, sizeof hash);
    } else {
        vault_random(hash, sizeof hash);
    }
    bytes_to_base64url(VIEW_OF(hash), text);
    return arena_copy(&call->arena, view_of_text(text));
}
