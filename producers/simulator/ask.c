/* Patience. */
#include "producers/simulator/ask.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/codec/cloudevent.h"
#include "producers/simulator/pause.h"

enum { PATIENCE_MS = 60 * 1000 };

enum result ask(struct client *client, const struct question *question, const atomic_bool *raised, int *ret_status,
                struct buffer *ret_body, struct error *err)
{
    int64_t until_ms = time_monotonic_ms() + (question->patience_ms == 0 ? PATIENCE_MS : question->patience_ms);
    struct pause pause = {0};
    struct client_request request = {
        .method = question->method,
        .path = question->path,
        .content_type = question->body.data == NULL ? NULL : "application/json",
        .body = question->body,
        .idempotency_key = question->idempotency_key,
        .headers = {question->position},
    };
    for (;;) {
        int status = 0;
        buffer_clear(ret_body);
        enum result result = client_send(client, &request, &status, ret_body, err);
        if (result == OK && status != 503 && status != 429) {
            *ret_status = status;
            return OK;
        }
        if (result != OK && result != AGAIN)
            return result;
        if (result == OK)
            result = error_set(err, AGAIN, "%s %s: the broker answers %d", question->method, question->path, status);
        if (atomic_load(raised) || time_monotonic_ms() >= until_ms)
            return result;
        pause_wait(&pause, raised);
    }
}

enum result ask_refused(const struct question *question, int status, struct view body, struct error *err)
{
    struct arena arena = {0};
    struct view why = VIEW("");
    if (json_find(body, "errors/0/why", &arena, &why) != OK && json_find(body, "detail", &arena, &why) != OK)
        why = VIEW("");
    enum result result = error_set(err, REJECTED, "%s %s: the broker answers %d %.*s", question->method, question->path,
                                   status, (int)(why.size < 120 ? why.size : 120), (const char *)why.data);
    arena_destroy(&arena);
    return result;
}

const char *ask_position(const struct client *client, struct buffer *to)
{
    const char *position = client_answer_header(client, "Tidings-Position");
    if (position == NULL)
        return NULL;
    buffer_clear(to);
    buffer_add_format(to, "Tidings-Position: %s", position);
    buffer_add_byte(to, '\0');
    return (const char *)to->data;
}
