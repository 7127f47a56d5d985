/* Who is to be told of what: decided from a patient's state and one event, with no I/O and no clock. */
#include "consumers/match/match.h"

#include "broker/base/buffer.h"
#include "broker/event/limits.h"
#include "consumers/match/decision.h"

enum { STORE_SHAPE = 1 };

struct fold match_fold(void)
{
    return (struct fold){
        .name = "match",
        .source = TOPIC_EVENTS,
        .owner = true,
        .states_sealed = true,
        .unseal = true,
        .shape = STORE_SHAPE,
        .rules_newest = RULES_NEWEST,
        .apply = match_apply,
    };
}

/* What each type means to matching. */
enum meaning {
    MEANS_NOTHING, /* known, and nobody is told by these rules */
    MEANS_NEWS,    /* a fact each time */
    MEANS_TRANSFER,
    MEANS_NEWS_ONCE, /* a fact while none of the same type stands in the stay */
    MEANS_CANCELLATION,
    MEANS_REGISTRATION,
    MEANS_REGISTRATION_END,
};

static const enum meaning meanings[EVENT_TYPE_COUNT] = {
    [ENCOUNTER_ADMITTED] = MEANS_NEWS_ONCE,
    [ENCOUNTER_ED_ARRIVED] = MEANS_NEWS_ONCE,
    [ENCOUNTER_REGISTERED] = MEANS_NEWS_ONCE,
    [ENCOUNTER_TRANSFERRED] = MEANS_TRANSFER,
    [ENCOUNTER_DISCHARGED] = MEANS_NEWS_ONCE,
    [PATIENT_DIED] = MEANS_NEWS_ONCE,
    [CARE_PLAN_CHANGED] = MEANS_NEWS,
    [ENCOUNTER_CANCELLED] = MEANS_CANCELLATION,
    [REGISTRATION_STARTED] = MEANS_REGISTRATION,
    [REGISTRATION_ENDED] = MEANS_REGISTRATION_END,
};

static enum result meaning_apply(struct decision *decision, enum event_type type)
{
    switch (meanings[type]) {
    case MEANS_NOTHING:
        return OK;
    case MEANS_NEWS:
        return news_apply(decision);
    case MEANS_TRANSFER:
        return transfer_apply(decision);
    case MEANS_NEWS_ONCE:
        /* A repeated A01 or A03 while the first stands: no second alert (domain, section 2). */
        if (patient_state_standing(&decision->state, decision->spell, &type, 1) != NULL)
            return OK;
        return news_apply(decision);
    case MEANS_CANCELLATION:
        return cancellation_apply(decision);
    case MEANS_REGISTRATION:
        return registration_apply(decision);
    case MEANS_REGISTRATION_END:
        return registration_end_apply(decision);
    }
    return OK;
}

enum result match_apply(void *context, const struct fold_input *input, struct fold_output *output, struct error *err)
{
    (void)context;
    if (input->opened->kind != SCHEMA_EVENT_HEADER || input->body == NULL)
        return OK; /* a tick has no meaning by these rules; an erased event tells nobody */
    struct arena arena = {0};
    struct decision decision = {.input = input, .output = output, .arena = &arena, .err = err};
    const struct event_header *event = &input->opened->event;
    enum result result = patient_state_read(input->state, &arena, &decision.state, err);
    if (result == OK && !patient_state_has_applied(&decision.state, event)) {
        if (input->body->has_encounter && input->body->encounter.spell.size > 0)
            decision.spell =
                arena_format(&arena, "%.*s/%.*s", VIEW_ARGS(event->publisher), VIEW_ARGS(input->body->encounter.spell));
        result = meaning_apply(&decision, event_type_from_name(event->type));
        if (result == OK) {
            struct buffer state = {0};
            patient_state_add_applied(&decision.state, event, &arena);
            patient_state_write(&decision.state, &state);
            fold_put_state(output, buffer_view(&state));
            buffer_destroy(&state);
        }
    }
    arena_destroy(&arena);
    return result;
}
