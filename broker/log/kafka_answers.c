/* What the log hears back: the thread that hands delivery reports to their appenders, and the one that looks whether an
 * append would be durable now. */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <stdlib.h>

enum {
    UNANSWERED_RECORDS = 200 * 1000,     /* of the whole process: then log_append says AGAIN */
    UNANSWERED_BYTES = 64 * 1024 * 1024, /* the same, in bytes: what may stand in memory while Kafka is away */
    LOOK_EVERY_MS = 1000,                /* health while all is well */
    LOOK_AGAIN_MS = 200,                 /* and while it is not */
    LOOK_PATIENCE_MS = 1000,
    SILENT_MS = 3000, /* records wait and none was answered for so long: not healthy, whatever else answers */
    PURGE_MS = 3000,  /* at the end: for reports about what is given up */
};

struct kafka_answers {
    pthread_t reporter, looker;
    pthread_mutex_t lock;
    pthread_cond_t wake; /* the looker: closing, or doubt */
    bool closing, doubted;
    atomic_bool reachable;
    atomic_size_t records, bytes;       /* not answered yet */
    atomic_int_least64_t last_heard_ms; /* when a record was answered last, or began to wait for an answer alone */
};

bool kafka_answers_reserve(struct kafka_log *log, size_t count, size_t bytes)
{
    struct kafka_answers *answers = log->answers;
    size_t records = atomic_fetch_add(&answers->records, count);
    size_t before = atomic_fetch_add(&answers->bytes, bytes);
    if (records == 0) {
        atomic_store(&answers->last_heard_ms, time_monotonic_ms());
        return true; /* a call that is larger than the bound alone must go through some time */
    }
    if (records + count <= UNANSWERED_RECORDS && before + bytes <= UNANSWERED_BYTES)
        return true;
    atomic_fetch_sub(&answers->records, count);
    atomic_fetch_sub(&answers->bytes, bytes);
    return false;
}

void kafka_answers_release(struct kafka_log *log, size_t count, size_t bytes, bool durable)
{
    struct kafka_answers *answers = log->answers;
    atomic_fetch_sub(&answers->records, count);
    atomic_fetch_sub(&answers->bytes, bytes);
    if (durable)
        atomic_store(&answers->last_heard_ms, time_monotonic_ms());
}

bool kafka_answers_healthy(const struct kafka_log *log)
{
    const struct kafka_answers *answers = log->answers;
    bool waits = atomic_load(&answers->records) > 0;
    return atomic_load(&answers->reachable) &&
           !(waits && time_monotonic_ms() - atomic_load(&answers->last_heard_ms) > SILENT_MS);
}

bool kafka_answers_reachable(const struct kafka_log *log)
{
    return atomic_load(&log->answers->reachable);
}

enum result kafka_answers_check(struct kafka_log *log, struct error *err)
{
    if (log->answers == NULL || kafka_answers_reachable(log))
        return OK;
    return kafka_error(log, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, "Kafka does not answer", err);
}

void kafka_answers_doubt(struct kafka_log *log)
{
    struct kafka_answers *answers = log->answers;
    if (answers == NULL)
        return;
    pthread_mutex_lock(&answers->lock);
    answers->doubted = true; /* no more: a broker closes connections that were idle for long, and nothing is wrong */
    pthread_cond_signal(&answers->wake);
    pthread_mutex_unlock(&answers->lock);
}

static void *report(void *context)
{
    struct kafka_log *log = context;
    struct kafka_answers *answers = log->answers;
    bool closing = false;
    while (!closing) {
        rd_kafka_poll(log->client, 100);
        pthread_mutex_lock(&answers->lock);
        closing = answers->closing;
        pthread_mutex_unlock(&answers->lock);
    }
    rd_kafka_purge(log->client, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    int64_t deadline = time_monotonic_ms() + PURGE_MS;
    while (atomic_load(&answers->records) > 0 && time_monotonic_ms() < deadline)
        rd_kafka_poll(log->client, 20);
    return NULL;
}

static bool cluster_answers(struct kafka_log *log)
{
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_resp_err_t code =
        rd_kafka_metadata(log->client, 0, log->topics[TOPIC_EVENTS], &metadata, LOOK_PATIENCE_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return false;
    bool led = metadata->topic_cnt == 1 && metadata->topics[0].partition_cnt == log->partitions[TOPIC_EVENTS];
    for (int p = 0; led && p < metadata->topics[0].partition_cnt; p++)
        led = metadata->topics[0].partitions[p].leader >= 0;
    rd_kafka_metadata_destroy(metadata);
    return led && rd_kafka_fatal_error(log->client, NULL, 0) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

static void trouble_forget(struct kafka_log *log)
{
    pthread_mutex_lock(&log->trouble_lock);
    log->trouble = RD_KAFKA_RESP_ERR_NO_ERROR;
    pthread_mutex_unlock(&log->trouble_lock);
}

static void *look(void *context)
{
    struct kafka_log *log = context;
    struct kafka_answers *answers = log->answers;
    pthread_mutex_lock(&answers->lock);
    while (!answers->closing) {
        answers->doubted = false;
        pthread_mutex_unlock(&answers->lock);
        bool reachable = cluster_answers(log);
        pthread_mutex_lock(&answers->lock);
        atomic_store(&answers->reachable, reachable);
        if (reachable)
            trouble_forget(log);
        struct timespec until;
        clock_gettime(CLOCK_MONOTONIC, &until);
        int64_t pause_ns = until.tv_nsec + (reachable ? LOOK_EVERY_MS : LOOK_AGAIN_MS) * 1000000LL;
        until.tv_sec += (time_t)(pause_ns / 1000000000);
        until.tv_nsec = (long)(pause_ns % 1000000000);
        while (!answers->closing && !answers->doubted &&
               pthread_cond_timedwait(&answers->wake, &answers->lock, &until) == 0)
            ;
    }
    pthread_mutex_unlock(&answers->lock);
    return NULL;
}

void kafka_answers_open(struct kafka_log *log)
{
    struct kafka_answers *answers = memory_take(sizeof *answers);
    pthread_mutex_init(&answers->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&answers->wake, &attributes);
    pthread_condattr_destroy(&attributes);
    atomic_store(&answers->reachable, true); /* the topics were seen just now */
    log->answers = answers;
    if (pthread_create(&answers->reporter, NULL, report, log) != 0 ||
        pthread_create(&answers->looker, NULL, look, log) != 0)
        abort(); /* no threads: as out of memory */
}

void kafka_answers_close(struct kafka_log *log)
{
    struct kafka_answers *answers = log->answers;
    if (answers == NULL)
        return;
    pthread_mutex_lock(&answers->lock);
    answers->closing = true;
    pthread_cond_signal(&answers->wake);
    pthread_mutex_unlock(&answers->lock);
    pthread_join(answers->looker, NULL);
    pthread_join(answers->reporter, NULL);
}

void kafka_answers_destroy(struct kafka_log *log)
{
    if (log->answers != NULL) {
        pthread_cond_destroy(&log->answers->wake);
        pthread_mutex_destroy(&log->answers->lock);
    }
    free(log->answers);
    log->answers = NULL;
}
