/* A table by key, a ring of hashes that were settled, a histogram. */
#include "producers/simulator/tally.h"

#include "broker/base/memory.h"
#include "producers/simulator/latency.h"
#include "producers/simulator/recent.h"

#include <pthread.h>
#include <stdlib.h>

enum { BUCKETS = 1 << 16 };

struct entry {
    struct entry *next;
    uint64_t key;
    uint32_t expected, confirmed, seen; /* how often */
    bool earlier;                       /* what was seen is of before this run */
    int patient;
    enum subscriber_kind kind;
    uint64_t number;
    int64_t sent_us, seen_us;
};

struct tally {
    pthread_mutex_t lock;
    struct entry **buckets;
    struct recent recent; /* alert ids, and keys that were settled */
    struct latency latency;
    int64_t start_ms;
    int64_t *numbers;                     /* of each subscriber: the last one heard */
    uint64_t (*newest)[SUBSCRIBER_KINDS]; /* of each patient: the newest message told, and one */
    struct tally_counts counts;           /* what grows; the rest is found when asked */
};

struct tally *tally_create(int patients, int subscribers, int64_t start_ms)
{
    struct tally *tally = memory_take(sizeof *tally);
    (void)pthread_mutex_init(&tally->lock, NULL);
    tally->buckets = memory_array(BUCKETS, sizeof *tally->buckets);
    tally->newest = memory_array((size_t)patients, sizeof *tally->newest);
    tally->numbers = memory_array((size_t)subscribers, sizeof *tally->numbers);
    tally->start_ms = start_ms;
    recent_open(&tally->recent);
    return tally;
}

void tally_destroy(struct tally *tally)
{
    if (tally == NULL)
        return;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (struct entry *entry = tally->buckets[i]; entry != NULL;) {
            struct entry *next = entry->next;
            free(entry);
            entry = next;
        }
    }
    recent_close(&tally->recent);
    free(tally->buckets);
    free(tally->numbers);
    free(tally->newest);
    (void)pthread_mutex_destroy(&tally->lock);
    free(tally);
}

void tally_listen_from(struct tally *tally, int subscriber, int64_t number)
{
    (void)pthread_mutex_lock(&tally->lock);
    tally->numbers[subscriber] = number;
    (void)pthread_mutex_unlock(&tally->lock);
}

/* Where the entry of the key hangs, or would. */
static struct entry **entry_at(struct tally *tally, uint64_t key)
{
    struct entry **at = &tally->buckets[key % BUCKETS];
    while (*at != NULL && (*at)->key != key)
        at = &(*at)->next;
    return at;
}

static struct entry *entry_take(struct entry **at, uint64_t key)
{
    if (*at == NULL) {
        *at = memory_take(sizeof **at);
        (*at)->key = key;
    }
    return *at;
}

static void entry_forget(struct entry **at)
{
    struct entry *entry = *at;
    *at = entry->next;
    free(entry);
}

/* Told after something newer of the same patient to the same subscriber? */
static void order_look(struct tally *tally, const struct entry *entry)
{
    if (entry->expected > 1)
        return; /* the same words twice: which is which cannot be told */
    uint64_t *newest = &tally->newest[entry->patient][entry->kind];
    if (entry->number + 1 < *newest)
        tally->counts.out_of_order++;
    else
        *newest = entry->number + 1;
}

static void settle(struct tally *tally, struct entry **at)
{
    const struct entry *entry = *at;
    if (entry->expected == entry->confirmed && entry->expected == entry->seen) {
        recent_add(&tally->recent, entry->key);
        tally->counts.expected += entry->confirmed;
        tally->counts.seen += entry->confirmed;
        entry_forget(at);
    }
}

void tally_expect(struct tally *tally, const struct expected_alert *alerts, size_t count, int patient, uint64_t number,
                  int64_t sent_us)
{
    (void)pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = entry_take(entry_at(tally, alerts[i].key), alerts[i].key);
        entry->expected++;
        entry->patient = patient;
        entry->kind = alerts[i].kind;
        entry->number = number;
        entry->sent_us = sent_us;
    }
    tally->counts.open += count;
    (void)pthread_mutex_unlock(&tally->lock);
}

void tally_confirm(struct tally *tally, const struct expected_alert *alerts, size_t count)
{
    (void)pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < count; i++) {
        struct entry **at = entry_at(tally, alerts[i].key);
        if (*at == NULL)
            continue;
        (*at)->confirmed++;
        if ((*at)->seen >= (*at)->confirmed)
            tally->counts.open--;
        settle(tally, at);
    }
    (void)pthread_mutex_unlock(&tally->lock);
}

void tally_withdraw(struct tally *tally, const struct expected_alert *alerts, size_t count)
{
    (void)pthread_mutex_lock(&tally->lock);
    for (size_t i = 0; i < count; i++) {
        struct entry **at = entry_at(tally, alerts[i].key);
        if (*at == NULL)
            continue;
        tally->counts.open--;
        if (--(*at)->expected == 0 && (*at)->seen == 0)
            entry_forget(at);
    }
    (void)pthread_mutex_unlock(&tally->lock);
}

/* False: the number came before. */
static bool number_look(struct tally *tally, const struct seen_alert *alert)
{
    int64_t *last = &tally->numbers[alert->subscriber];
    if (alert->number <= *last) {
        tally->counts.doubled++;
        return false;
    }
    if (alert->number != *last + 1)
        tally->counts.gaps++;
    *last = alert->number;
    return true;
}

static void entry_see(struct tally *tally, struct entry **at, const struct seen_alert *alert)
{
    struct entry *entry = *at;
    entry->seen++;
    if (entry->seen > entry->expected)
        return; /* perhaps expected in a moment: looked at in the end */
    if (alert->published_ms >= tally->start_ms)
        latency_add(&tally->latency, alert->seen_us - entry->sent_us);
    if (entry->seen <= entry->confirmed)
        tally->counts.open--;
    order_look(tally, entry);
    settle(tally, at);
}

void tally_see(struct tally *tally, const struct seen_alert *alert)
{
    (void)pthread_mutex_lock(&tally->lock);
    tally->counts.heard++;
    if (!number_look(tally, alert) || !alert->ours)
        goto out;
    if (recent_has(&tally->recent, alert->id)) {
        tally->counts.doubled++;
        goto out;
    }
    recent_add(&tally->recent, alert->id);
    if (alert->concerns != 0 && !recent_has(&tally->recent, alert->concerns) && !recent_has_forgotten(&tally->recent))
        tally->counts.baseless++;
    struct entry **at = entry_at(tally, alert->key);
    if (*at == NULL && recent_has(&tally->recent, alert->key)) {
        tally->counts.doubled++;
        goto out;
    }
    if (*at == NULL)
        entry_take(at, alert->key)->earlier = alert->published_ms < tally->start_ms;
    entry_see(tally, at, alert);
out:
    (void)pthread_mutex_unlock(&tally->lock);
}

uint64_t tally_open(struct tally *tally)
{
    (void)pthread_mutex_lock(&tally->lock);
    uint64_t open = tally->counts.open;
    (void)pthread_mutex_unlock(&tally->lock);
    return open;
}

bool tally_is_settled(struct tally *tally)
{
    struct tally_counts counts;
    tally_count(tally, &counts);
    return counts.missed == 0;
}

void tally_count(struct tally *tally, struct tally_counts *ret)
{
    (void)pthread_mutex_lock(&tally->lock);
    struct tally_counts counts = tally->counts;
    for (size_t i = 0; i < BUCKETS; i++) {
        for (const struct entry *entry = tally->buckets[i]; entry != NULL; entry = entry->next) {
            counts.expected += entry->confirmed;
            counts.seen += entry->seen < entry->confirmed ? entry->seen : entry->confirmed;
            if (entry->seen < entry->confirmed)
                counts.missed += entry->confirmed - entry->seen;
            if (entry->seen > entry->expected && entry->expected > 0)
                counts.doubled += entry->seen - entry->expected;
            else if (entry->seen > entry->expected && !entry->earlier)
                counts.unexpected += entry->seen;
        }
    }
    counts.p50_ms = latency_quantile_ms(&tally->latency, 0.5);
    counts.p99_ms = latency_quantile_ms(&tally->latency, 0.99);
    (void)pthread_mutex_unlock(&tally->lock);
    *ret = counts;
}
