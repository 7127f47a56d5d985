/* Ingest's one way into the log. */
#include "broker/publisher/inside.h"

#include "broker/base/metrics.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { CACHED_KEYS = 1024, PURGE_MS = 1000, STEP_RECORDS = 500 };

static const char *const door_names[] = {[ORIGIN_HL7] = "identities-hl7",
                                         [ORIGIN_CLOUDEVENTS] = "identities-cloudevents",
                                         [ORIGIN_API] = "identities-api",
                                         [ORIGIN_MATCH] = "identities-match"};

void publisher_at_point(const struct publisher *publisher, const char *point)
{
    static const char *const whose[] = {
        [ORIGIN_HL7] = "hl7", [ORIGIN_CLOUDEVENTS] = "cloudevents", [ORIGIN_API] = "api", [ORIGIN_MATCH] = "match"};
    if (publisher->options.at_point != NULL)
        publisher->options.at_point(publisher->options.context, whose[publisher->options.origin], point);
}

static enum result wakes_open(struct publisher *publisher, struct error *err)
{
    publisher->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    publisher->epoll = epoll_create1(EPOLL_CLOEXEC);
    int fds[] = {publisher->wake, log_appender_fd(publisher->appender), log_appender_fd(publisher->reporter),
                 publisher->identities == NULL ? -1 : runner_fd(publisher->identities)};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0] && fds[i] >= 0; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        if (epoll_ctl(publisher->epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            return error_set(err, FATAL, "epoll for a door: errno %d", errno);
    }
    return OK;
}

enum result publisher_open(const struct publisher_options *options, struct publisher **ret, struct error *err)
{
    struct publisher *publisher = memory_take(sizeof *publisher);
    publisher->options = *options;
    publisher->wake = publisher->epoll = -1;
    (void)snprintf(publisher->name, sizeof publisher->name, "%s", door_names[options->origin]);
    struct fold fold = identity_fold(publisher);
    struct runner_options runner = {.log = options->log,
                                    .vault = options->vault,
                                    .data_folder = options->data_folder,
                                    .region = options->region,
                                    .commit_ms = options->commit_ms,
                                    .batch = STEP_RECORDS,
                                    .at_point = options->at_point,
                                    .context = options->context};
    enum result result = log_appender_open(options->log, &publisher->appender, err);
    if (result == OK)
        result = log_appender_open(options->log, &publisher->reporter, err);
    if (result == OK)
        result = keyring_open(options->log, options->vault, CACHED_KEYS, &publisher->keyring, err);
    if (result == OK && !options->without_identities)
        result = runner_open(&fold, &runner, &publisher->identities, err);
    if (result == OK)
        result = wakes_open(publisher, err);
    if (result != OK) {
        publisher_close(publisher);
        return result;
    }
    *ret = publisher;
    return OK;
}

void publisher_close(struct publisher *publisher)
{
    if (publisher == NULL)
        return;
    while (publisher->flights.oldest != NULL) {
        struct flight *flight = publisher->flights.oldest;
        flight_remove(&publisher->flights, flight);
        flight_destroy(flight);
    }
    while (publisher->keys != NULL) {
        struct key_flight *key = publisher->keys;
        publisher->keys = key->next;
        free(key->waiting);
        free(key);
    }
    reports_destroy(publisher);
    runner_close(publisher->identities);
    keyring_close(publisher->keyring);
    log_appender_close(publisher->appender);
    log_appender_close(publisher->reporter);
    if (publisher->epoll >= 0)
        (void)close(publisher->epoll);
    if (publisher->wake >= 0)
        (void)close(publisher->wake);
    free(publisher->answers);
    free(publisher);
}

static void conflict_answer(struct publisher *publisher, const struct publication *publication)
{
    struct work_item item = {
        .organisation = publication->publisher,
        .kind = VIEW("conflict"),
        .source = publication->source,
        .message_id = publication->id,
        .why = VIEW("a message with this id was taken before, with other content: this one was refused; send it under "
                    "a new id"),
        .code = publisher->options.origin == ORIGIN_HL7 ? VIEW("205") : VIEW("409"),
    };
    struct publication_answer answer = {
        .token = publication->token, .outcome = PUBLICATION_CONFLICT, .position = {.partition = -1}};
    if (report_add(publisher, &item, &answer) != OK) { /* nothing is refused that is not on the list */
        answer.outcome = PUBLICATION_UNCERTAIN;
        answer_add(publisher, &answer);
    }
    reports_append(publisher);
}

static enum sameness compare(const struct publisher *publisher, const struct identity *known,
                             const struct identity *wanted)
{
    return event_sameness(publisher->options.origin, memcmp(known->content, wanted->content, HASH_SIZE) == 0,
                          event_id_time_ms(&known->first_id), event_id_time_ms(&wanted->first_id));
}

/* A message may have died between its events: it came before only when all of them are there. */
static bool is_whole(struct publisher *publisher, const struct publication *publication, const struct identity *wanted)
{
    for (size_t i = 1; i < publication->event_count; i++) {
        struct identity found;
        struct event_id id = vault_event_id(publication->publisher, publication->source, publication->id, (int32_t)i,
                                            publication->message_time_ms);
        if (identity_find(publisher, &id, wanted->recorded_at_ms, &found) != OK)
            return false;
    }
    return true;
}

/* The message came before: answers it, or lets it wait with the first. False: it is new. */
static bool came_before(struct publisher *publisher, const struct publication *publication,
                        const struct identity *wanted)
{
    struct identity known;
    struct flight *flight = flight_find(&publisher->flights, &wanted->first_id);
    if (flight != NULL)
        known = flight->identity;
    else if (publisher->identities == NULL ||
             identity_find(publisher, &wanted->first_id, wanted->recorded_at_ms, &known) != OK)
        return false;
    enum sameness sameness = compare(publisher, &known, wanted);
    if (sameness == NEW_MESSAGE)
        return false;
    if (sameness == SAME_IDENTITY_OTHER_CONTENT) {
        conflict_answer(publisher, publication);
        return true;
    }
    if (flight == NULL && !is_whole(publisher, publication, wanted))
        return false; /* all of it is appended again; matching applies what is new */
    if (flight != NULL && flight->state != FLIGHT_DURABLE) {
        struct flight *waiter = memory_take(sizeof *waiter);
        waiter->publication.token = publication->token;
        waiter->taken_at_ms = time_monotonic_ms();
        waiter->next_waiter = flight->next_waiter;
        flight->next_waiter = waiter;
        return true;
    }
    struct publication_answer answer = {.token = publication->token,
                                        .outcome = PUBLICATION_DUPLICATE,
                                        .first_id = known.first_id,
                                        .position = known.position,
                                        .recorded_at_ms = known.recorded_at_ms};
    answer_add(publisher, &answer);
    return true;
}

static struct key_flight *key_flight_find(const struct publisher *publisher, const char *patient)
{
    for (struct key_flight *key = publisher->keys; key != NULL; key = key->next)
        if (strcmp(key->patient, patient) == 0)
            return key;
    return NULL;
}

static void key_flight_wait(struct key_flight *key, struct flight *flight)
{
    if (key->waiting_count == key->waiting_capacity) {
        key->waiting_capacity = key->waiting_capacity == 0 ? 4 : key->waiting_capacity * 2;
        key->waiting = memory_grow(key->waiting, key->waiting_capacity * sizeof(struct flight *));
    }
    flight_keep(flight);
    flight->state = FLIGHT_WAITS_FOR_KEY;
    flight->key_id = key->key_id;
    key->waiting[key->waiting_count++] = flight;
}

/* A data key is in the log, acknowledged, before the first event that needs it. */
static enum result key_flight_start(struct publisher *publisher, struct flight *flight, struct error *err)
{
    struct arena arena = {0};
    struct key_flight *key = memory_take(sizeof *key);
    (void)snprintf(key->patient, sizeof key->patient, "%s", flight->patient);
    struct log_entry entry = keyring_new_key(publisher->keyring, view_of_text(flight->patient), &key->key_id, &arena);
    key->ticket = ++publisher->next_ticket;
    enum result result = log_append(publisher->appender, &entry, 1, key->ticket, err);
    arena_destroy(&arena);
    if (result != OK) {
        free(key);
        return result;
    }
    key_flight_wait(key, flight);
    key->next = publisher->keys;
    publisher->keys = key;
    return OK;
}

static enum result flight_start(struct publisher *publisher, struct flight *flight, struct error *err)
{
    if (flight->publication.event_count == 0)
        return flight_append(publisher, flight, err);
    enum result result = flight_find_patient(publisher, flight, err);
    if (result != OK)
        return result;
    struct key_flight *coming = key_flight_find(publisher, flight->patient);
    if (coming != NULL) {
        key_flight_wait(coming, flight);
        return OK;
    }
    result = keyring_find_any(publisher->keyring, view_of_text(flight->patient), &flight->key_id, err);
    if (result == NOTHING)
        return key_flight_start(publisher, flight, err);
    return result == OK ? flight_append(publisher, flight, err) : result;
}

/* A message that gives no event and nothing to report: there is nothing to make durable. */
static enum result nothing_to_do(struct publisher *publisher, const struct publication *publication,
                                 const struct identity *identity)
{
    struct publication_answer answer = {.token = publication->token,
                                        .outcome = PUBLICATION_DURABLE,
                                        .first_id = identity->first_id,
                                        .position = {.partition = -1},
                                        .recorded_at_ms = identity->recorded_at_ms};
    answer_add(publisher, &answer);
    return OK;
}

enum result publisher_take(struct publisher *publisher, const struct publication *publication, struct error *err)
{
    struct identity identity = {.position = {.partition = -1}};
    if (publisher->flights.count >= FLIGHTS_LIMIT)
        return error_set(err, AGAIN, "too many messages are under way");
    identity.recorded_at_ms = time_now_ms();
    if (identity.recorded_at_ms < publisher->last_recorded_ms)
        identity.recorded_at_ms = publisher->last_recorded_ms; /* a clock set back does not reorder what was recorded */
    publisher->last_recorded_ms = identity.recorded_at_ms;
    identity.first_id =
        vault_event_id(publication->publisher, publication->source, publication->id, 0, publication->message_time_ms);
    vault_content_hash(publisher->options.vault, publication->content, identity.content);
    if (publication->event_count == 0 && publication->item_count == 0)
        return nothing_to_do(publisher, publication, &identity);
    if (publication->event_count > 0 && came_before(publisher, publication, &identity))
        return OK;
    publisher_at_point(publisher, "message-taken");
    struct flight *flight = flight_create(publication);
    flight->identity = identity;
    enum result result = flight_start(publisher, flight, err);
    if (result != OK) {
        flight_destroy(flight);
        return result;
    }
    flight_insert(&publisher->flights, flight);
    if (publisher->options.answer_early)
        flight_answer(publisher, flight, PUBLICATION_DURABLE);
    return OK;
}

static void flight_fail(struct publisher *publisher, struct flight *flight)
{
    flight_answer(publisher, flight, PUBLICATION_UNCERTAIN);
    flight_remove(&publisher->flights, flight);
    flight_destroy(flight);
}

static void flight_finish(struct publisher *publisher, struct flight *flight, const struct log_answer *answer)
{
    if (answer->result != OK) {
        flight_fail(publisher, flight);
        return;
    }
    size_t events = flight->publication.event_count;
    if (events > 0)
        flight->identity.position.offset = answer->offsets[events - 1];
    metrics_append((double)(time_monotonic_us() - flight->taken_at_us) / 1e6);
    publisher_at_point(publisher, "events-durable");
    flight_answer(publisher, flight, PUBLICATION_DURABLE);
    flight->state = FLIGHT_DURABLE;
    if (events == 0) {
        flight_remove(&publisher->flights, flight);
        flight_destroy(flight);
    }
}

static void key_flight_finish(struct publisher *publisher, struct key_flight *key, enum result result)
{
    struct key_flight **at = &publisher->keys;
    while (*at != key)
        at = &(*at)->next;
    *at = key->next;
    if (result == OK)
        publisher_at_point(publisher, "key-durable");
    for (size_t i = 0; i < key->waiting_count; i++) { /* in the order in which they came */
        struct error err;
        if (result != OK || flight_append(publisher, key->waiting[i], &err) != OK)
            flight_fail(publisher, key->waiting[i]);
    }
    free(key->waiting);
    free(key);
}

static void appends_collect(struct publisher *publisher)
{
    struct log_answer answer;
    while (log_collect(publisher->appender, 0, &answer) == OK) {
        struct flight *flight = flight_take_ticket(&publisher->flights, answer.token);
        struct key_flight *key = publisher->keys;
        while (flight == NULL && key != NULL && key->ticket != answer.token)
            key = key->next;
        if (flight != NULL)
            flight_finish(publisher, flight, &answer);
        else if (key != NULL)
            key_flight_finish(publisher, key, answer.result);
    }
}

enum result publisher_collect(struct publisher *publisher, struct publication_answer *ret)
{
    if (publisher->answer_count == 0) {
        uint64_t count;
        (void)!read(publisher->wake, &count, sizeof count);
        appends_collect(publisher);
        reports_collect(publisher);
    }
    if (publisher->answer_count == 0)
        return NOTHING;
    *ret = publisher->answers[publisher->answer_first++];
    if (--publisher->answer_count == 0)
        publisher->answer_first = 0;
    return OK;
}

/* What waits too long is answered: not known whether durable, send it again. It may still become so, once. */
static void flights_look_over(struct publisher *publisher)
{
    int64_t now_ms = time_monotonic_ms();
    struct flight *next;
    if (now_ms == publisher->last_look_ms)
        return;
    publisher->last_look_ms = now_ms;
    for (struct flight *flight = publisher->flights.oldest; flight != NULL; flight = next) {
        next = flight->newer;
        if (flight->state == FLIGHT_DURABLE) {
            if (publisher->identities != NULL &&
                !runner_has_passed(publisher->identities, flight->identity.position.partition,
                                   flight->identity.position.offset))
                continue;
            flight_remove(&publisher->flights, flight);
            flight_destroy(flight);
        } else if (now_ms - flight->taken_at_ms >= LIMIT_PUBLISH_WAIT_MS) {
            flight_answer(publisher, flight, PUBLICATION_UNCERTAIN);
        }
    }
}

enum result publisher_step(struct publisher *publisher, struct error *err)
{
    enum result result = publisher->identities == NULL ? NOTHING : runner_step(publisher->identities, 0, err);
    if (result == FATAL)
        return FATAL;
    if (publisher->identities == NULL || runner_is_caught_up(publisher->identities))
        publisher->ready = true;
    flights_look_over(publisher);
    reports_append(publisher);
    int64_t now_ms = time_monotonic_ms();
    if (publisher->identities != NULL && now_ms - publisher->last_purge_ms >= PURGE_MS) {
        publisher->last_purge_ms = now_ms;
        identities_purge(publisher, time_now_ms());
    }
    return OK;
}

int publisher_fd(const struct publisher *publisher)
{
    return publisher->epoll;
}

bool publisher_is_ready(const struct publisher *publisher)
{
    return publisher->ready;
}

size_t publisher_waiting(const struct publisher *publisher)
{
    size_t count = 0;
    for (const struct flight *flight = publisher->flights.oldest; flight != NULL; flight = flight->newer)
        count += flight->state != FLIGHT_DURABLE;
    return count;
}
