/* The embedded log's appender: calls in, answers out, in the order of the calls. */
#include "broker/log/embedded.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    OUTSTANDING_BYTES =
        8 * 1024 * 1024, /* of one appender: also bounds a commit, so that nobody waits long behind it */
    OUTSTANDING_CALLS = 16 * 1024,
    LIMIT_CALL_BYTES = 512 * 1024 * 1024, /* a commit's frames count their distance in 32 bits */
    ENTRY_OVERHEAD = 64,                  /* of a frame, generously */
};

struct embedded_appender {
    struct log_appender base;
    struct embedded_log *log;
    int event;
    size_t outstanding_bytes, outstanding_calls; /* of the owner's thread */
    struct embedded_call *delivered;             /* its offsets are still lent out */
    bool after_failure; /* an answer that failed was collected: those queued behind it are not OK */
    pthread_mutex_t mutex;
    pthread_cond_t idle;
    struct embedded_call *first, *last;
    size_t parts_queued; /* parts that a committer still holds */
    bool failing;        /* a call failed: nothing is taken before all outstanding answers are collected */
    bool signalled;      /* the eventfd is readable */
};

static struct embedded_appender *of(struct log_appender *appender)
{
    return (struct embedded_appender *)appender;
}

enum result embedded_appender_open(struct log *log, struct log_appender **ret, struct error *err)
{
    if (embedded_of(log)->read_only)
        return error_set(err, REJECTED, "the log was opened for reading only");
    int event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (event < 0)
        return error_set(err, AGAIN, "no eventfd for the log: %s", strerror(errno));
    struct embedded_appender *appender = memory_take(sizeof *appender);
    appender->base.operations = log->operations;
    appender->log = embedded_of(log);
    appender->event = event;
    (void)pthread_mutex_init(&appender->mutex, NULL);
    (void)pthread_cond_init(&appender->idle, NULL);
    *ret = &appender->base;
    return OK;
}

void embedded_appender_close(struct log_appender *base)
{
    struct embedded_appender *appender = of(base);
    (void)pthread_mutex_lock(&appender->mutex);
    while (appender->parts_queued > 0) /* ends: committers answer all they hold */
        (void)pthread_cond_wait(&appender->idle, &appender->mutex);
    (void)pthread_mutex_unlock(&appender->mutex);
    while (appender->first != NULL) {
        struct embedded_call *call = appender->first;
        appender->first = call->next;
        free(call);
    }
    free(appender->delivered);
    (void)close(appender->event);
    (void)pthread_cond_destroy(&appender->idle);
    (void)pthread_mutex_destroy(&appender->mutex);
    free(appender);
}

int embedded_appender_fd(const struct log_appender *appender)
{
    return ((const struct embedded_appender *)appender)->event;
}

static void signal_answer(struct embedded_appender *appender)
{
    uint64_t one = 1;
    if (appender->signalled || appender->first == NULL || appender->first->waiting > 0)
        return;
    appender->signalled = true;
    (void)!write(appender->event, &one, sizeof one);
}

void embedded_call_answer(struct embedded_call *call, enum result result, const struct error *why)
{
    struct embedded_appender *appender = call->appender;
    (void)pthread_mutex_lock(&appender->mutex);
    if (result == OK) {
        call->some_appended = true;
    } else {
        call->some_not = true;
        call->why = *why;
        appender->failing = true;
        if (call->worst != FATAL)
            call->worst = result;
    }
    call->waiting--;
    signal_answer(appender);
    appender->parts_queued--;
    if (appender->parts_queued == 0)
        (void)pthread_cond_signal(&appender->idle);
    (void)pthread_mutex_unlock(&appender->mutex);
}

/* Which topics the entries are for, as bits, and how much they hold. */
static enum result entries_check(const struct embedded_appender *appender, const struct log_entry *entries,
                                 size_t count, unsigned *ret_topics, size_t *ret_bytes, struct error *err)
{
    unsigned topics = 0;
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct log_entry *entry = &entries[i];
        if (entry->topic >= TOPIC_COUNT || entry->partition < 0 ||
            entry->partition >= log_partitions(&appender->log->base, entry->topic))
            return error_set(err, REJECTED, "%s has no partition %d", topic_name(entry->topic), (int)entry->partition);
        if (entry->value.data == NULL && !topic_is_compacted(entry->topic))
            return error_set(err, REJECTED, "%s takes no tombstone", topic_name(entry->topic));
        topics |= 1U << entry->topic;
        bytes += ENTRY_OVERHEAD + entry->key.size + entry->value.size;
    }
    if (bytes > LIMIT_CALL_BYTES)
        return error_set(err, REJECTED, "one append of %zu bytes is larger than the limit of %d", bytes,
                         LIMIT_CALL_BYTES);
    *ret_topics = topics;
    *ret_bytes = bytes;
    return OK;
}

static struct embedded_call *call_create(struct embedded_appender *appender, const struct log_entry *entries,
                                         size_t count, uint64_t token, unsigned topics, size_t bytes)
{
    struct embedded_call *call = memory_take(sizeof *call + count * (sizeof *call->offsets + sizeof *call->topics));
    call->appender = appender;
    call->token = token;
    call->count = count;
    call->bytes = bytes;
    call->waiting = __builtin_popcount(topics);
    call->offsets = (int64_t *)(call + 1);
    call->topics = (uint8_t *)(call->offsets + count);
    for (size_t i = 0; i < count; i++)
        call->topics[i] = (uint8_t)entries[i].topic;
    return call;
}

static void lines_lock(struct embedded_log *log, unsigned topics)
{
    for (int i = 0; i < TOPIC_COUNT; i++)
        if ((topics & 1U << i) != 0)
            (void)pthread_mutex_lock(&log->lines[i].mutex);
}

static void lines_unlock(struct embedded_log *log, unsigned topics)
{
    for (int i = TOPIC_COUNT - 1; i >= 0; i--)
        if ((topics & 1U << i) != 0)
            (void)pthread_mutex_unlock(&log->lines[i].mutex);
}

/* With the lines locked, so that no failure comes between this look and the queueing. */
static enum result call_admit(struct embedded_appender *appender, struct embedded_call *call, unsigned topics,
                              struct error *err)
{
    enum result result = OK;
    for (int i = 0; i < TOPIC_COUNT; i++)
        if ((topics & 1U << i) != 0 && appender->log->lines[i].is_fatal)
            return error_set(err, FATAL, "%s", appender->log->lines[i].why.text);
    (void)pthread_mutex_lock(&appender->mutex);
    if (appender->failing) {
        result = error_set(err, AGAIN, "an append failed before: collect all answers first");
    } else {
        if (appender->last == NULL)
            appender->first = call;
        else
            appender->last->next = call;
        appender->last = call;
        appender->parts_queued += (size_t)call->waiting;
        signal_answer(appender); /* a call without entries is answered at once */
    }
    (void)pthread_mutex_unlock(&appender->mutex);
    return result;
}

static void call_queue(struct embedded_appender *appender, struct embedded_call *call, const struct log_entry *entries,
                       unsigned topics)
{
    for (int topic = 0; topic < TOPIC_COUNT; topic++) {
        struct embedded_line *line = &appender->log->lines[topic];
        size_t frames = 0;
        if ((topics & 1U << topic) == 0)
            continue;
        for (size_t i = 0; i < call->count; i++) {
            if (call->topics[i] != topic)
                continue;
            embedded_line_queue(line, &entries[i]);
            frames++;
        }
        embedded_line_queue_end(line, call, frames);
    }
}

enum result embedded_append(struct log_appender *base, const struct log_entry *entries, size_t count, uint64_t token,
                            struct error *err)
{
    struct embedded_appender *appender = of(base);
    unsigned topics = 0;
    size_t bytes = 0;
    enum result result = entries_check(appender, entries, count, &topics, &bytes, err);
    if (result != OK)
        return result;
    if (appender->outstanding_calls > 0 &&
        (appender->outstanding_bytes + bytes > OUTSTANDING_BYTES || appender->outstanding_calls >= OUTSTANDING_CALLS))
        return error_set(err, AGAIN, "the log's queue is full: collect answers first");
    struct embedded_call *call = call_create(appender, entries, count, token, topics, bytes);
    lines_lock(appender->log, topics);
    result = call_admit(appender, call, topics, err);
    if (result == OK)
        call_queue(appender, call, entries, topics);
    lines_unlock(appender->log, topics);
    if (result != OK) {
        free(call);
        return result;
    }
    appender->outstanding_calls++;
    appender->outstanding_bytes += bytes;
    return OK;
}

/* The first call, when it has its answer. */
static struct embedded_call *call_take(struct embedded_appender *appender)
{
    struct embedded_call *call = NULL;
    (void)pthread_mutex_lock(&appender->mutex);
    if (appender->first != NULL && appender->first->waiting == 0) {
        call = appender->first;
        appender->first = call->next;
        if (appender->first == NULL)
            appender->last = NULL;
    }
    if (appender->signalled && (appender->first == NULL || appender->first->waiting > 0)) {
        uint64_t count;
        (void)!read(appender->event, &count, sizeof count);
        appender->signalled = false;
    }
    (void)pthread_mutex_unlock(&appender->mutex);
    return call;
}

static enum result call_result(const struct embedded_call *call, bool after_failure)
{
    if (call->worst == FATAL)
        return FATAL;
    if (!call->some_not)
        return after_failure ? UNCERTAIN : OK; /* appended, though what it was queued behind was not */
    return call->some_appended ? UNCERTAIN : AGAIN;
}

static void call_deliver(struct embedded_appender *appender, struct embedded_call *call, struct log_answer *ret)
{
    free(appender->delivered);
    appender->delivered = call;
    *ret = (struct log_answer){.token = call->token,
                               .result = call_result(call, appender->after_failure),
                               .offsets = call->offsets,
                               .count = call->count,
                               .why = call->why};
    if (ret->result == UNCERTAIN && !call->some_not)
        (void)error_set(&ret->why, UNCERTAIN, "an append before it failed");
    appender->outstanding_bytes -= call->bytes;
    appender->outstanding_calls--;
    appender->after_failure = appender->after_failure || ret->result != OK;
    if (appender->outstanding_calls == 0) {
        appender->after_failure = false;
        (void)pthread_mutex_lock(&appender->mutex);
        appender->failing = false;
        (void)pthread_mutex_unlock(&appender->mutex);
    }
}

enum result embedded_collect(struct log_appender *base, int timeout_ms, struct log_answer *ret)
{
    struct embedded_appender *appender = of(base);
    int64_t deadline = timeout_ms > 0 ? time_monotonic_ms() + timeout_ms : 0;
    struct embedded_call *call = call_take(appender);
    while (call == NULL && timeout_ms > 0) {
        struct pollfd event = {.fd = appender->event, .events = POLLIN};
        (void)poll(&event, 1, timeout_ms);
        call = call_take(appender);
        timeout_ms = (int)(deadline - time_monotonic_ms());
    }
    if (call == NULL)
        return NOTHING;
    call_deliver(appender, call, ret);
    return OK;
}
