/* Organisations one after the other, then subscriptions, then registrations over several connections. */
#include "producers/simulator/setup.h"

#include "broker/base/json.h"
#include "broker/base/memory.h"
#include "broker/codec/cloudevent.h"
#include "producers/simulator/ask.h"
#include "producers/simulator/care_plan.h"
#include "producers/simulator/person.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

enum { REGISTERING_CONNECTIONS = 8, READY_MS = 10 * 1000 };

struct setup {
    const struct simulate_options *options;
    const atomic_bool *stop;
    struct client *client;
    struct buffer path, body, answer, position;
    struct error *err;
};

/* Asks, and takes the statuses named as done. ret_status may be NULL. */
static enum result setup_ask(struct setup *setup, const struct question *question, int done, int done_too,
                             int *ret_status)
{
    int status = 0;
    if (atomic_load(setup->stop))
        return error_set(setup->err, AGAIN, "stopped before everything was made");
    enum result result = ask(setup->client, question, setup->stop, &status, &setup->answer, setup->err);
    if (result == OK && status != done && status != done_too)
        result = ask_refused(question, status, buffer_view(&setup->answer), setup->err);
    if (result == OK && ret_status != NULL)
        *ret_status = status;
    return result;
}

static const char *setup_path(struct setup *setup, const char *before, const char *last)
{
    buffer_clear(&setup->path);
    buffer_add_format(&setup->path, "%s%s", before, last);
    buffer_add_byte(&setup->path, '\0');
    return (const char *)setup->path.data;
}

/* ---- organisations ---- */

static enum result organisation_make(struct setup *setup, const struct place_of_care *place, const char *kind,
                                     bool sends_events)
{
    int status = 0;
    const char *path = setup_path(setup, "/organisations/", place->ods);
    enum result result = setup_ask(setup, &(struct question){.method = "GET", .path = path}, 200, 404, &status);
    if (result != OK || status == 200)
        return result;
    struct buffer source = {0};
    buffer_clear(&setup->body);
    struct json json = json_start(&setup->body);
    json_open_object(&json);
    json_member_text(&json, "name", view_of_text(place->name));
    json_member_text(&json, "kind", view_of_text(kind));
    if (sends_events) {
        care_plan_source(place->ods, &source);
        json_name(&json, "sources");
        json_open_array(&json);
        json_text(&json, buffer_view(&source));
        json_close_array(&json);
    }
    json_close_object(&json);
    struct question question = {.method = "PUT", .path = path, .body = buffer_view(&setup->body)};
    result = setup_ask(setup, &question, 201, 200, NULL);
    const char *position = result == OK ? ask_position(setup->client, &setup->position) : NULL;
    if (position != NULL)
        result =
            setup_ask(setup, &(struct question){.method = "GET", .path = path, .position = position}, 200, 200, NULL);
    buffer_destroy(&source);
    return result;
}

static enum result organisations_make(struct setup *setup)
{
    static const char *const kinds[SUBSCRIBER_KINDS] = {"gp-practice", "care-home", "community"};
    enum result result = OK;
    struct place_of_care place;
    for (int i = 0; i < setup->options->hospitals && result == OK; i++) {
        region_hospital(i, &place);
        result = organisation_make(setup, &place, "hospital", false);
    }
    for (int i = 0; i < region_subscribers(setup->options->patients) && result == OK; i++) {
        enum subscriber_kind kind = region_subscriber(i, &place);
        result = organisation_make(setup, &place, kinds[kind], kind != CARE_HOME);
    }
    return result;
}

/* ---- subscriptions ---- */

/* Practices and homes take what is told by default, some of them without names; teams name what they want. */
static void subscription_write(int subscriber, enum subscriber_kind kind, const char *ods, struct buffer *to)
{
    static const char *const types[] = {"encounter-*-1", "encounter-transferred-1", "care-plan-changed-1"};
    struct json json = json_start(to);
    json_open_object(&json);
    json_member_text(&json, "subscriber", view_of_text(ods));
    json_member_text(&json, "payload", kind == PRACTICE && subscriber % 4 == 3 ? VIEW("id-only") : VIEW("full"));
    json_member_text(&json, "purpose", VIEW("direct-care"));
    if (kind == COMMUNITY) {
        json_name(&json, "types");
        json_open_array(&json);
        for (size_t i = 0; i < sizeof types / sizeof types[0]; i++)
            json_text(&json, view_of_text(types[i]));
        json_close_array(&json);
    }
    json_name(&json, "channel");
    json_open_object(&json);
    json_member_text(&json, "kind", VIEW("pull"));
    json_close_object(&json);
    json_close_object(&json);
}

static enum result subscription_take_in(struct setup *setup, struct subscribed *ret)
{
    struct arena arena = {0};
    struct view id, head;
    int64_t number = 0;
    bool whole = json_find(buffer_view(&setup->answer), "id", &arena, &id) == OK &&
                 json_find(buffer_view(&setup->answer), "head", &arena, &head) == OK && view_to_number(head, &number);
    if (whole) {
        ret->id = memory_text(id);
        ret->from = setup->options->start_ms != 0 ? 0 : number;
    }
    arena_destroy(&arena);
    return whole ? OK : error_set(setup->err, REJECTED, "POST /subscriptions: the answer has no id and head");
}

static enum result subscription_make(struct setup *setup, int subscriber, struct subscribed *ret)
{
    struct place_of_care place;
    enum subscriber_kind kind = region_subscriber(subscriber, &place);
    buffer_clear(&setup->body);
    subscription_write(subscriber, kind, place.ods, &setup->body);
    struct question question = {.method = "POST",
                                .path = "/subscriptions",
                                .idempotency_key = "simulate-subscription-1",
                                .body = buffer_view(&setup->body)};
    enum result result = setup_ask(setup, &question, 201, 201, NULL);
    const char *position = result == OK ? ask_position(setup->client, &setup->position) : NULL;
    if (result == OK)
        result = subscription_take_in(setup, ret);
    if (result == OK && position != NULL)
        result =
            setup_ask(setup,
                      &(struct question){
                          .method = "GET", .path = setup_path(setup, "/subscriptions/", ret->id), .position = position},
                      200, 200, NULL);
    return result;
}

/* ---- registrations ---- */

static enum result registration_make(struct setup *setup, const struct person *person, int number,
                                     enum subscriber_kind kind)
{
    char key[96];
    struct place_of_care place;
    (void)region_subscriber(person->subscribers[kind], &place);
    (void)snprintf(key, sizeof key, "simulate-registration-1-%d-%s", number, region_role(kind));
    buffer_clear(&setup->body);
    struct json json = json_start(&setup->body);
    json_open_object(&json);
    json_member_text(&json, "patient", view_of_text(person->nhs_number));
    json_member_text(&json, "subscriber", view_of_text(place.ods));
    json_member_text(&json, "role", view_of_text(region_role(kind)));
    json_member_text(&json, "evidence", VIEW("simulated"));
    json_close_object(&json);
    struct question question = {
        .method = "POST", .path = "/registrations", .idempotency_key = key, .body = buffer_view(&setup->body)};
    return setup_ask(setup, &question, 201, 201, NULL);
}

static void setup_close(struct setup *setup)
{
    client_close(setup->client);
    buffer_destroy(&setup->path);
    buffer_destroy(&setup->body);
    buffer_destroy(&setup->answer);
    buffer_destroy(&setup->position);
}

struct registering {
    pthread_t thread;
    const struct simulate_options *options;
    const atomic_bool *stop;
    int first; /* and every REGISTERING_CONNECTIONS-th after it */
    enum result result;
    struct error err;
};

static void *registering_run(void *context)
{
    struct registering *registering = context;
    const struct simulate_options *options = registering->options;
    struct setup setup = {.options = options, .stop = registering->stop, .err = &registering->err};
    enum result result = client_open(options->url, options->token, &setup.client, setup.err);
    for (int i = registering->first; i < options->patients && result == OK; i += REGISTERING_CONNECTIONS) {
        struct person person;
        person_read(i, &person);
        for (enum subscriber_kind kind = PRACTICE; kind < SUBSCRIBER_KINDS && result == OK; kind++)
            if (person.subscribers[kind] != NOBODY)
                result = registration_make(&setup, &person, i, kind);
    }
    setup_close(&setup);
    registering->result = result;
    return NULL;
}

static enum result registrations_make(struct setup *setup)
{
    enum result result = OK;
    struct registering all[REGISTERING_CONNECTIONS];
    for (int i = 0; i < REGISTERING_CONNECTIONS; i++) {
        all[i] = (struct registering){.options = setup->options, .stop = setup->stop, .first = i};
        if (pthread_create(&all[i].thread, NULL, registering_run, &all[i]) != 0)
            abort(); /* no thread is to be had: as good as out of memory */
    }
    for (int i = 0; i < REGISTERING_CONNECTIONS; i++) {
        (void)pthread_join(all[i].thread, NULL);
        if (all[i].result != OK && result == OK) {
            result = all[i].result;
            *setup->err = all[i].err;
        }
    }
    return result;
}

/* ---- all ---- */

void setup_destroy(struct subscribed *subscribed, int count)
{
    for (int i = 0; i < count && subscribed != NULL; i++)
        free(subscribed[i].id);
    free(subscribed);
}

enum result setup_region(const struct simulate_options *options, const atomic_bool *stop, struct subscribed **ret,
                         struct error *err)
{
    int count = region_subscribers(options->patients);
    struct setup setup = {.options = options, .stop = stop, .err = err};
    struct subscribed *subscribed = memory_array((size_t)count, sizeof *subscribed);
    enum result result = client_open(options->url, options->token, &setup.client, err);
    if (result == OK)
        result =
            setup_ask(&setup, &(struct question){.method = "GET", .path = "/health/ready", .patience_ms = READY_MS},
                      200, 200, NULL);
    if (result == OK)
        result = organisations_make(&setup);
    for (int i = 0; i < count && result == OK; i++)
        result = subscription_make(&setup, i, &subscribed[i]);
    if (result == OK)
        result = registrations_make(&setup);
    setup_close(&setup);
    if (result == OK)
        *ret = subscribed;
    else
        setup_destroy(subscribed, count);
    return result;
}
