/* Asks the broker: one request, its answer or the reason why not. */
#include "broker/main/broker.h"

#include "broker/base/bytes.h"
#include "broker/base/json.h"
#include "broker/base/time.h"
#include "broker/codec/cloudevent.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

enum {
    PATIENCE_MS = 20 * 1000, /* how long "later" is taken for an answer: a restart, a full disk that heals */
    FIRST_PAUSE_MS = 200,
    LONGEST_PAUSE_MS = 3000,
    KEY_BYTES = 16,
    BORROWED_MS = 3600 * 1000,
};

void broker_pause(int ms)
{
    uint8_t jitter;
    vault_random(&jitter, sizeof jitter);
    (void)poll(NULL, 0, ms + ms * jitter / 512);
}

static enum result problem_line(struct view answer, struct buffer *to, struct arena *arena)
{
    struct view text;
    if (json_find(answer, "detail", arena, &text) != OK && json_find(answer, "errors", arena, &text) != OK &&
        json_find(answer, "validationErrors", arena, &text) != OK)
        return NOTHING;
    buffer_add_view(to, text);
    return OK;
}

struct reasons {
    struct buffer *to;
    struct arena *arena;
};

static bool reason_add(void *context, struct view element)
{
    struct reasons *reasons = context;
    struct view at = VIEW(""), why;
    if (json_find(element, "why", reasons->arena, &why) != OK)
        return true;
    (void)!json_find(element, "at", reasons->arena, &at);
    buffer_add_format(reasons->to, "%s%.*s: %.*s", reasons->to->size == 0 ? "" : "; ", VIEW_ARGS(at), VIEW_ARGS(why));
    return true;
}

enum result broker_refusal(const struct broker *broker, int status, struct view answer, struct error *err)
{
    struct buffer text = {0};
    struct arena arena = {0};
    struct reasons reasons = {&text, &arena};
    if (json_each(answer, "errors", &arena, reason_add, &reasons) != OK || text.size == 0)
        (void)!problem_line(answer, &text, &arena);
    if (status == 401)
        buffer_add_text(&text, " (--data DIR on its machine, --token-file FILE or TIDINGS_TOKEN)");
    if (text.size == 0)
        buffer_add_format(&text, "%s answered %d", broker->url, status);
    enum result result =
        error_set(err, status == 429 || status >= 500 ? AGAIN : REJECTED, "%.*s", VIEW_ARGS(buffer_view(&text)));
    buffer_destroy(&text);
    arena_destroy(&arena);
    return result;
}

/* Whoever asks next, on whichever connection, is to see the change: waits until the broker has. */
static void change_wait(struct broker *broker)
{
    char header[512];
    int status;
    const char *position = client_answer_header(broker->client, "Tidings-Position");
    if (position == NULL)
        return;
    (void)snprintf(header, sizeof header, "Tidings-Position: %s", position);
    struct client_request look = {.method = "GET", .path = "/organisations?limit=1", .headers = {header}};
    (void)!client_send(broker->client, &look, &status, NULL, NULL); /* it is made already, whatever this says */
}

static enum result send_patiently(struct broker *broker, const struct client_request *request, int *ret_status,
                                  struct buffer *answer, struct error *err)
{
    int64_t until_ms = time_monotonic_ms() + PATIENCE_MS;
    int pause_ms = FIRST_PAUSE_MS;
    for (;;) {
        buffer_clear(answer);
        enum result result = client_send(broker->client, request, ret_status, answer, err);
        if (result != OK || (*ret_status != 503 && *ret_status != 429) || time_monotonic_ms() > until_ms)
            return result;
        broker_pause(pause_ms);
        pause_ms = pause_ms * 2 < LONGEST_PAUSE_MS ? pause_ms * 2 : LONGEST_PAUSE_MS;
    }
}

enum result broker_post(struct broker *broker, const char *path, const char *content_type, struct view body,
                        int *ret_status, struct buffer *ret_answer, struct error *err)
{
    struct client_request request = {.method = "POST", .path = path, .content_type = content_type, .body = body};
    return send_patiently(broker, &request, ret_status, ret_answer, err);
}

enum result broker_ask(struct broker *broker, const char *method, const char *path, const struct buffer *body,
                       struct buffer *ret_answer, struct error *err)
{
    struct buffer own = {0}, *answer = ret_answer == NULL ? &own : ret_answer;
    bool changes = strcmp(method, "GET") != 0;
    uint8_t random[KEY_BYTES];
    char key[2 * KEY_BYTES];
    int status = 0;
    vault_random(random, sizeof random);
    bytes_to_base64url(VIEW_OF(random), key);
    struct client_request request = {.method = method, .path = path};
    if (strcmp(method, "POST") == 0)
        request.idempotency_key = key; /* so that asking again after "perhaps" makes no second one */
    if (body != NULL) {
        request.content_type = "application/json";
        request.body = buffer_view(body);
    }
    enum result result = send_patiently(broker, &request, &status, answer, err);
    if (result == OK && (status < 200 || status > 299))
        result = broker_refusal(broker, status, buffer_view(answer), err);
    else if (result == OK && changes)
        change_wait(broker);
    buffer_destroy(&own);
    return result;
}

enum result broker_borrow_token(struct broker *broker, struct view organisation, const char *role,
                                char ret_id[TOKEN_ID_SIZE], char ret_token[TOKEN_TEXT_SIZE], struct error *err)
{
    struct buffer body = {0}, answer = {0};
    struct arena arena = {0};
    struct view id, token;
    struct json json = json_start(&body);
    json_open_object(&json);
    json_name(&json, "organisations");
    json_open_array(&json);
    json_text(&json, organisation);
    json_close_array(&json);
    json_name(&json, "roles");
    json_open_array(&json);
    json_text(&json, view_of_text(role));
    json_close_array(&json);
    json_member_time(&json, "expiresAt", time_now_ms() + BORROWED_MS);
    json_close_object(&json);
    enum result result = broker_ask(broker, "POST", "/tokens", &body, &answer, err);
    if (result == OK && (json_find(buffer_view(&answer), "id", &arena, &id) != OK ||
                         json_find(buffer_view(&answer), "token", &arena, &token) != OK || id.size >= TOKEN_ID_SIZE ||
                         token.size >= TOKEN_TEXT_SIZE))
        result = error_set(err, REJECTED, "%.100s gave no token", broker->url);
    if (result == OK) {
        (void)snprintf(ret_id, TOKEN_ID_SIZE, "%.*s", VIEW_ARGS(id));
        (void)snprintf(ret_token, TOKEN_TEXT_SIZE, "%.*s", VIEW_ARGS(token));
    }
    buffer_destroy(&body);
    buffer_destroy(&answer);
    arena_destroy(&arena);
    return result;
}

void broker_give_back_token(struct broker *broker, const char *id)
{
    struct buffer path = {0};
    buffer_add_text(&path, "/tokens/");
    path_add(&path, id);
    (void)!broker_ask(broker, "DELETE", path_text(&path), NULL, NULL, NULL); /* it ends within the hour by itself */
    buffer_destroy(&path);
}
