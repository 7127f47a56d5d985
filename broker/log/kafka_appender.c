/*
 * Appends to Kafka: calls queue behind each other, and are answered in that order.
 *
 *   queued --all reported--> settled --head of the queue--> answered
 *
 * When a call fails, the appender is failing until that answer is collected: what is queued behind is answered as
 * failed too (the gapless producer gives it up, or it is UNCERTAIN), and no answer is given before all are settled, so
 * that an append made anew never overtakes an old one.
 */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"

#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* What librdkafka carries for a record: which call it belongs to; its place there says which entry it is. */
struct place {
    struct call *call;
    enum topic topic;
};

struct call {
    struct call *next;
    struct kafka_appender *appender;
    uint64_t token;
    size_t count, unreported, bytes;
    bool some_written; /* at least one entry is, or may be, in the log */
    bool all_written;
    enum result result;
    struct error why;
    int64_t *offsets;
    struct place places[];
};

struct kafka_appender {
    struct log_appender base;
    struct kafka_log *log;
    int fd; /* an eventfd: readable while the head of the queue may be answered */
    pthread_mutex_t lock;
    struct call *first, *last;
    struct call *given; /* whose offsets the last log_collect lent */
    size_t unsettled;
    bool failing, signalled, closed;
};

static struct kafka_appender *appender_of(const struct log_appender *appender)
{
    return (struct kafka_appender *)(uintptr_t)appender;
}

static void call_destroy(struct call *call)
{
    if (call != NULL)
        free(call->offsets);
    free(call);
}

static void appender_destroy(struct kafka_appender *appender)
{
    while (appender->first != NULL) {
        struct call *call = appender->first;
        appender->first = call->next;
        call_destroy(call);
    }
    call_destroy(appender->given);
    close(appender->fd);
    pthread_mutex_destroy(&appender->lock);
    free(appender);
}

enum result kafka_appender_open(struct log *log, struct log_appender **ret, struct error *err)
{
    struct kafka_log *kafka = kafka_log_of(log);
    if (kafka->read_only)
        return error_set(err, REJECTED, "this log was opened to read only");
    struct kafka_appender *appender = memory_take(sizeof *appender);
    appender->base.operations = log->operations;
    appender->log = kafka;
    appender->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (appender->fd < 0) {
        free(appender);
        return error_set(err, AGAIN, "no file descriptor is left for an appender");
    }
    pthread_mutex_init(&appender->lock, NULL);
    *ret = &appender->base;
    return OK;
}

void kafka_appender_close(struct log_appender *base)
{
    struct kafka_appender *appender = appender_of(base);
    pthread_mutex_lock(&appender->lock);
    appender->closed = true;
    bool unsettled = appender->unsettled > 0; /* then the last report destroys it */
    pthread_mutex_unlock(&appender->lock);
    if (!unsettled)
        appender_destroy(appender);
}

/* ---- answers ---- */

static bool answer_is_ready(const struct kafka_appender *appender)
{
    if (appender->first == NULL)
        return false;
    return appender->failing ? appender->unsettled == 0 : appender->first->unreported == 0;
}

static void signal_move(struct kafka_appender *appender)
{
    bool ready = answer_is_ready(appender);
    uint64_t one = 1;
    if (ready && !appender->signalled)
        (void)!write(appender->fd, &one, sizeof one);
    if (!ready && appender->signalled)
        (void)!read(appender->fd, &one, sizeof one);
    appender->signalled = ready;
}

/* Once all of a failing appender's calls are settled: none behind the first that failed may be told as done. */
static void fail_those_behind(struct kafka_appender *appender)
{
    bool behind = false;
    for (struct call *call = appender->first; call != NULL; call = call->next) {
        if (behind && call->result == OK)
            call->result = error_set(&call->why, UNCERTAIN, "written, but what was queued before it was not");
        behind = behind || call->result != OK;
    }
}

static void call_settle(struct call *call)
{
    struct kafka_appender *appender = call->appender;
    kafka_answers_release(appender->log, call->count, call->bytes, call->all_written);
    if (call->result == AGAIN && call->some_written)
        call->result = UNCERTAIN;
    appender->unsettled--;
    if (appender->failing && appender->unsettled == 0)
        fail_those_behind(appender);
    signal_move(appender);
}

static void call_fail(struct call *call, enum result result, const char *why)
{
    call->appender->failing = true;
    call->all_written = false;
    if (call->result == OK || result == FATAL)
        call->result = error_set(&call->why, result, "%s", why);
}

/* A failure that may be tried again, unless the producer has ended. */
static enum result report_result(rd_kafka_t *client, rd_kafka_resp_err_t code)
{
    if (rd_kafka_fatal_error(client, NULL, 0) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return FATAL;
    enum result result = kafka_result(code);
    return result == UNCERTAIN || result == REJECTED ? AGAIN
                                                     : result; /* what was written is known better by the status */
}

static void own_end_move(struct kafka_log *log, enum topic topic, const rd_kafka_message_t *message)
{
    atomic_int_least64_t *end = &log->own_end[topic][message->partition];
    if (atomic_load(end) <= message->offset) /* only the answers' thread writes it */
        atomic_store(end, message->offset + 1);
}

void kafka_appender_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque)
{
    (void)opaque;
    struct place *place = message->_private;
    struct call *call = place->call;
    struct kafka_appender *appender = call->appender;
    size_t index = (size_t)(place - call->places);

    pthread_mutex_lock(&appender->lock);
    if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
        call->offsets[index] = message->offset;
        call->some_written = true;
        own_end_move(appender->log, place->topic, message);
    } else {
        if (rd_kafka_message_status(message) != RD_KAFKA_MSG_STATUS_NOT_PERSISTED)
            call->some_written = true;
        call_fail(call, report_result(client, message->err), rd_kafka_err2str(message->err));
    }
    if (--call->unreported == 0)
        call_settle(call);
    bool over = appender->closed && appender->unsettled == 0;
    pthread_mutex_unlock(&appender->lock);
    if (over)
        appender_destroy(appender);
}

enum result kafka_collect(struct log_appender *base, int timeout_ms, struct log_answer *ret)
{
    struct kafka_appender *appender = appender_of(base);
    if (timeout_ms != 0)
        (void)poll(&(struct pollfd){.fd = appender->fd, .events = POLLIN}, 1, timeout_ms);
    pthread_mutex_lock(&appender->lock);
    if (!answer_is_ready(appender)) {
        pthread_mutex_unlock(&appender->lock);
        return NOTHING;
    }
    struct call *call = appender->first;
    appender->first = call->next;
    if (appender->first == NULL)
        appender->last = NULL;
    if (call->result != OK)
        appender->failing = false; /* the caller knows now: what it appends from here on is meant */
    signal_move(appender);
    pthread_mutex_unlock(&appender->lock);

    call_destroy(appender->given);
    appender->given = call;
    *ret = (struct log_answer){
        .token = call->token, .result = call->result, .offsets = call->offsets, .count = call->count, .why = call->why};
    return OK;
}

int kafka_appender_fd(const struct log_appender *base)
{
    return appender_of(base)->fd;
}

/* ---- appending ---- */

static rd_kafka_headers_t *headers_of(const struct log_entry *entry)
{
    if (entry->header_count == 0)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(entry->header_count);
    for (size_t i = 0; i < entry->header_count; i++)
        rd_kafka_header_add(headers, entry->headers[i].name, -1, entry->headers[i].value.data,
                            (ssize_t)entry->headers[i].value.size);
    return headers;
}

static rd_kafka_resp_err_t produce(struct kafka_log *log, const struct log_entry *entry, struct place *place)
{
    rd_kafka_headers_t *headers = headers_of(entry);
    rd_kafka_vu_t parts[] = {
        {.vtype = RD_KAFKA_VTYPE_RKT, .u.rkt = log->topics[entry->topic]},
        {.vtype = RD_KAFKA_VTYPE_PARTITION, .u.i32 = entry->partition},
        {.vtype = RD_KAFKA_VTYPE_MSGFLAGS, .u.i = RD_KAFKA_MSG_F_COPY},
        {.vtype = RD_KAFKA_VTYPE_OPAQUE, .u.ptr = place},
        {.vtype = RD_KAFKA_VTYPE_KEY, .u.mem = {(void *)(uintptr_t)entry->key.data, entry->key.size}},
        {.vtype = RD_KAFKA_VTYPE_VALUE, .u.mem = {(void *)(uintptr_t)entry->value.data, entry->value.size}},
        {.vtype = RD_KAFKA_VTYPE_HEADERS, .u.headers = headers},
    };
    size_t count = sizeof parts / sizeof *parts - (headers == NULL ? 1 : 0);
    rd_kafka_error_t *error = rd_kafka_produceva(log->client, parts, count);
    if (error == NULL)
        return RD_KAFKA_RESP_ERR_NO_ERROR;
    rd_kafka_resp_err_t code = rd_kafka_error_code(error);
    rd_kafka_error_destroy(error);
    if (headers != NULL)
        rd_kafka_headers_destroy(headers);
    return code;
}

static enum result check(const struct kafka_log *log, const struct log_entry *entries, size_t count, size_t *ret_bytes,
                         struct error *err)
{
    size_t bytes = 0;
    for (size_t i = 0; i < count; i++) {
        const struct log_entry *entry = &entries[i];
        if (entry->topic >= TOPIC_COUNT || entry->partition < 0 || entry->partition >= log->partitions[entry->topic])
            return error_set(err, REJECTED, "no such partition: %d of topic %d", entry->partition, (int)entry->topic);
        if (entry->value.data == NULL && !topic_is_compacted(entry->topic) && !kafka_is_marker(entry->key))
            return error_set(err, REJECTED, "%s takes no tombstones", topic_name(entry->topic));
        size_t size = entry->key.size + entry->value.size;
        for (size_t h = 0; h < entry->header_count; h++)
            size += strlen(entry->headers[h].name) + entry->headers[h].value.size + 10;
        if (size + 1000 > KAFKA_MESSAGE_BYTES)
            return error_set(err, REJECTED, "a record of %zu bytes with its headers is larger than Kafka takes", size);
        bytes += size;
    }
    *ret_bytes = bytes;
    return OK;
}

/* Returns with the appender locked. */
static struct call *call_queue(struct kafka_appender *appender, const struct log_entry *entries, size_t count,
                               size_t bytes, uint64_t token)
{
    struct call *call = memory_take(sizeof *call + count * sizeof call->places[0]);
    call->offsets = memory_array(count, sizeof *call->offsets);
    call->appender = appender;
    call->token = token;
    call->count = call->unreported = count;
    call->bytes = bytes;
    call->all_written = true;
    for (size_t i = 0; i < count; i++)
        call->places[i] = (struct place){call, entries[i].topic};
    pthread_mutex_lock(&appender->lock);
    if (appender->last == NULL)
        appender->first = call;
    else
        appender->last->next = call;
    appender->last = call;
    appender->unsettled++;
    return call;
}

enum result kafka_append(struct log_appender *base, const struct log_entry *entries, size_t count, uint64_t token,
                         struct error *err)
{
    struct kafka_appender *appender = appender_of(base);
    struct kafka_log *log = appender->log;
    size_t bytes = 0;
    enum result result = check(log, entries, count, &bytes, err);
    if (result != OK)
        return result;
    if (!kafka_answers_reserve(log, count, bytes))
        return error_set(err, AGAIN, "too many records wait for Kafka");

    struct call *call = call_queue(appender, entries, count, bytes, token);
    bool failing = appender->failing;
    if (failing)
        call_fail(call, AGAIN, "what was queued before it failed");
    pthread_mutex_unlock(&appender->lock);

    /* Reports may come while this goes on; call lives, for its last entries are not reported yet. */
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    size_t produced = 0;
    while (!failing && produced < count) {
        code = produce(log, &entries[produced], &call->places[produced]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            break;
        produced++;
    }
    if (produced == count && count > 0)
        return OK;
    pthread_mutex_lock(&appender->lock);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        call_fail(call, report_result(log->client, code), rd_kafka_err2str(code));
    call->unreported -= count - produced;
    if (call->unreported == 0)
        call_settle(call);
    pthread_mutex_unlock(&appender->lock);
    return OK;
}
