/* Registrations: who looks after the patient, from when until when. */
#include "consumers/match/decision.h"

/* The id without the patientRef and the dot it begins with. NULL data: it does not begin so. */
static struct view id_tail(const struct decision *decision, struct view id)
{
    size_t head = decision->input->key.size;
    if (id.size <= head + 1 || !view_starts_with(id, decision->input->key))
        return VIEW_NONE;
    return view_after(id, head + 1);
}

enum result registration_apply(struct decision *decision)
{
    const struct event_body *body = decision->input->body;
    struct view tail = id_tail(decision, body->registration.id);
    if (!body->has_registration || tail.data == NULL || body->registration.subscriber.size == 0)
        return error_set(decision->err, REJECTED,
                         "a registration without an id of its patient, or without a subscriber");
    if (patient_state_registration(&decision->state, tail) != NULL)
        return OK; /* the same request again */
    struct known_registration *added =
        patient_state_add_registration(&decision->state, decision->input->now_ms, decision->arena);
    if (added == NULL)
        return error_set(decision->err, REJECTED, "the patient has too many live registrations: end some first");
    added->id = tail;
    added->subscriber = body->registration.subscriber;
    added->role = body->registration.role;
    added->from_ms = body->registration.from_ms;
    added->until_ms = body->registration.until_ms;
    return OK;
}

enum result registration_end_apply(struct decision *decision)
{
    const struct event_body *body = decision->input->body;
    struct view tail = id_tail(decision, body->registration.id);
    struct known_registration *known = tail.data == NULL ? NULL : patient_state_registration(&decision->state, tail);
    if (known == NULL)
        return error_set(decision->err, REJECTED, "it ends a registration that this patient does not have");
    if (known->until_ms == 0 || known->until_ms > body->registration.until_ms)
        known->until_ms = body->registration.until_ms;
    return OK;
}
