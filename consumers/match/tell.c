/* News: everyone who looks after the patient now is told once, with every registration and role that matched. */
#include "consumers/match/decision.h"

struct view registration_full_id(const struct decision *decision, const struct known_registration *registration)
{
    return arena_format(decision->arena, "%.*s.%.*s", VIEW_ARGS(decision->input->key), VIEW_ARGS(registration->id));
}

/* Was an earlier registration of the same subscriber live? Then the subscriber is told already. */
static bool subscriber_is_told(const struct decision *decision, size_t before, struct view subscriber)
{
    for (size_t i = 0; i < before; i++) {
        const struct known_registration *known = &decision->state.registrations[i];
        if (registration_is_live(known, decision->input->now_ms) && view_is(known->subscriber, subscriber))
            return true;
    }
    return false;
}

/* One telling; notes in the fact which registrations it was because of. */
static void subscriber_tell(struct decision *decision, struct fact *fact, size_t first, int32_t index)
{
    const struct patient_state *state = &decision->state;
    struct view subscriber = state->registrations[first].subscriber;
    struct because *because = arena_take(decision->arena, state->registration_count * sizeof *because);
    struct telling telling = {.subscriber = subscriber, .kind = ALERT_NEW, .because = because};
    for (size_t i = first; i < state->registration_count; i++) {
        const struct known_registration *known = &state->registrations[i];
        if (!registration_is_live(known, decision->input->now_ms) || !view_is(known->subscriber, subscriber))
            continue;
        because[telling.because_count++] = (struct because){registration_full_id(decision, known), known->role};
        fact->told[fact->told_count++] = (struct told){known->number, index};
    }
    fold_tell(decision->output, &telling);
}

enum result news_apply(struct decision *decision)
{
    const struct event_header *event = &decision->input->opened->event;
    struct fact *fact = patient_state_add_fact(&decision->state, decision->arena);
    memcpy(fact->id, event->id.bytes, sizeof fact->id);
    fact->type = event->type;
    fact->spell = decision->spell.data == NULL ? VIEW("") : decision->spell;
    fact->standing = true;
    fact->happened_at_ms = decision->input->body->happened_at_ms;
    fact->cause_partition = decision->input->record->partition;
    fact->cause_offset = decision->input->record->offset;
    fact->told = arena_take(decision->arena, decision->state.registration_count * sizeof *fact->told);
    int32_t index = 0;
    for (size_t i = 0; i < decision->state.registration_count; i++) {
        const struct known_registration *known = &decision->state.registrations[i];
        if (registration_is_live(known, decision->input->now_ms) && !subscriber_is_told(decision, i, known->subscriber))
            subscriber_tell(decision, fact, i, index++);
    }
    return OK;
}
