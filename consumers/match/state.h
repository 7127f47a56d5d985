/* A patient's state in the hands of matching: read, looked through, changed, written. */
#pragma once

#include "broker/base/memory.h"
#include "broker/base/result.h"
#include "broker/event/patient_state.h"

struct buffer;

enum result patient_state_read(struct view state, struct arena *arena, struct patient_state *ret, struct error *err);
void patient_state_write(const struct patient_state *state, struct buffer *to);

/* Was this message, or another under its identity, applied already? */
bool patient_state_has_applied(const struct patient_state *state, const struct event_header *event);
/* Remembers it; the oldest go beyond the limit, and what is older than 35 days. */
void patient_state_add_applied(struct patient_state *state, const struct event_header *event, struct arena *arena);

/* Room for one more; the caller fills it. Oldest facts go beyond the limit. NULL: too many live registrations. */
struct fact *patient_state_add_fact(struct patient_state *state, struct arena *arena);
struct known_registration *patient_state_add_registration(struct patient_state *state, int64_t now_ms,
                                                          struct arena *arena);

struct known_registration *patient_state_registration(const struct patient_state *state, struct view id);
const struct known_registration *patient_state_registration_number(const struct patient_state *state, int32_t number);
bool registration_is_live(const struct known_registration *registration, int64_t now_ms);

/* The newest standing fact of the spell with one of these types; NULL: none. */
struct fact *patient_state_standing(const struct patient_state *state, struct view spell, const enum event_type *types,
                                    size_t type_count);
bool patient_state_knows_spell(const struct patient_state *state, struct view spell); /* by any fact, standing or not */
/* The fact that this message made, standing or not; NULL: none. */
struct fact *patient_state_fact(const struct patient_state *state, const struct event_id *message);
/* Where the patient is now, as far as the facts say: "in-hospital", "discharged", "died", "not-admitted". */
struct view patient_state_whereabouts(const struct patient_state *state, struct view spell);
