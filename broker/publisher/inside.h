/* The inside of a publisher, for the files of this room. */
#pragma once

#include "broker/publisher/publisher.h"

#include "broker/base/buffer.h"
#include "broker/fold/fold.h"
#include "broker/record/record.h"

enum { FLIGHTS_LIMIT = 16 * 1024, IDENTITY_SPACE = 'i', IDENTITY_ROW_SIZE = 16 + HASH_SIZE + 8 + 4 + 8 };

/* What is known of a message that came before. */
struct identity {
    struct event_id first_id;
    uint8_t content[HASH_SIZE];
    int64_t recorded_at_ms;
    struct log_position position;
};

enum flight_state {
    FLIGHT_WAITS_FOR_KEY, /* the patient's new key is on its way to the log */
    FLIGHT_APPENDING,     /* the events are on their way */
    FLIGHT_DURABLE,       /* kept until the fold of identities has passed it */
};

/* A message between taking and durable. */
struct flight {
    struct flight *next_same_slot;        /* in the table of identities */
    struct flight *next_same_ticket_slot; /* in the table of tickets */
    struct flight *next_waiter;           /* the same message came again meanwhile: answered with the first */
    struct flight *newer, *older;         /* in order of taking */
    enum flight_state state;
    struct arena arena;
    struct publication publication; /* borrowed views until flight_keep; only counts and token once appended */
    struct identity identity;
    char patient[PATIENT_REF_SIZE];
    uint64_t key_id;
    uint64_t ticket;     /* of the append under way */
    int64_t taken_at_ms; /* monotonic */
    int64_t taken_at_us;
    bool answered;
};

/* A patient's first key on its way to the log, and who waits for it in order. */
struct key_flight {
    struct key_flight *next;
    char patient[PATIENT_REF_SIZE];
    uint64_t key_id, ticket;
    struct flight **waiting;
    size_t waiting_count, waiting_capacity;
    enum result result; /* while appending: OK */
};

struct flight_table {
    struct flight *slots[4096];
    struct flight *tickets[4096];
    struct flight *oldest, *newest;
    size_t count;
};

/* A work item on its way to the quarantine topic; appended again until it is durable. */
struct report {
    struct report *next;
    struct buffer key, value;
    uint64_t ticket; /* 0: to be appended */
    bool awaited;    /* by a publisher, who is given the answer when it is durable */
    struct publication_answer answer;
    int64_t added_at_ms; /* monotonic */
};

struct publisher {
    struct publisher_options options;
    char name[32];
    struct log_appender *appender, *reporter;
    struct keyring *keyring;
    struct runner *identities;
    struct flight_table flights;
    struct key_flight *keys;
    struct report *reports;
    size_t report_count;
    uint64_t next_ticket;
    int64_t last_recorded_ms, last_purge_ms, last_look_ms;
    uint8_t purge_from[EVENT_ID_SIZE];
    bool ready;
    int epoll, wake; /* wake: an eventfd, readable while answers wait */
    struct publication_answer *answers;
    size_t answer_first, answer_count, answer_capacity;
};

/* publisher.c */
void publisher_at_point(const struct publisher *publisher, const char *point);

/* identity.c */
struct fold identity_fold(struct publisher *publisher);
/* The newest message known under the id's identity, from the log. NOTHING: none within 35 days. */
enum result identity_find(struct publisher *publisher, const struct event_id *id, int64_t now_ms, struct identity *ret);
/* Removes rows that are older than 35 days among the next few; goes round the store, faster than a thousand messages a
 * second fill it. */
void identities_purge(struct publisher *publisher, int64_t now_ms);

/* flight.c */
struct flight *flight_create(const struct publication *publication); /* borrows its views */
void flight_keep(struct flight *flight);                             /* owns copies from here on */
void flight_destroy(struct flight *flight);
void flight_insert(struct flight_table *table, struct flight *flight);
void flight_remove(struct flight_table *table, struct flight *flight);
struct flight *flight_find(const struct flight_table *table, const struct event_id *id);
/* The append under this ticket is under way; its answer takes the flight out again. */
void flight_await(struct flight_table *table, struct flight *flight, uint64_t ticket);
struct flight *flight_take_ticket(struct flight_table *table, uint64_t ticket);
void answer_add(struct publisher *publisher, const struct publication_answer *answer);
/* Answers the flight and all that wait with it, once. */
void flight_answer(struct publisher *publisher, struct flight *flight, enum publication_outcome outcome);

/* compose.c */
/* Who the message is about: the NHS number's pseudonym, else that of the publisher's own local number. REJECTED:
 * nobody. */
enum result flight_find_patient(const struct publisher *publisher, struct flight *flight, struct error *err);
/* Seals and queues the events and items of a flight whose key is known. */
enum result flight_append(struct publisher *publisher, struct flight *flight, struct error *err);

/* report.c */
/* answer: NULL: nobody waits. AGAIN: too many are under way. */
enum result report_add(struct publisher *publisher, const struct work_item *item,
                       const struct publication_answer *answer);
void reports_append(struct publisher *publisher);
void reports_collect(struct publisher *publisher);
void reports_destroy(struct publisher *publisher);
