/*
 * Ingest's one way into the log: takes care events from a door (MLLP, HTTP), gives them their ids, recognises a message
 * that came before, finds or makes the patient's key, seals, appends; and answers when they are durable.
 *
 * One a door, on the door's thread. A door's identities are its own (a HL7 message is never a CloudEvent), kept 35 days
 * in a store that folds the log's headers: so after a restart, and for what other processes took in, the first answer
 * is given again.
 */
#pragma once

#include "broker/base/memory.h"
#include "broker/directory/directory.h"
#include "broker/event/care_event.h"
#include "broker/event/directory_entry.h"
#include "broker/log/log.h"
#include "broker/vault/vault.h"

struct publisher;

struct publisher_options {
    struct log *log;
    const struct vault *vault;
    const char *data_folder;
    const char *region;
    enum origin origin;      /* ORIGIN_HL7, ORIGIN_CLOUDEVENTS; ORIGIN_API for registrations made by route */
    bool without_identities; /* nothing is compared with what came before: the caller's ids do that (registrations) */
    int64_t commit_ms;       /* how often the fold of identities commits; 0: the runner's default */
    bool answer_early;       /* sabotage: answers before the commit. Never set but by the crash harness */
    /* For the crash harness: called at "message-taken" (new, nothing appended), "key-durable" (its patient's first key
     * is, the events are not appended), "events-durable" (not answered), "report-durable". who: the door. NULL: nobody.
     */
    void (*at_point)(void *context, const char *who, const char *point);
    void *context;
};

/* A message as a door understood it: who sent it, what makes it the same message, and what happened. */
struct publication {
    struct view publisher;   /* ODS code */
    struct view source, id;  /* MSH-3 and MSH-10; or the CloudEvent's source and id */
    int64_t message_time_ms; /* MSH-7 (or the event's time) */
    struct view content;     /* what is compared when it comes again (domain, section 2: duplicates) */
    struct care_event
        *events; /* header: type, organisation, class, urgency; body whole. 0 events: accepted, gives none */
    size_t event_count;
    struct work_item *items; /* for the work list, durable with it: untrusted or missing numbers, unreadable times */
    size_t item_count;
    struct view patient; /* the patientRef, where the caller knows no more; NULL data: found from the events */
    uint64_t token;      /* comes back with the answer */
};

enum publication_outcome {
    PUBLICATION_DURABLE,   /* new, and durable */
    PUBLICATION_DUPLICATE, /* the same message again: the first answer */
    PUBLICATION_CONFLICT,  /* the same identity with other content: an item is on the work list */
    PUBLICATION_REFUSED,   /* publisher_refuse: the item is on the work list */
    PUBLICATION_UNCERTAIN, /* not durable, or not known whether it is: send it again */
};

struct publication_answer {
    uint64_t token;
    enum publication_outcome outcome;
    struct event_id first_id;     /* of the first event; of the first taking, for a duplicate */
    struct log_position position; /* of the last event; partition -1: none */
    int64_t recorded_at_ms;
};

enum result publisher_open(const struct publisher_options *options, struct publisher **ret, struct error *err);
void publisher_close(struct publisher *publisher);
/* Takes it in (everything is copied). One answer will come. AGAIN: too much is under way; the door stops reading.
 * REJECTED: it can never be taken (too large); err says why. */
enum result publisher_take(struct publisher *publisher, const struct publication *publication, struct error *err);
/* The next answer; NOTHING: none yet. Answers UNCERTAIN by itself after LIMIT_PUBLISH_WAIT_MS. */
enum result publisher_collect(struct publisher *publisher, struct publication_answer *ret);
/* Puts a refused message on the work list. One answer will come, REFUSED when the item is durable. AGAIN: too many are
 * under way. */
enum result publisher_refuse(struct publisher *publisher, const struct work_item *item, uint64_t token);
/* The same with nobody who waits for it. */
void publisher_report(struct publisher *publisher, const struct work_item *items, size_t count);
int publisher_fd(const struct publisher *publisher); /* readable: call publisher_collect until NOTHING */
/* Folds in what the log has (own and others' events) and times out waiters. Call in each turn of the loop. FATAL: stop.
 */
enum result publisher_step(struct publisher *publisher, struct error *err);
bool publisher_is_ready(const struct publisher *publisher); /* caught up with the log since it was opened */
size_t publisher_waiting(const struct publisher *publisher);
