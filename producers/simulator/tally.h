/*
 * What had to be heard, against what was heard. Any thread.
 *
 * An alert is expected when its message is first sent, and counts when the message is acknowledged. It may be seen
 * before that; what an earlier run of the same messages told may even be seen before it is expected. What is settled
 * is forgotten but for its hash, and of those the oldest: memory stays bounded.
 */
#pragma once

#include "producers/simulator/expectation.h"

struct tally;

struct tally_counts {
    uint64_t expected, seen;
    uint64_t missed;       /* acknowledged, and never told */
    uint64_t doubled;      /* the same alert or number again, or the same thing under another number */
    uint64_t unexpected;   /* told, and nobody had a right to it */
    uint64_t gaps;         /* numbers that were left out */
    uint64_t out_of_order; /* told before what happened earlier to the same patient */
    uint64_t baseless;     /* took back what was never told here */
    uint64_t heard;        /* alerts that came, of whatever run */
    uint64_t open;         /* expected and not seen yet, acknowledged or not */
    double p50_ms, p99_ms; /* from the message's first sending to the alert's arrival; not of what an
                              earlier run told */
};

/* start_ms: alerts that the broker published before it, and that nothing here explains, are of an earlier run. */
struct tally *tally_create(int patients, int subscribers, int64_t start_ms);
void tally_destroy(struct tally *tally);

/* The number a subscription is heard from: the next is one more. */
void tally_listen_from(struct tally *tally, int subscriber, int64_t number);

/* The alerts of message number `number`, about this patient. */
void tally_expect(struct tally *tally, const struct expected_alert *alerts, size_t count, int patient, uint64_t number,
                  int64_t sent_us);
void tally_confirm(struct tally *tally, const struct expected_alert *alerts, size_t count);
void tally_withdraw(struct tally *tally, const struct expected_alert *alerts, size_t count); /* it was rejected */

struct seen_alert {
    int subscriber;
    int64_t number;        /* in the subscription */
    bool ours;             /* it tells of this run; otherwise only its number is looked at */
    uint64_t id, concerns; /* hashes of the alerts' ids; concerns 0: none */
    uint64_t key;
    int64_t published_ms, seen_us;
};
void tally_see(struct tally *tally, const struct seen_alert *alert);

/* Expected and not seen yet, acknowledged or not. */
uint64_t tally_open(struct tally *tally);
/* Has all that was acknowledged been seen? */
bool tally_is_settled(struct tally *tally);
void tally_count(struct tally *tally, struct tally_counts *ret);
