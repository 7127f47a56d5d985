/* What matching remembers of a patient, and the questions it asks of it. */
#include "consumers/match/state.h"

#include "broker/base/buffer.h"
#include "broker/base/bytes.h"
#include "broker/codec/schemas.h"
#include "broker/event/limits.h"

enum { FACTS_LIMIT = 4 * LIMIT_SPELLS };

enum result patient_state_read(struct view state, struct arena *arena, struct patient_state *ret, struct error *err)
{
    if (state.data == NULL) {
        *ret = (struct patient_state){0};
        return OK;
    }
    if (schema_decode(SCHEMA_PATIENT_STATE, state, arena, ret, err) == OK)
        return OK; /* otherwise not the event's fault, which stays to be applied */
    return error_set(err, FATAL, "a patient's state cannot be read: it is damaged, or a newer program wrote it");
}

void patient_state_write(const struct patient_state *state, struct buffer *to)
{
    schema_encode(SCHEMA_PATIENT_STATE, state, to);
}

static uint64_t content_of(const struct event_header *event)
{
    return bytes_get_u64(event->content);
}

bool patient_state_has_applied(const struct patient_state *state, const struct event_header *event)
{
    for (size_t i = 0; i < state->applied_count; i++) {
        struct event_id known;
        memcpy(known.bytes, state->applied[i].id, sizeof known.bytes);
        if (event_id_is_same_message(&known, &event->id) &&
            event_sameness(event->origin, state->applied[i].content == content_of(event), event_id_time_ms(&known),
                           event_id_time_ms(&event->id)) != NEW_MESSAGE)
            return true;
    }
    return false;
}

/* A copy of an array with the first `dropped` elements left out and room for one more, zeroed, at its end. */
static void *array_grow(const void *items, size_t count, size_t dropped, size_t size, struct arena *arena)
{
    char *grown = arena_take(arena, (count - dropped + 1) * size);
    if (count > dropped)
        memcpy(grown, (const char *)items + dropped * size, (count - dropped) * size);
    return grown;
}

void patient_state_add_applied(struct patient_state *state, const struct event_header *event, struct arena *arena)
{
    size_t dropped = 0;
    int64_t oldest_ms = event->recorded_at_ms - IDENTITY_KEPT_MS;
    while (dropped < state->applied_count && (state->applied_count - dropped >= LIMIT_APPLIED_IDENTITIES ||
                                              state->applied[dropped].recorded_at_ms < oldest_ms))
        dropped++;
    state->applied = array_grow(state->applied, state->applied_count, dropped, sizeof *state->applied, arena);
    state->applied_count -= dropped;
    struct applied_identity *added = &state->applied[state->applied_count++];
    memcpy(added->id, event->id.bytes, sizeof added->id);
    added->content = content_of(event);
    added->recorded_at_ms = event->recorded_at_ms;
}

struct fact *patient_state_add_fact(struct patient_state *state, struct arena *arena)
{
    if (state->fact_count >= FACTS_LIMIT) { /* a stay's facts that stand may still be taken back: they go last */
        size_t victim = 0;
        while (victim < state->fact_count && state->facts[victim].standing && state->facts[victim].spell.size > 0)
            victim++;
        if (victim == state->fact_count)
            victim = 0;
        memmove(&state->facts[victim], &state->facts[victim + 1],
                (--state->fact_count - victim) * sizeof *state->facts);
    }
    state->facts = array_grow(state->facts, state->fact_count, 0, sizeof *state->facts, arena);
    return &state->facts[state->fact_count++];
}

bool registration_is_live(const struct known_registration *registration, int64_t now_ms)
{
    return registration->from_ms <= now_ms && (registration->until_ms == 0 || now_ms < registration->until_ms);
}

static bool registration_is_named(const struct patient_state *state, int32_t number)
{
    for (size_t i = 0; i < state->fact_count; i++)
        for (size_t j = 0; j < state->facts[i].told_count; j++)
            if (state->facts[i].told[j].registration == number)
                return true;
    return false;
}

struct known_registration *patient_state_add_registration(struct patient_state *state, int64_t now_ms,
                                                          struct arena *arena)
{
    int32_t highest = 0;
    size_t kept = 0;
    for (size_t i = 0; i < state->registration_count; i++) {
        const struct known_registration *known = &state->registrations[i];
        highest = known->number > highest ? known->number : highest;
        bool over = known->until_ms != 0 && known->until_ms <= now_ms;
        if (state->registration_count < LIMIT_REGISTRATIONS || !over || registration_is_named(state, known->number))
            state->registrations[kept++] = *known;
    }
    state->registration_count = kept;
    if (kept >= LIMIT_REGISTRATIONS)
        return NULL;
    state->registrations = array_grow(state->registrations, kept, 0, sizeof *state->registrations, arena);
    struct known_registration *added = &state->registrations[state->registration_count++];
    added->number = highest + 1;
    return added;
}

struct known_registration *patient_state_registration(const struct patient_state *state, struct view id)
{
    for (size_t i = 0; i < state->registration_count; i++)
        if (view_is(state->registrations[i].id, id))
            return &state->registrations[i];
    return NULL;
}

const struct known_registration *patient_state_registration_number(const struct patient_state *state, int32_t number)
{
    for (size_t i = 0; i < state->registration_count; i++)
        if (state->registrations[i].number == number)
            return &state->registrations[i];
    return NULL;
}

struct fact *patient_state_standing(const struct patient_state *state, struct view spell, const enum event_type *types,
                                    size_t type_count)
{
    for (size_t i = state->fact_count; i > 0 && spell.size > 0; i--) {
        struct fact *fact = &state->facts[i - 1];
        if (!fact->standing || !view_is(fact->spell, spell))
            continue;
        for (size_t j = 0; j < type_count; j++)
            if (event_type_from_name(fact->type) == types[j])
                return fact;
    }
    return NULL;
}

struct fact *patient_state_fact(const struct patient_state *state, const struct event_id *message)
{
    for (size_t i = state->fact_count; i > 0; i--) {
        struct event_id known;
        memcpy(known.bytes, state->facts[i - 1].id, sizeof known.bytes);
        if (event_id_is_same_message(&known, message))
            return &state->facts[i - 1];
    }
    return NULL;
}

static const enum event_type starts[] = {ENCOUNTER_ADMITTED, ENCOUNTER_ED_ARRIVED, ENCOUNTER_REGISTERED};
static const enum event_type discharges[] = {ENCOUNTER_DISCHARGED};

bool patient_state_knows_spell(const struct patient_state *state, struct view spell)
{
    for (size_t i = 0; i < state->fact_count; i++)
        if (view_is(state->facts[i].spell, spell))
            return true;
    return false;
}

/* Did a message say how the stay began, though it may have been taken back since? */
static bool spell_has_a_start(const struct patient_state *state, struct view spell)
{
    for (size_t i = 0; i < state->fact_count; i++)
        for (size_t j = 0; j < sizeof starts / sizeof starts[0]; j++)
            if (view_is(state->facts[i].spell, spell) && event_type_from_name(state->facts[i].type) == starts[j])
                return true;
    return false;
}

/* Is this stay begun and not ended? A registration alone (an outpatient's) is no stay in hospital; a stay whose
 * beginning was never seen is one. */
static bool spell_is_open(const struct patient_state *state, struct view spell)
{
    if (spell.size == 0 || patient_state_standing(state, spell, discharges, 1) != NULL)
        return false;
    return patient_state_standing(state, spell, starts, 2) != NULL || !spell_has_a_start(state, spell);
}

struct view patient_state_whereabouts(const struct patient_state *state, struct view spell)
{
    for (size_t i = 0; i < state->fact_count; i++)
        if (state->facts[i].standing && event_type_from_name(state->facts[i].type) == PATIENT_DIED)
            return VIEW("died");
    for (size_t i = 0; i < state->fact_count; i++)
        if (spell_is_open(state, state->facts[i].spell))
            return VIEW("in-hospital");
    if (patient_state_standing(state, spell, discharges, 1) != NULL)
        return VIEW("discharged");
    return VIEW("not-admitted");
}
