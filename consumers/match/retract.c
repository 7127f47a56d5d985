/* Taking back: exactly those who were told of a fact are told that it did not happen. */
#include "consumers/match/decision.h"

static const enum event_type starts[] = {ENCOUNTER_ADMITTED, ENCOUNTER_ED_ARRIVED, ENCOUNTER_REGISTERED};
static const enum event_type discharge[] = {ENCOUNTER_DISCHARGED};
static const enum event_type death[] = {PATIENT_DIED};

enum { FACTS_AT_ONCE = 2 }; /* an A13 takes back the discharge and the death that the same A03 told */

/* Which facts the event takes back; 0: none that stands. */
static size_t facts_find(const struct decision *decision, struct fact *ret[FACTS_AT_ONCE])
{
    const struct event_body *body = decision->input->body;
    const struct event_header *event = &decision->input->opened->event;
    size_t count = 0;
    if (body->cancels.size > 0) {
        struct event_id named = vault_event_id(event->publisher, body->message_source, body->cancels, 0, 0);
        struct fact *fact = patient_state_fact(&decision->state, &named);
        if (fact != NULL && fact->standing)
            ret[count++] = fact;
        return count;
    }
    bool of_discharge = event_type_from_name(body->cancelled_type) == ENCOUNTER_DISCHARGED;
    struct fact *fact = patient_state_standing(&decision->state, decision->spell, of_discharge ? discharge : starts,
                                               of_discharge ? 1 : sizeof starts / sizeof starts[0]);
    if (fact != NULL)
        ret[count++] = fact;
    fact = of_discharge ? patient_state_standing(&decision->state, decision->spell, death, 1) : NULL;
    if (fact != NULL)
        ret[count++] = fact;
    return count;
}

/* The subscriber of the telling at this place, with the registrations it was because of. */
static struct telling telling_of(struct decision *decision, const struct fact *fact, size_t first)
{
    struct because *because = arena_take(decision->arena, fact->told_count * sizeof *because);
    struct telling telling = {.kind = ALERT_RETRACTION, .because = because, .has_concerned = true};
    for (size_t i = first; i < fact->told_count; i++) {
        const struct known_registration *known =
            patient_state_registration_number(&decision->state, fact->told[i].registration);
        if (known == NULL || fact->told[i].index != fact->told[first].index)
            continue;
        telling.subscriber = known->subscriber;
        because[telling.because_count++] = (struct because){registration_full_id(decision, known), known->role};
    }
    memcpy(telling.concerned.event.bytes, fact->id, sizeof fact->id);
    telling.concerned.kind = ALERT_NEW;
    telling.concerned.cause =
        (struct cause){TOPIC_EVENTS, fact->cause_partition, fact->cause_offset, fact->told[first].index};
    return telling;
}

static void fact_take_back(struct decision *decision, struct fact *fact, int32_t place, const struct event_body *body)
{
    struct event_header header = decision->input->opened->event;
    header.type = view_of_text(event_type_facts(ENCOUNTER_CANCELLED)->name);
    header.origin = ORIGIN_MATCH;
    header.urgency = URGENCY_URGENT;
    for (size_t i = 0; i < fact->told_count; i++) {
        if (i > 0 && fact->told[i].index == fact->told[i - 1].index)
            continue; /* another registration of the same telling */
        struct telling telling = telling_of(decision, fact, i);
        telling.place = place;
        if (telling.because_count > 0)
            fold_tell_sealed(decision->output, &telling, &header, body);
    }
}

static void nothing_to_cancel(struct decision *decision)
{
    const struct event_body *body = decision->input->body;
    struct work_item item = {
        .organisation = decision->input->opened->event.publisher,
        .kind = VIEW("cancels-nothing"),
        .source = body->message_source,
        .message_id = body->message_id,
        .why = VIEW("it takes back an event that was never received, or was taken back already: nobody was told"),
        .recorded_at_ms = decision->input->now_ms,
    };
    fold_emit_work_item(decision->output, &item);
}

enum result cancellation_apply(struct decision *decision)
{
    struct fact *facts[FACTS_AT_ONCE];
    size_t count = facts_find(decision, facts);
    if (count == 0) {
        nothing_to_cancel(decision);
        return OK;
    }
    for (size_t i = 0; i < count; i++)
        facts[i]->standing = false;
    struct event_body body = *decision->input->body;
    struct view spell = facts[0]->spell;
    body.state = patient_state_whereabouts(&decision->state, spell);
    for (size_t i = 0; i < count; i++)
        fact_take_back(decision, facts[i], (int32_t)i, &body);
    return OK;
}
