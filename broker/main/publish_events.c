/* CloudEvents from a file, over POST /events: one, or a list in batches. */
#include "broker/main/publishing.h"

#include "broker/codec/cloudevent.h"
#include "broker/event/limits.h"

enum { BATCH_BYTES = LIMIT_BODY_BYTES - 1024 };

static struct view event_id(struct view event, struct arena *arena)
{
    struct view id;
    return json_find(event, "id", arena, &id) == OK ? id : VIEW("");
}

/* How many of a batch the answer names as conflicts: "...; in the batch: 3, 7". The others were taken. */
static int64_t conflicts_count(struct view why)
{
    const struct view words = VIEW("in the batch: ");
    const char *at = why.size == 0 ? NULL : memmem(why.data, why.size, words.data, words.size);
    int64_t count = 1;
    if (at == NULL)
        return 1;
    for (const char *end = (const char *)why.data + why.size; at < end; at++)
        count += *at == ',';
    return count;
}

static enum result refused(struct publishing *publishing, int status, struct view answer, int64_t count, struct view id,
                           struct error *err)
{
    struct error why = {0};
    enum result result = broker_refusal(&publishing->broker, status, answer, &why);
    if (status == 401 || status == 403 || result == AGAIN)
        return error_set(err, result, "%s", why.text);
    struct view text = view_of_text(why.text);
    int64_t never = status == 409 ? conflicts_count(text) : count;
    publishing_reject(publishing, id, text);
    publishing->rejected += never - 1;
    publishing->acknowledged += count - never;
    return OK;
}

static enum result body_post(struct publishing *publishing, struct view body, bool batch, int64_t count, struct view id,
                             struct error *err)
{
    struct buffer answer = {0};
    int status;
    enum result result = broker_post(&publishing->broker, "/events",
                                     batch ? "application/cloudevents-batch+json" : "application/cloudevents+json",
                                     body, &status, &answer, err);
    if (result == OK) {
        publishing->sent += count;
        if (status == 200)
            publishing->acknowledged += count;
        else
            result = refused(publishing, status, buffer_view(&answer), count, id, err);
    }
    buffer_destroy(&answer);
    return result;
}

/* A list on its way, in batches that the broker takes. */
struct batching {
    struct publishing *publishing;
    struct progress progress;
    struct buffer batch;
    int64_t count, total;
    enum result result;
    struct error *err;
};

static void batch_send(struct batching *batching)
{
    if (batching->count == 0 || batching->result != OK)
        return;
    buffer_add_byte(&batching->batch, ']');
    batching->result =
        body_post(batching->publishing, buffer_view(&batching->batch), true, batching->count, VIEW(""), batching->err);
    progress_show(&batching->progress, batching->publishing->sent);
    buffer_clear(&batching->batch);
    batching->count = 0;
}

static bool batch_add(void *context, struct view event)
{
    struct batching *batching = context;
    if (batching->count == LIMIT_BATCH_EVENTS || batching->batch.size + event.size > BATCH_BYTES)
        batch_send(batching);
    buffer_add_byte(&batching->batch, batching->count == 0 ? '[' : ',');
    buffer_add_view(&batching->batch, event);
    batching->count++;
    return batching->result == OK;
}

static bool event_count(void *context, struct view event)
{
    (void)event;
    ++*(int64_t *)context;
    return true;
}

enum result publish_events(struct publishing *publishing, struct view json, struct error *err)
{
    struct arena arena = {0};
    int64_t count = 0;
    enum result result = json_each(json, "", &arena, event_count, &count);
    if (result == REJECTED) {
        result = error_set(err, REJECTED, "%.100s is not JSON, or says one thing twice", publishing->file);
    } else if (result == NOTHING) {
        result = body_post(publishing, json, false, 1, event_id(json, &arena), err);
    } else if (count <= LIMIT_BATCH_EVENTS && json.size <= BATCH_BYTES) {
        result = count == 0 ? OK : body_post(publishing, json, true, count, VIEW(""), err); /* the bytes as they are */
    } else {
        struct batching batching = {
            .publishing = publishing, .progress = progress_start("events", count), .result = OK, .err = err};
        (void)!json_each(json, "", &arena, batch_add, &batching);
        batch_send(&batching);
        progress_end(&batching.progress);
        buffer_destroy(&batching.batch);
        result = batching.result;
    }
    arena_destroy(&arena);
    return result;
}
