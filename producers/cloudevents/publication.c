/* From a CloudEvent and the organisation that sent it to a publication. */
#include "producers/cloudevents/inside.h"

#include <stdio.h>

const struct organisation *organisation_of_source(const struct directory *directory, const struct token *token,
                                                  struct view source)
{
    for (size_t i = 0; i < token->organisation_count; i++) {
        const struct organisation *organisation = directory_organisation(directory, token->organisations[i]);
        for (size_t s = 0; organisation != NULL && s < organisation->source_count; s++)
            if (view_is(organisation->sources[s], source))
                return organisation;
    }
    return NULL;
}

const struct organisation *organisation_alone(const struct directory *directory, const struct token *token)
{
    return token->organisation_count == 1 ? directory_organisation(directory, token->organisations[0]) : NULL;
}

static bool has_own_number(const struct organisation *organisation, struct patient *patient)
{
    bool own = false;
    for (size_t i = 0; i < patient->local_id_count; i++) {
        struct local_id *local = &patient->local_ids[i];
        if (local->assigner.data == NULL)
            local->assigner = organisation->id; /* a publisher asserts its own numbers */
        own = own || view_is(local->assigner, organisation->id);
    }
    return own;
}

bool publication_check(const struct organisation *organisation, struct cloudevent *event, const char *prefix,
                       struct problems *problems)
{
    struct patient *patient = &event->event.body.patient;
    char at[sizeof problems->list[0].at];
    bool own = has_own_number(organisation, patient);
    if (patient->untrusted_nhs_number.data != NULL && organisation->reject_untrusted) {
        (void)snprintf(at, sizeof at, "%sdata/patient/nhsNumber", prefix);
        problem_add(problems, at, "fails its check digit");
        return false;
    }
    if (patient->nhs_number.data != NULL || own)
        return true;
    (void)snprintf(at, sizeof at, "%sdata/patient", prefix);
    problem_add(problems, at, "says nobody: no NHS number, and no local number that is the publisher's own");
    return false;
}

static struct work_item number_item(const struct organisation *organisation, const struct cloudevent *event,
                                    struct view kind, struct view why)
{
    return (struct work_item){
        .organisation = organisation->id,
        .kind = kind,
        .source = event->source,
        .message_id = event->id,
        .why = why,
        .at = VIEW("data/patient/nhsNumber"),
        .code = VIEW(""),
        .source_partition = -1,
    };
}

struct publication publication_of(const struct organisation *organisation, struct cloudevent *event, uint64_t token,
                                  struct arena *arena)
{
    const struct patient *patient = &event->event.body.patient;
    struct publication publication = {
        .publisher = organisation->id,
        .source = event->source,
        .id = event->id,
        .message_time_ms = event->time_ms,
        .content = event->content,
        .events = &event->event,
        .event_count = 1,
        .token = token,
    };
    if (patient->nhs_number.data != NULL)
        return publication;
    publication.items = arena_take(arena, sizeof *publication.items);
    publication.item_count = 1;
    publication.items[0] =
        patient->untrusted_nhs_number.data != NULL
            ? number_item(organisation, event, VIEW("untrusted-nhs-number"),
                          VIEW("the NHS number fails its check digit: the event is kept under the local number"))
            : number_item(organisation, event, VIEW("missing-nhs-number"),
                          VIEW("there is no NHS number: the event is kept under the local number"));
    return publication;
}
