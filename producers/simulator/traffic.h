/* The messages on their way: each is sent until it is acknowledged, and none of a patient before the one before it is.
 * Any thread. */
#pragma once

#include "broker/base/result.h"
#include "producers/simulator/feed.h"
#include "producers/simulator/tally.h"

#include <pthread.h>
#include <stdatomic.h>

struct sending {
    struct sending *next;
    struct outgoing message;
    struct expected_alert alerts[EXPECTED_MOST];
    size_t alert_count;
    struct standing before;       /* what stood before it, should it be rejected */
    bool sent;                    /* at least once */
    bool written;                 /* on this connection */
    int64_t written_ms, again_ms; /* again_ms: not before, after an answer that says "later" */
};

struct traffic_counts {
    uint64_t sent, acknowledged, rejected, resent;
    struct error rejection; /* the first one's reason; "": none */
};

struct traffic {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct tally *tally;
    struct standing *standing; /* of each patient */
    unsigned char *under_way;  /* messages of each patient */
    size_t waiting;            /* of all */
    struct traffic_counts counts;
    int64_t began_ms;
    atomic_bool give_up; /* what is not acknowledged now never will be */
};

void traffic_open(struct traffic *traffic, int patients, struct tally *tally);
void traffic_close(struct traffic *traffic);

/* Waits until there is room for another message of the patient. False: *stop became true. */
bool traffic_wait_for_room(struct traffic *traffic, int patient, bool duplicate, const atomic_bool *stop);
/* The run has only begun: a door may not have read yet of the organisations that were just made, and refuses them. */
bool traffic_is_young(const struct traffic *traffic);
/* Takes the message on its way. */
struct sending *traffic_take(struct traffic *traffic, const struct outgoing *message);
/* Just before it is written. */
void traffic_is_sent(struct traffic *traffic, struct sending *sending);
/* Both end the sending. */
void traffic_acknowledged(struct traffic *traffic, struct sending *sending);
void traffic_rejected(struct traffic *traffic, struct sending *sending, const char *why);
/* Given up: neither acknowledged nor rejected. */
void traffic_abandoned(struct traffic *traffic, struct sending *sending);

/* Waits until nothing is under way. False: the time is over. */
bool traffic_wait_for_end(struct traffic *traffic, int timeout_ms);
void traffic_count(struct traffic *traffic, struct traffic_counts *ret);

/* ---- a queue of sendings, from one thread to another ---- */

struct outbox {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct sending *first, **end;
    bool closed;
};

void outbox_open(struct outbox *outbox);
void outbox_destroy(struct outbox *outbox); /* it is empty */
void outbox_add(struct outbox *outbox, struct sending *sending);
void outbox_close(struct outbox *outbox); /* nothing more comes */
/* OK; NOTHING: none within timeout_ms; REJECTED: none will come. */
enum result outbox_take(struct outbox *outbox, int timeout_ms, struct sending **ret);
