/* Live streams (server-sent events; WHATWG HTML, 9.2): replayed from a number, then served from memory as alerts are
 * numbered. */
#include "consumers/api/inside.h"

#include "broker/base/metrics.h"

#include <stdio.h>
#include <stdlib.h>

enum { REPLAY_AT_ONCE = 64, REPLAY_BYTES = LIMIT_STREAM_QUEUE_BYTES / 4 };

struct stream {
    struct stream *next;
    struct http_request *request;
    struct arena arena;
    struct view subscription, subscriber;
    struct view token_id; /* by whose right */
    int64_t sent;         /* the last number given to the client */
    int64_t head;         /* the last number there is */
    bool last;            /* the subscription is ended: nothing comes behind head */
    bool ended;
};

static void stream_destroy(struct stream *stream)
{
    arena_destroy(&stream->arena);
    free(stream);
    metrics_subscribers_live(-1);
}

static void stream_end(struct stream *stream)
{
    http_stream_end(stream->request);
    stream->ended = true;
}

static void chunk_write(int64_t number, struct view alert, struct buffer *to)
{
    buffer_add_format(to, "id: %lld\nevent: alert\ndata: ", (long long)number);
    buffer_add_view(to, alert);
    buffer_add_text(to, "\n\n");
}

static void stream_give(struct stream *stream, struct http_chunk *chunk, int64_t number)
{
    if (!http_stream_send(stream->request, chunk))
        stream->ended = true; /* slower than its queue: it comes again with the number it has */
    else
        stream->sent = number;
    metrics_delivery("stream", stream->ended ? "failed" : "delivered");
}

/* "Last-Event-ID means after; without either it starts at now." False: answered. */
static bool start_find(struct call *call, int64_t head, int64_t *ret)
{
    struct view text = http_header(call->request, "Last-Event-ID");
    if (text.data == NULL || text.size == 0)
        text = http_query(call->request, "after");
    *ret = head;
    if (text.data != NULL && (!view_to_number(text, ret) || *ret < 0)) {
        call_problem(call, 400, "after (or Last-Event-ID) is the number of the last alert that you have.");
        return false;
    }
    if (*ret > head)
        (void)call_waits_beyond(call, alerts_stream);
    return *ret <= head;
}

static struct stream *stream_create(const struct call *call, const struct numbered_subscription *found, int64_t start)
{
    struct stream *stream = memory_take(sizeof *stream);
    stream->request = call->request;
    stream->subscription = arena_copy(&stream->arena, found->subscription.id);
    stream->subscriber = arena_copy(&stream->arena, found->subscription.subscriber);
    stream->token_id = arena_copy(&stream->arena, call->caller.token_id);
    stream->sent = start;
    stream->head = found->head;
    stream->last = found->subscription.status == SUBSCRIPTION_ENDED;
    return stream;
}

void alerts_stream(struct call *call)
{
    struct numbered_subscription found;
    struct api *api = call->api;
    int64_t start;
    if (subscription_find(call, call->params[0], &found) != OK) {
        call_not_found(call);
        return;
    }
    if (!start_find(call, found.head, &start))
        return;
    if (api->quiescing) {
        call_problem(call, 503, "The broker is stopping; ask again.");
        return;
    }
    if (found.subscription.status == SUBSCRIPTION_ENDED && start == found.head) {
        call_answer(call, 204, VIEW_NONE); /* to a browser: do not ask again */
        return;
    }
    struct stream *stream = stream_create(call, &found, start);
    stream->next = api->streams;
    api->streams = stream;
    metrics_subscribers_live(1);
    http_stream_start(call->request, "text/event-stream; charset=utf-8");
    char first[64];
    int size = snprintf(first, sizeof first, "id: %lld\n\n", (long long)start);
    struct http_chunk *chunk = http_chunk_create(view_make(first, (size_t)size));
    if (!http_stream_send(stream->request, chunk))
        stream->ended = true;
    http_chunk_release(chunk);
    call_destroy(call);
}

void stream_cancel(struct api *api, struct http_request *request)
{
    for (struct stream **at = &api->streams; *at != NULL; at = &(*at)->next) {
        struct stream *stream = *at;
        if (stream->request != request)
            continue;
        *at = stream->next;
        stream_destroy(stream);
        return;
    }
}

void streams_end(struct api *api)
{
    while (api->streams != NULL) {
        struct stream *stream = api->streams;
        api->streams = stream->next;
        if (!stream->ended)
            http_stream_end(stream->request);
        stream_destroy(stream);
    }
}

/* Somebody listens for this subscription, or waits in a pull? Only then is the alert opened. */
static bool somebody_listens(struct api *api, struct view subscription)
{
    for (struct stream *stream = api->streams; stream != NULL; stream = stream->next)
        if (view_is(stream->subscription, subscription))
            return true;
    return false;
}

static struct http_chunk *chunk_render(struct api *api, const struct subscription *subscription, int64_t number,
                                       const struct opened_record *opened)
{
    struct arena arena = {0};
    struct event_body body;
    struct buffer alert = {0}, text = {0};
    struct http_chunk *chunk = NULL;
    enum result result = record_unseal_body(api->keyring, opened, &arena, &body, NULL);
    if (result == OK || result == NOTHING || result == REJECTED) {
        alert_write(subscription, number, opened, result == OK ? &body : NULL, api->options.region,
                    subscription->payload, &alert);
        chunk_write(number, buffer_view(&alert), &text);
        chunk = http_chunk_create(buffer_view(&text));
    }
    arena_destroy(&arena);
    buffer_destroy(&alert);
    buffer_destroy(&text);
    return chunk;
}

/* All streams of the subscription that are up to date get the same bytes; others are served from the log in their turn.
 */
static void numbered_send(struct api *api, struct view id, int64_t number, const struct opened_record *opened)
{
    struct arena arena = {0};
    struct numbered_subscription found;
    struct http_chunk *chunk = NULL;
    if (subscription_find_any(api, id, &arena, &found) == OK) {
        for (struct stream *stream = api->streams; stream != NULL; stream = stream->next) {
            if (stream->ended || !view_is(stream->subscription, id))
                continue;
            stream->head = number;
            if (stream->sent != number - 1)
                continue;
            if (chunk == NULL)
                chunk = chunk_render(api, &found.subscription, number, opened);
            if (chunk != NULL)
                stream_give(stream, chunk, number);
        }
    }
    http_chunk_release(chunk);
    arena_destroy(&arena);
}

static void subscription_ended(struct api *api, struct view id)
{
    for (struct stream *stream = api->streams; stream != NULL; stream = stream->next)
        if (view_is(stream->subscription, id))
            stream->last = true;
}

void alerts_folded(void *context, const struct fold_input *input, bool live)
{
    struct api *api = context;
    size_t count;
    if (input->opened->kind == SCHEMA_SUBSCRIPTION && input->opened->subscription.status == SUBSCRIPTION_ENDED)
        subscription_ended(api, input->opened->subscription.id);
    const struct just_numbered *numbered = number_just_numbered(api->number, &count);
    if (input->opened->kind != SCHEMA_TELLING || !live)
        return;
    for (size_t i = 0; i < count; i++) {
        metrics_alert(alert_kind_name(input->opened->telling.kind));
        if (somebody_listens(api, numbered[i].subscription))
            numbered_send(api, numbered[i].subscription, numbered[i].number, input->opened);
        pulls_wake(api, numbered[i].subscription);
        metrics_publish_to_deliver((double)(time_now_ms() - input->opened->told.recorded_at_ms) / 1000.0);
    }
}

/* From the log, a few at a time, until the stream is where the numbers are. */
static void stream_replay(struct api *api, struct stream *stream)
{
    struct arena arena = {0};
    struct numbered_subscription found;
    struct buffer alert = {0}, text = {0};
    struct error err;
    if (subscription_find_any(api, stream->subscription, &arena, &found) == OK) {
        for (int i = 0; i < REPLAY_AT_ONCE && !stream->ended && stream->sent < stream->head &&
                        http_stream_waiting(stream->request) < REPLAY_BYTES;
             i++) {
            buffer_clear(&alert);
            buffer_clear(&text);
            if (alert_read(api, &found.subscription, stream->sent + 1, found.subscription.payload, &alert, &err) != OK)
                break;
            chunk_write(stream->sent + 1, buffer_view(&alert), &text);
            struct http_chunk *chunk = http_chunk_create(buffer_view(&text));
            stream_give(stream, chunk, stream->sent + 1);
            http_chunk_release(chunk);
        }
    }
    buffer_destroy(&alert);
    buffer_destroy(&text);
    arena_destroy(&arena);
}

/* libmicrohttpd notices a client that left only when something is written: hence a comment every ten seconds. */
static void heartbeat(struct api *api)
{
    if (time_monotonic_ms() - api->last_heartbeat_ms < HEARTBEAT_MS)
        return;
    api->last_heartbeat_ms = time_monotonic_ms();
    struct http_chunk *chunk = http_chunk_create(VIEW(":\n\n"));
    for (struct stream *stream = api->streams; stream != NULL; stream = stream->next)
        if (!stream->ended && !http_stream_send(stream->request, chunk))
            stream->ended = true;
    http_chunk_release(chunk);
}

/* A stream lives no longer than the right to it: its token or session, and whom that acts for. */
static bool stream_is_allowed(struct api *api, const struct stream *stream)
{
    const struct token *token = directory_token_by_id(api->directory, stream->token_id);
    return token != NULL && directory_token_is_live(api->directory, token, time_now_ms()) &&
           token_owns_subscriber(api->directory, token, stream->subscriber);
}

/* Looked at when the directory changed, and once a second, since tokens run out. */
static void rights_look_over(struct api *api)
{
    enum { LOOK_MS = 1000 };
    int64_t now_ms = time_monotonic_ms(), position = directory_position(api->directory);
    if (position == api->rights_position && now_ms - api->rights_looked_ms < LOOK_MS)
        return;
    api->rights_position = position;
    api->rights_looked_ms = now_ms;
    for (struct stream *stream = api->streams; stream != NULL; stream = stream->next)
        if (!stream->ended && !stream_is_allowed(api, stream))
            stream_end(stream);
}

void streams_step(struct api *api)
{
    rights_look_over(api);
    for (struct stream *stream = api->streams; stream != NULL; stream = stream->next) {
        if (!stream->ended && stream->sent < stream->head)
            stream_replay(api, stream);
        if (!stream->ended && stream->last && stream->sent == stream->head)
            stream_end(stream);
    }
    heartbeat(api);
    for (struct stream **at = &api->streams; *at != NULL;) {
        struct stream *stream = *at;
        if (!stream->ended) {
            at = &stream->next;
            continue;
        }
        *at = stream->next;
        stream_destroy(stream);
    }
}
