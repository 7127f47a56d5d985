/* Organisations, and others who can be told. */
#include "consumers/api/listing.h"

static void organisation_write(const struct organisation *organisation, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "id", organisation->id);
    json_member_text(json, "name", organisation->name);
    json_member_text(json, "kind", organisation->kind);
    json_member_texts(json, "hl7Names", organisation->hl7_names, organisation->hl7_name_count);
    json_member_texts(json, "sources", organisation->sources, organisation->source_count);
    json_member_texts(json, "mllpPeers", organisation->mllp_peers, organisation->mllp_peer_count);
    json_member_texts(json, "processingIds", organisation->processing_ids, organisation->processing_id_count);
    if (organisation->time_zone.size > 0)
        json_member_text(json, "timeZone", organisation->time_zone);
    json_member_text(json, "untrustedNhsNumber", organisation->reject_untrusted ? VIEW("reject") : VIEW("accept"));
    json_close_object(json);
}

void organisation_put(struct call *call)
{
    struct organisation organisation = {0};
    struct problems problems = {0};
    if (organisation_read(http_body(call->request), call->params[0], &call->arena, &organisation, &problems) != OK) {
        call_problems(call, &problems);
        return;
    }
    if (directory_clash(call->api->directory, &organisation) != NULL) {
        call_problem(call, 409, "Another organisation has one of these hl7Names or sources already.");
        return;
    }
    const struct subscriber *same = directory_subscriber(call->api->directory, organisation.id);
    if (same != NULL && !view_is_text(same->kind, "organisation")) {
        call_problem(call, 409, "A team or professional has this id already.");
        return;
    }
    organisation.changed_at_ms = time_now_ms();
    struct subscriber subscriber = {.id = organisation.id,
                                    .kind = VIEW("organisation"),
                                    .organisation = organisation.id,
                                    .name = organisation.name,
                                    .changed_at_ms = organisation.changed_at_ms};
    struct log_entry entries[] = {directory_put_organisation(&organisation, &call->arena),
                                  directory_put_subscriber(&subscriber, &call->arena)};
    struct json json = json_start(&call->body);
    organisation_write(&organisation, &json);
    bool is_new = directory_organisation(call->api->directory, organisation.id) == NULL;
    call_append(call, entries, 2, 1, is_new ? 201 : 200);
}

void organisation_show(struct call *call)
{
    const struct organisation *organisation = directory_organisation(call->api->directory, call->params[0]);
    if (organisation == NULL) {
        call_not_found(call);
        return;
    }
    struct json json = json_start(&call->body);
    organisation_write(organisation, &json);
    call_answer(call, 200, buffer_view(&call->body));
}

static bool organisation_list_one(void *context, const struct organisation *organisation)
{
    struct listing *listing = context;
    if (!listing_take(listing, organisation->id))
        return false;
    organisation_write(organisation, &listing->json);
    return true;
}

void organisation_list(struct call *call)
{
    struct listing listing;
    struct view after;
    if (!listing_open(call, &listing, &after))
        return;
    directory_each_organisation(call->api->directory, after, organisation_list_one, &listing);
    listing_close(&listing);
}

static void subscriber_write(const struct subscriber *subscriber, struct json *json)
{
    json_open_object(json);
    json_member_text(json, "id", subscriber->id);
    json_member_text(json, "kind", subscriber->kind);
    json_member_text(json, "organisation", subscriber->organisation);
    json_member_text(json, "name", subscriber->name);
    json_close_object(json);
}

static bool subscriber_is_visible(const struct call *call, const struct subscriber *subscriber)
{
    return (call->caller.roles & ROLE_OPERATOR) != 0 || caller_acts_for(&call->caller, subscriber->organisation);
}

void subscriber_put(struct call *call)
{
    struct subscriber subscriber = {0};
    struct problems problems = {0};
    const struct subscriber *known = directory_subscriber(call->api->directory, call->params[0]);
    if (known != NULL && !subscriber_is_visible(call, known)) {
        call_not_found(call);
        return;
    }
    if (subscriber_read(http_body(call->request), call->params[0], &call->arena, &subscriber, &problems) == OK) {
        if (directory_organisation(call->api->directory, subscriber.organisation) == NULL)
            problem_add(&problems, "/organisation", "not in the directory: add the organisation first");
        if (view_is_text(subscriber.kind, "organisation"))
            problem_add(&problems, "/kind", "an organisation is a subscriber by itself: PUT /organisations/{ods}");
        if (known != NULL && view_is_text(known->kind, "organisation"))
            problem_add(&problems, "/kind", "an organisation has this id");
    }
    if (problems.count > 0) {
        call_problems(call, &problems);
        return;
    }
    if (!subscriber_is_visible(call, &subscriber)) {
        call_not_found(call);
        return;
    }
    subscriber.changed_at_ms = time_now_ms();
    struct log_entry entry = directory_put_subscriber(&subscriber, &call->arena);
    struct json json = json_start(&call->body);
    subscriber_write(&subscriber, &json);
    call_append(call, &entry, 1, 0, known == NULL ? 201 : 200);
}

void subscriber_show(struct call *call)
{
    const struct subscriber *subscriber = directory_subscriber(call->api->directory, call->params[0]);
    if (subscriber == NULL || !subscriber_is_visible(call, subscriber)) {
        call_not_found(call);
        return;
    }
    struct json json = json_start(&call->body);
    subscriber_write(subscriber, &json);
    call_answer(call, 200, buffer_view(&call->body));
}

static bool subscriber_list_one(void *context, const struct subscriber *subscriber)
{
    struct listing *listing = context;
    if (!subscriber_is_visible(listing->call, subscriber))
        return true;
    if (!listing_take(listing, subscriber->id))
        return false;
    subscriber_write(subscriber, &listing->json);
    return true;
}

void subscriber_list(struct call *call)
{
    struct listing listing;
    struct view after;
    if (!listing_open(call, &listing, &after))
        return;
    directory_each_subscriber(call->api->directory, after, subscriber_list_one, &listing);
    listing_close(&listing);
}
