/* A request whose events are on their way to the log, and its answer once they are all accounted for. */
#include "producers/cloudevents/inside.h"

#include "broker/base/json.h"
#include "broker/base/metrics.h"

#include <stdlib.h>

struct waiting *waiting_create(struct http_request *request, const struct posted *posted)
{
    struct waiting *waiting = memory_take(sizeof *waiting);
    waiting->request = request;
    waiting->batch = posted->mode == POSTED_BATCH;
    waiting->count = waiting->unanswered = posted->count;
    waiting->events = arena_take(&waiting->arena, posted->count * sizeof *waiting->events);
    waiting->correlation = arena_copy(&waiting->arena, http_header(request, "X-Correlation-ID"));
    for (size_t i = 0; i < posted->count; i++) {
        waiting->events[i].type = posted->events[i].event.header.type; /* of type.h's table: lives for ever */
        waiting->events[i].outcome = PUBLICATION_UNCERTAIN;
        waiting->events[i].position.partition = -1;
    }
    return waiting;
}

void waiting_destroy(struct waiting *waiting)
{
    if (waiting == NULL)
        return;
    arena_destroy(&waiting->arena);
    free(waiting);
}

static const char *outcome_word(enum publication_outcome outcome)
{
    switch (outcome) {
    case PUBLICATION_DURABLE:
        return "accepted";
    case PUBLICATION_DUPLICATE:
        return "duplicate";
    case PUBLICATION_CONFLICT:
        return "conflict";
    case PUBLICATION_REFUSED: /* not asked for here */
    case PUBLICATION_UNCERTAIN:
        return "uncertain";
    }
    return "uncertain";
}

static bool has_outcome(const struct waiting *waiting, enum publication_outcome outcome)
{
    for (size_t i = 0; i < waiting->count; i++)
        if (waiting->events[i].outcome == outcome)
            return true;
    return false;
}

/* The furthest position of each partition, the latest partitions where there are more than a client may send back. */
static struct view positions_write(const struct waiting *waiting, struct buffer *to)
{
    struct log_position last[POSITIONS_LIMIT];
    size_t count = 0;
    for (size_t i = waiting->count; i > 0 && count < POSITIONS_LIMIT; i--) {
        const struct log_position *position = &waiting->events[i - 1].position;
        size_t known = 0;
        while (known < count && last[known].partition != position->partition)
            known++;
        if (position->partition < 0)
            continue;
        if (known == count)
            last[count++] = *position;
        else if (last[known].offset < position->offset)
            last[known] = *position;
    }
    for (size_t i = 0; i < count; i++) {
        char text[POSITION_TEXT_SIZE];
        buffer_add_text(to, i == 0 ? "" : ",");
        buffer_add_view(to, position_to_text(TOPIC_EVENTS, &last[i], text));
    }
    return count == 0 ? VIEW_NONE : buffer_view(to);
}

static void ids_write(const struct waiting *waiting, struct json *json)
{
    char text[EVENT_ID_TEXT_SIZE];
    if (!waiting->batch) {
        json_member_text(json, "id", event_id_to_text(&waiting->events[0].id, text));
        return;
    }
    json_name(json, "ids");
    json_open_array(json);
    for (size_t i = 0; i < waiting->count; i++)
        json_text(json, event_id_to_text(&waiting->events[i].id, text));
    json_close_array(json);
}

/* "...: 3, 7" where a batch has them. */
static void conflicts_write(const struct waiting *waiting, struct json *json)
{
    struct buffer why = {0};
    buffer_add_text(&why, "the same source and id were used before, with other content");
    for (size_t i = 0, found = 0; waiting->batch && i < waiting->count; i++)
        if (waiting->events[i].outcome == PUBLICATION_CONFLICT)
            buffer_add_format(&why, "%s%zu", found++ == 0 ? "; in the batch: " : ", ", i);
    json_member_text(json, "errors", buffer_view(&why));
    buffer_destroy(&why);
}

void waiting_answer(struct waiting *waiting)
{
    struct buffer body = {0}, positions = {0};
    struct json json = json_start(&body);
    int status = has_outcome(waiting, PUBLICATION_UNCERTAIN)  ? 503
                 : has_outcome(waiting, PUBLICATION_CONFLICT) ? 409
                                                              : 200;
    for (size_t i = 0; i < waiting->count; i++)
        metrics_event("cloudevents", waiting->events[i].type, outcome_word(waiting->events[i].outcome));
    json_open_object(&json);
    if (status == 200)
        ids_write(waiting, &json);
    else if (status == 409)
        conflicts_write(waiting, &json);
    else
        json_member_text(&json, "errors", VIEW("it is not known whether this is durable: send the same again"));
    json_close_object(&json);
    struct http_answer answer = {
        .status = status,
        .content_type = "application/json",
        .body = buffer_view(&body),
        .headers = {{"X-Correlation-ID", waiting->correlation},
                    {"Retry-After", status == 503 ? VIEW("1") : VIEW_NONE},
                    {"Tidings-Position", positions_write(waiting, &positions)}},
    };
    if (waiting->request != NULL)
        http_answer(waiting->request, &answer);
    buffer_destroy(&body);
    buffer_destroy(&positions);
}
