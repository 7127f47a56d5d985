/* The members that say which alert it is. */
#include "producers/simulator/heard.h"

#include "broker/base/memory.h"
#include "broker/codec/cloudevent.h"
#include "producers/simulator/dice.h"

static struct view member(struct view alert, const char *path, struct arena *arena)
{
    struct view found;
    return json_find(alert, path, arena, &found) == OK ? found : VIEW("");
}

/* 0: not there. */
static uint64_t hash_of(struct view id)
{
    uint64_t hash = 0xCBF29CE484222325U;
    for (size_t i = 0; i < id.size; i++)
        hash = (hash ^ ((const unsigned char *)id.data)[i]) * 0x100000001B3U;
    return id.size == 0 ? 0 : dice_mix(hash);
}

/* Of another run: only the number counts. */
static bool foreign_read(struct view alert, struct seen_alert *ret)
{
    struct arena arena = {0};
    bool whole = view_to_number(member(alert, "data/number", &arena), &ret->number);
    arena_destroy(&arena);
    return whole;
}

bool heard_read(struct view alert, int subscriber, const char *tag, struct seen_alert *ret)
{
    struct seen_alert seen = {.subscriber = subscriber};
    if (memmem(alert.data, alert.size, tag, strlen(tag)) == NULL) {
        bool numbered = foreign_read(alert, &seen);
        if (numbered)
            *ret = seen;
        return numbered;
    }
    struct arena arena = {0};
    struct told_things things = {
        .subscriber = subscriber,
        .kind = member(alert, "data/kind", &arena),
        .type = member(alert, "type", &arena),
        .about = member(alert, "data/encounter/spell", &arena),
        .nhs_number = member(alert, "subject", &arena),
    };
    if (things.about.size == 0)
        things.about = member(alert, "data/carePlan/id", &arena);
    struct view run = things.about.size == 0 ? things.about : view_after(things.about, 1); /* V or P comes first */
    bool whole = view_to_number(member(alert, "data/number", &arena), &seen.number) &&
                 time_from_rfc3339(member(alert, "time", &arena), &things.time_ms) &&
                 time_from_rfc3339(member(alert, "data/publishedAt", &arena), &seen.published_ms);
    seen.ours = view_starts_with(run, view_of_text(tag));
    seen.id = hash_of(member(alert, "id", &arena));
    seen.concerns = hash_of(member(alert, "data/concerns", &arena));
    seen.key = expectation_key(&things);
    arena_destroy(&arena);
    if (whole)
        *ret = seen;
    return whole;
}
