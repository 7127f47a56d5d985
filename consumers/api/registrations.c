/* Registrations: this subscriber looks after this patient, in this role, from, until. Events on the patient's own key.
 */
#include "consumers/api/listing.h"
#include "consumers/api/registered.h"

#define YEAR_MS (365LL * 24 * 3600 * 1000)

static bool may_register(const struct call *call, struct view subscriber)
{
    return (call->caller.roles & ROLE_OPERATOR) != 0 || caller_owns_subscriber(call, subscriber);
}

static void publish(struct call *call, const char *type, const struct registration *registration,
                    struct view patient_ref, const struct patient *patient, int status)
{
    struct care_event event = {.header = {.type = view_of_text(type)},
                               .body = {.has_registration = true, .registration = *registration}};
    struct publication publication = {
        .publisher = registration->subscriber,
        .source = view_of_text(type), /* a registration's start and its end are two messages with one id */
        .id = registration->id,
        .message_time_ms = time_now_ms(),
        .content = registration->id,
        .events = &event,
        .event_count = 1,
        .patient = patient_ref,
        .token = ++call->api->next_ticket,
    };
    struct error err;
    if (patient != NULL)
        event.body.patient = *patient;
    event.body.happened_at_ms = publication.message_time_ms;
    call->ticket = publication.token;
    call->status = status;
    if (publisher_take(call->api->publisher, &publication, &err) != OK) {
        call_problem(call, 503, "The log takes no records now; send the same request again.");
        return;
    }
    call->deadline_ms = time_monotonic_ms() + 2 * LIMIT_PUBLISH_WAIT_MS; /* the publisher answers before that */
    call_park(call);
}

static void answer_write(struct call *call, struct view id, const char *patient_ref)
{
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "id", id);
    json_member_text(&json, "patientRef", view_of_text(patient_ref));
    json_close_object(&json);
}

/* Sent again with the same Idempotency-Key: the same answer; with another content: a conflict. True: answered. */
static bool came_before(struct call *call, const struct registration *wanted)
{
    struct registration known;
    if (registered_find(call->api, wanted->id, &call->arena, &known) != OK)
        return false;
    if (view_is(known.subscriber, wanted->subscriber) && view_is(known.role, wanted->role))
        call_answer(call, 201, buffer_view(&call->body));
    else
        call_problem(call, 409, "Another registration was made with this Idempotency-Key.");
    return true;
}

static void times_complete(struct registration *registration, struct problems *problems)
{
    if (registration->from_ms == 0)
        registration->from_ms = time_now_ms();
    if (registration->until_ms == 0 && !view_is_text(registration->role, "gp"))
        registration->until_ms = registration->from_ms + YEAR_MS;
    if (registration->until_ms != 0 && registration->until_ms <= registration->from_ms)
        problem_add(problems, "/until", "it ends before it starts");
}

void registration_add(struct call *call)
{
    struct registration_request wanted = {0};
    struct problems problems = {0};
    char patient_ref[PATIENT_REF_SIZE];
    if (registration_read(http_body(call->request), &call->arena, &wanted, &problems) == OK) {
        times_complete(&wanted.registration, &problems);
        if (directory_subscriber(call->api->directory, wanted.registration.subscriber) == NULL)
            problem_add(&problems, "/subscriber", "not in the directory: add the organisation or subscriber first");
    }
    if (problems.count > 0) {
        call_problems(call, &problems);
        return;
    }
    if (!may_register(call, wanted.registration.subscriber)) {
        call_not_found(call);
        return;
    }
    struct patient patient = {.nhs_number = wanted.nhs_number};
    if (wanted.nhs_number.size > 0) {
        vault_patient_ref_of_nhs_number(call->api->options.vault, wanted.nhs_number, patient_ref);
    } else {
        vault_patient_ref_of_local_id(call->api->options.vault, wanted.local.assigner, wanted.local.value, patient_ref);
        patient.local_ids = &wanted.local;
        patient.local_id_count = 1;
    }
    struct view tail = call_make_id(call, wanted.registration.subscriber, "registration");
    wanted.registration.id = arena_format(&call->arena, "%s.%.*s", patient_ref, VIEW_ARGS(tail));
    answer_write(call, wanted.registration.id, patient_ref);
    if (!came_before(call, &wanted.registration))
        publish(call, "registration-started-1", &wanted.registration, view_of_text(patient_ref), &patient, 201);
}

void registration_end(struct call *call)
{
    struct registration known;
    struct view id = call->params[0];
    if (id.size < PATIENT_REF_SIZE || registered_find(call->api, id, &call->arena, &known) != OK ||
        !may_register(call, known.subscriber)) {
        call_not_found(call);
        return;
    }
    struct registration end = known;
    end.until_ms = time_now_ms();
    struct view patient_ref = view_make(known.id.data, PATIENT_REF_SIZE - 1);
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "id", known.id);
    json_member_time(&json, "until",
                     known.until_ms != 0 && known.until_ms < end.until_ms ? known.until_ms : end.until_ms);
    json_close_object(&json);
    if (known.until_ms != 0 && known.until_ms <= end.until_ms)
        call_answer(call, 200, buffer_view(&call->body)); /* it was over already */
    else
        publish(call, "registration-ended-1", &end, patient_ref, NULL, 200);
}

static bool list_one(void *context, struct view key, struct view value)
{
    struct listing *listing = context;
    struct registration known;
    const char *end = memchr(key.data, 0, key.size);
    (void)value;
    if (end == NULL)
        return true;
    struct view id = arena_copy(&listing->call->arena, view_after(key, (size_t)(end - (const char *)key.data) + 1));
    if (registered_find(listing->call->api, id, &listing->call->arena, &known) != OK)
        return true;
    if (!listing_take(listing, id))
        return false;
    json_open_object(&listing->json);
    json_member_text(&listing->json, "id", known.id);
    json_member_text(&listing->json, "patientRef", view_make(known.id.data, PATIENT_REF_SIZE - 1));
    json_member_text(&listing->json, "subscriber", known.subscriber);
    json_member_text(&listing->json, "role", known.role);
    json_member_time(&listing->json, "from", known.from_ms);
    json_member_time(&listing->json, "until", known.until_ms);
    json_close_object(&listing->json);
    return true;
}

void registration_list(struct call *call)
{
    struct listing listing;
    struct view after, subscriber = http_query(call->request, "subscriber");
    if (subscriber.size == 0) {
        call_problem(call, 400, "?subscriber= says whose registrations.");
        return;
    }
    if (!may_register(call, subscriber)) {
        call_not_found(call);
        return;
    }
    if (!listing_open(call, &listing, &after))
        return;
    if (registered_scan(call->api, subscriber, after, list_one, &listing) == FATAL)
        listing.more = false;
    listing_close(&listing);
}

void patient_search(struct call *call)
{
    struct view nhs_number = VIEW_NONE;
    struct local_id local = {0};
    struct problems problems = {0};
    char patient_ref[PATIENT_REF_SIZE];
    if (patient_search_read(http_body(call->request), &call->arena, &nhs_number, &local, &problems) != OK) {
        call_problems(call, &problems);
        return;
    }
    if (nhs_number.size > 0)
        vault_patient_ref_of_nhs_number(call->api->options.vault, nhs_number, patient_ref);
    else
        vault_patient_ref_of_local_id(call->api->options.vault, local.assigner, local.value, patient_ref);
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "patientRef", view_of_text(patient_ref));
    json_close_object(&json);
    call_answer(call, 200, buffer_view(&call->body));
}
