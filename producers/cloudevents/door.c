/* The door itself: who may publish what, what is refused at once, and who waits. */
#include "producers/cloudevents/inside.h"

#include "broker/base/metrics.h"

#include <stdio.h>
#include <stdlib.h>

/* A publication's token: the slot of its request above, its place in the batch below. */
enum { PLACE_BITS = 16 };
_Static_assert(LIMIT_BATCH_EVENTS < 1 << PLACE_BITS, "a place in a batch fits");

struct cloudevents_door {
    struct publisher *publisher;
    const struct directory *directory;
    struct arena arena; /* of the request being read */
    struct waiting **slots;
    size_t slot_count, waiting_count;
};

struct cloudevents_door *cloudevents_door_create(struct publisher *publisher, const struct directory *directory)
{
    struct cloudevents_door *door = memory_take(sizeof *door);
    door->publisher = publisher;
    door->directory = directory;
    return door;
}

void cloudevents_door_destroy(struct cloudevents_door *door)
{
    if (door == NULL)
        return;
    for (size_t i = 0; i < door->slot_count; i++)
        waiting_destroy(door->slots[i]);
    free(door->slots);
    arena_destroy(&door->arena);
    free(door);
}

/* An unused slot: every event that had its number was answered, so no old answer can be taken for a new one. */
static size_t slot_take(struct cloudevents_door *door)
{
    size_t slot = 0;
    while (slot < door->slot_count && door->slots[slot] != NULL)
        slot++;
    if (slot == door->slot_count) {
        size_t more = door->slot_count == 0 ? 64 : door->slot_count * 2;
        door->slots = memory_grow(door->slots, more * sizeof(struct waiting *));
        memset(door->slots + door->slot_count, 0, (more - door->slot_count) * sizeof(struct waiting *));
        door->slot_count = more;
    }
    return slot;
}

static void waiting_finish(struct cloudevents_door *door, size_t slot)
{
    waiting_answer(door->slots[slot]);
    waiting_destroy(door->slots[slot]);
    door->slots[slot] = NULL;
    door->waiting_count--;
}

/* Puts one refused event on the work list of whoever sent it, and counts it. */
static void refused_report(struct cloudevents_door *door, const struct token *token, const struct posted *posted,
                           size_t index, const char *code, const char *at, const char *why)
{
    struct view type = posted_find(posted, index, "type", &door->arena);
    metrics_event("cloudevents", event_type_from_name(type) == TYPE_UNKNOWN ? VIEW("other") : type, "refused");
    const struct organisation *organisation =
        organisation_of_source(door->directory, token, posted_find(posted, index, "source", &door->arena));
    if (organisation == NULL)
        organisation = organisation_alone(door->directory, token);
    if (organisation == NULL)
        return;
    struct work_item item =
        refused_item(organisation, posted, index, code, view_of_text(at), view_of_text(why), &door->arena);
    publisher_report(door->publisher, &item, 1);
}

/* "3/time" is of the event at 3; what has no number is of the one event, or of the batch as a whole. */
static size_t event_of_problem(const char *at)
{
    int64_t index = 0;
    return view_to_number(view_make(at, strcspn(at, "/")), &index) ? (size_t)index : 0;
}

static void problems_refuse(struct cloudevents_door *door, struct http_request *request, const struct token *token,
                            const struct posted *posted, const struct problems *problems)
{
    const char *code = problems->too_large ? "413" : "400";
    for (size_t i = 0; i < problems->count; i++) { /* those of one event stand together */
        size_t index = event_of_problem(problems->list[i].at);
        if (i == 0 || index != event_of_problem(problems->list[i - 1].at))
            refused_report(door, token, posted, index, code, problems->list[i].at, problems->list[i].why);
    }
    if (problems->too_large)
        refuse(request, 413, "an event may have 256 KiB at most");
    else
        refuse_with_problems(request, problems);
}

static void publish(struct cloudevents_door *door, struct http_request *request, const struct token *token,
                    struct posted *posted, const struct organisation *const *organisations)
{
    size_t slot = slot_take(door), taken = 0;
    struct waiting *waiting = waiting_create(request, posted);
    struct error err = {0};
    enum result result = OK;
    door->slots[slot] = waiting;
    door->waiting_count++;
    for (; taken < posted->count && result == OK; taken += result == OK) {
        struct publication publication = publication_of(organisations[taken], &posted->events[taken],
                                                        (uint64_t)slot << PLACE_BITS | taken, &door->arena);
        result = publisher_take(door->publisher, &publication, &err);
    }
    /* What comes after one that was not taken is not tried: a patient's events keep their order when they are sent
     * again. */
    waiting->unanswered = taken;
    if (result == REJECTED) {
        char at[32] = "data";
        struct problems problems = {0};
        if (posted->mode == POSTED_BATCH)
            (void)snprintf(at, sizeof at, "%zu/data", taken);
        problem_add(&problems, at, "%.100s", err.text);
        problems_refuse(door, request, token, posted, &problems);
        waiting->request = NULL;
        waiting->count = taken;
    }
    if (waiting->unanswered == 0)
        waiting_finish(door, slot);
}

/* Which organisation sent each event. False: one has a source that is nobody's of the token's, and the request was
 * refused. */
static bool organisations_find(struct cloudevents_door *door, struct http_request *request, const struct token *token,
                               const struct posted *posted, const struct organisation **ret)
{
    bool all = true;
    for (size_t i = 0; i < posted->count; i++) {
        ret[i] = organisation_of_source(door->directory, token, posted->events[i].source);
        if (ret[i] != NULL)
            continue;
        all = false;
        refused_report(door, token, posted, i, "403", "source", "is not a source of the organisation");
    }
    if (!all)
        refuse(request, 403, "source is not one that an organisation of this token may use");
    return all;
}

static void post(struct cloudevents_door *door, struct http_request *request, const struct token *token)
{
    struct posted posted;
    if (posted_read(request, &door->arena, &posted) != OK) {
        if (posted.mode != POSTED_UNSUPPORTED) {
            problems_refuse(door, request, token, &posted, &posted.problems);
            return;
        }
        refused_report(door, token, &posted, 0, "415", "Content-Type", "is not CloudEvents in JSON");
        refuse(request, 415,
               "send application/cloudevents+json, application/cloudevents-batch+json, or JSON with ce- headers");
        return;
    }
    const struct organisation **organisations = arena_take(&door->arena, posted.count * sizeof(struct organisation *));
    if (!organisations_find(door, request, token, &posted, organisations))
        return;
    for (size_t i = 0; i < posted.count; i++) {
        char prefix[32] = "";
        if (posted.mode == POSTED_BATCH)
            (void)snprintf(prefix, sizeof prefix, "%zu/", i);
        (void)publication_check(organisations[i], &posted.events[i], prefix, &posted.problems);
    }
    if (posted.problems.count > 0)
        problems_refuse(door, request, token, &posted, &posted.problems);
    else
        publish(door, request, token, &posted, organisations);
}

bool cloudevents_door_request(struct cloudevents_door *door, struct http_request *request, const struct token *token)
{
    if (!view_is_text(http_path(request), "/events") || !view_is_text(http_method(request), "POST"))
        return false;
    if (token == NULL)
        refuse(request, 401, "a valid token is needed");
    else if ((token->roles & ROLE_PUBLISHER) == 0)
        refuse(request, 403, "this token may not publish");
    else
        post(door, request, token);
    arena_reset(&door->arena);
    return true;
}

bool cloudevents_door_cancelled(struct cloudevents_door *door, const struct http_request *request)
{
    for (size_t i = 0; i < door->slot_count; i++) {
        if (door->slots[i] == NULL || door->slots[i]->request != request)
            continue;
        door->slots[i]->request = NULL;
        return true;
    }
    return false;
}

void cloudevents_door_step(struct cloudevents_door *door)
{
    struct publication_answer answer;
    while (publisher_collect(door->publisher, &answer) == OK) {
        size_t slot = answer.token >> PLACE_BITS, place = answer.token & ((1U << PLACE_BITS) - 1);
        struct waiting *waiting = slot < door->slot_count ? door->slots[slot] : NULL;
        if (waiting == NULL || place >= waiting->count)
            continue;
        waiting->events[place].outcome = answer.outcome;
        waiting->events[place].id = answer.first_id;
        waiting->events[place].position = answer.position;
        if (--waiting->unanswered == 0)
            waiting_finish(door, slot);
    }
}

size_t cloudevents_door_waiting(const struct cloudevents_door *door)
{
    return door->waiting_count;
}
