/* One lock for all counts; the waits look up every so often, since flags come from signals. */
#include "producers/simulator/traffic.h"

#include "broker/base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    WAITING_MOST = 4096,       /* messages under way: then the region waits for the broker */
    OPEN_ALERTS_MOST = 200000, /* expected and not seen: the same */
    YOUNG_MS = 10 * 1000,
    LOOK_MS = 50,
};

static struct timespec from_now(int ms)
{
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    at.tv_sec += ms / 1000;
    at.tv_nsec += (long)(ms % 1000) * 1000000;
    at.tv_sec += at.tv_nsec / 1000000000;
    at.tv_nsec %= 1000000000;
    return at;
}

static void condition_open(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

void traffic_open(struct traffic *traffic, int patients, struct tally *tally)
{
    *traffic = (struct traffic){.tally = tally, .began_ms = time_monotonic_ms()};
    (void)pthread_mutex_init(&traffic->lock, NULL);
    condition_open(&traffic->changed);
    traffic->standing = memory_array((size_t)patients, sizeof *traffic->standing);
    traffic->under_way = memory_array((size_t)patients, sizeof *traffic->under_way);
}

void traffic_close(struct traffic *traffic)
{
    free(traffic->standing);
    free(traffic->under_way);
    (void)pthread_cond_destroy(&traffic->changed);
    (void)pthread_mutex_destroy(&traffic->lock);
}

/* A duplicate may follow close: it is the same message. */
static bool has_room(const struct traffic *traffic, int patient, bool duplicate)
{
    return traffic->waiting < WAITING_MOST && traffic->under_way[patient] < (duplicate ? 3 : 1);
}

bool traffic_wait_for_room(struct traffic *traffic, int patient, bool duplicate, const atomic_bool *stop)
{
    struct timespec until;
    (void)pthread_mutex_lock(&traffic->lock);
    while (!atomic_load(stop) &&
           (!has_room(traffic, patient, duplicate) || tally_open(traffic->tally) > OPEN_ALERTS_MOST)) {
        until = from_now(LOOK_MS);
        (void)pthread_cond_timedwait(&traffic->changed, &traffic->lock, &until);
    }
    (void)pthread_mutex_unlock(&traffic->lock);
    return !atomic_load(stop);
}

bool traffic_is_young(const struct traffic *traffic)
{
    return time_monotonic_ms() - traffic->began_ms < YOUNG_MS;
}

struct sending *traffic_take(struct traffic *traffic, const struct outgoing *message)
{
    struct sending *sending = memory_take(sizeof *sending);
    sending->message = *message;
    (void)pthread_mutex_lock(&traffic->lock);
    sending->before = traffic->standing[message->patient];
    traffic->under_way[message->patient]++;
    traffic->waiting++;
    (void)pthread_mutex_unlock(&traffic->lock);
    return sending;
}

void traffic_is_sent(struct traffic *traffic, struct sending *sending)
{
    const struct outgoing *message = &sending->message;
    (void)pthread_mutex_lock(&traffic->lock);
    if (sending->sent)
        traffic->counts.resent++;
    else
        traffic->counts.sent++;
    (void)pthread_mutex_unlock(&traffic->lock);
    if (!sending->sent)
        tally_expect(traffic->tally, sending->alerts, sending->alert_count, message->patient, message->number,
                     time_monotonic_us());
    sending->sent = true;
}

/* Ends it; the lock is held. */
static void sending_end(struct traffic *traffic, struct sending *sending)
{
    traffic->under_way[sending->message.patient]--;
    traffic->waiting--;
    (void)pthread_cond_broadcast(&traffic->changed);
    buffer_destroy(&sending->message.bytes);
    free(sending);
}

void traffic_acknowledged(struct traffic *traffic, struct sending *sending)
{
    tally_confirm(traffic->tally, sending->alerts, sending->alert_count);
    (void)pthread_mutex_lock(&traffic->lock);
    traffic->counts.acknowledged++;
    sending_end(traffic, sending);
    (void)pthread_mutex_unlock(&traffic->lock);
}

void traffic_rejected(struct traffic *traffic, struct sending *sending, const char *why)
{
    tally_withdraw(traffic->tally, sending->alerts, sending->alert_count);
    (void)pthread_mutex_lock(&traffic->lock);
    if (traffic->counts.rejected++ == 0)
        (void)snprintf(traffic->counts.rejection.text, sizeof traffic->counts.rejection.text, "%s: %s",
                       sending->message.id, why);
    if (!sending->message.duplicate)
        traffic->standing[sending->message.patient] = sending->before;
    sending_end(traffic, sending);
    (void)pthread_mutex_unlock(&traffic->lock);
}

void traffic_abandoned(struct traffic *traffic, struct sending *sending)
{
    (void)pthread_mutex_lock(&traffic->lock);
    sending_end(traffic, sending);
    (void)pthread_mutex_unlock(&traffic->lock);
}

bool traffic_wait_for_end(struct traffic *traffic, int timeout_ms)
{
    struct timespec until = from_now(timeout_ms);
    int failed = 0;
    (void)pthread_mutex_lock(&traffic->lock);
    while (traffic->waiting > 0 && failed == 0)
        failed = pthread_cond_timedwait(&traffic->changed, &traffic->lock, &until);
    bool ended = traffic->waiting == 0;
    (void)pthread_mutex_unlock(&traffic->lock);
    return ended;
}

void traffic_count(struct traffic *traffic, struct traffic_counts *ret)
{
    (void)pthread_mutex_lock(&traffic->lock);
    *ret = traffic->counts;
    (void)pthread_mutex_unlock(&traffic->lock);
}

/* ---- a queue of sendings ---- */

void outbox_open(struct outbox *outbox)
{
    *outbox = (struct outbox){.end = &outbox->first};
    (void)pthread_mutex_init(&outbox->lock, NULL);
    condition_open(&outbox->changed);
}

void outbox_destroy(struct outbox *outbox)
{
    (void)pthread_cond_destroy(&outbox->changed);
    (void)pthread_mutex_destroy(&outbox->lock);
}

void outbox_add(struct outbox *outbox, struct sending *sending)
{
    (void)pthread_mutex_lock(&outbox->lock);
    sending->next = NULL;
    *outbox->end = sending;
    outbox->end = &sending->next;
    (void)pthread_cond_signal(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
}

void outbox_close(struct outbox *outbox)
{
    (void)pthread_mutex_lock(&outbox->lock);
    outbox->closed = true;
    (void)pthread_cond_broadcast(&outbox->changed);
    (void)pthread_mutex_unlock(&outbox->lock);
}

enum result outbox_take(struct outbox *outbox, int timeout_ms, struct sending **ret)
{
    struct timespec until = from_now(timeout_ms);
    enum result result = OK;
    int failed = timeout_ms == 0;
    (void)pthread_mutex_lock(&outbox->lock);
    while (outbox->first == NULL && !outbox->closed && failed == 0)
        failed = pthread_cond_timedwait(&outbox->changed, &outbox->lock, &until);
    struct sending *taken = outbox->first;
    if (taken == NULL) {
        result = outbox->closed ? REJECTED : NOTHING;
    } else {
        outbox->first = taken->next;
        if (outbox->first == NULL)
            outbox->end = &outbox->first;
        *ret = taken;
    }
    (void)pthread_mutex_unlock(&outbox->lock);
    return result;
}
