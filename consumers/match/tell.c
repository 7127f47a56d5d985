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

/* The events of one message stand beside each other, whatever times they name. */
static bool fact_is_of_this_message(const struct decision *decision, const struct fact *fact)
{
    enum { EVENTS_LIMIT = 16 }; /* of one message */
    const struct event_header *event = &decision->input->opened->event;
    const struct event_body *body = decision->input->body;
    struct event_id known;
    memcpy(known.bytes, fact->id, sizeof known.bytes);
    for (int32_t i = 0; i < event->index && i < EVENTS_LIMIT; i++) {
        struct event_id other = vault_event_id(event->publisher, body->message_source, body->message_id, i, 0);
        if (event_id_is_same_message(&known, &other))
            return true;
    }
    return false;
}

/* What is told: the event as it came, or what a message implies. */
struct news {
    const struct event_header *header;
    const struct event_body *body;
    bool implied; /* not what was sent: late for everybody */
};

/* Did another message tell this subscriber of something later in the same stay? Then this comes late. */
static bool subscriber_knows_later(const struct decision *decision, const struct fact *fact, struct view subscriber)
{
    const struct patient_state *state = &decision->state;
    for (size_t i = 0; i < state->fact_count && decision->spell.data != NULL; i++) {
        const struct fact *other = &state->facts[i];
        if (!other->standing || !view_is(other->spell, fact->spell) || other->happened_at_ms <= fact->happened_at_ms ||
            fact_is_of_this_message(decision, other))
            continue;
        for (size_t j = 0; j < other->told_count; j++) {
            const struct known_registration *known =
                patient_state_registration_number(state, other->told[j].registration);
            if (known != NULL && view_is(known->subscriber, subscriber))
                return true;
        }
    }
    return false;
}

/* Said as it came, or with what the subscriber must know beside it: that it is late, and where the patient is now. */
static void telling_say(struct decision *decision, const struct news *news, const struct fact *fact,
                        struct telling *telling)
{
    struct event_body body = *news->body;
    telling->late = news->implied || subscriber_knows_later(decision, fact, telling->subscriber);
    if (!telling->late) {
        fold_tell(decision->output, telling);
        return;
    }
    body.late = true;
    body.state = patient_state_whereabouts(&decision->state, fact->spell);
    fold_tell_sealed(decision->output, telling, news->header, &body);
}

/* One telling; notes in the fact which registrations it was because of. */
static void subscriber_tell(struct decision *decision, const struct news *news, struct fact *fact, size_t first,
                            int32_t index)
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
    telling_say(decision, news, fact, &telling);
}

static void news_tell(struct decision *decision, const struct news *news)
{
    struct fact *fact = patient_state_add_fact(&decision->state, decision->arena);
    memcpy(fact->id, news->header->id.bytes, sizeof fact->id);
    fact->type = news->header->type;
    fact->spell = decision->spell.data == NULL ? VIEW("") : decision->spell;
    fact->standing = true;
    fact->happened_at_ms = news->body->happened_at_ms;
    fact->cause_partition = decision->input->record->partition;
    fact->cause_offset = decision->input->record->offset;
    fact->told = arena_take(decision->arena, decision->state.registration_count * sizeof *fact->told);
    int32_t index = 0;
    for (size_t i = 0; i < decision->state.registration_count; i++) {
        const struct known_registration *known = &decision->state.registrations[i];
        if (registration_is_live(known, decision->input->now_ms) && !subscriber_is_told(decision, i, known->subscriber))
            subscriber_tell(decision, news, fact, i, index++);
    }
}

enum result news_apply(struct decision *decision)
{
    news_tell(decision, &(struct news){&decision->input->opened->event, decision->input->body, false});
    return OK;
}

/* How a stay of this class begins. */
static enum event_type start_of(enum event_class class)
{
    switch (class) {
    case CLASS_EMERGENCY:
        return ENCOUNTER_ED_ARRIVED;
    case CLASS_OUTPATIENT:
        return ENCOUNTER_REGISTERED;
    case CLASS_INPATIENT:
    case CLASS_DAY_CASE:
    case CLASS_COMMUNITY:
    case CLASS_UNKNOWN:
        return ENCOUNTER_ADMITTED;
    }
    return ENCOUNTER_ADMITTED;
}

enum result transfer_apply(struct decision *decision)
{
    struct event_header header = decision->input->opened->event;
    struct event_body body = *decision->input->body;
    if (header.origin != ORIGIN_HL7 || decision->spell.data == NULL ||
        patient_state_knows_spell(&decision->state, decision->spell))
        return news_apply(decision);
    header.type = view_of_text(event_type_facts(start_of(header.class))->name);
    header.urgency = URGENCY_NORMAL;
    header.origin = ORIGIN_MATCH;
    if (body.encounter.admitted_at_ms != 0)
        body.happened_at_ms = body.encounter.admitted_at_ms;
    news_tell(decision, &(struct news){&header, &body, true});
    return OK;
}
