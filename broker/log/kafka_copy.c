/*
 * A local copy of a compacted topic, so that log_find needs no reading of the whole topic: a thread reads the topic
 * from where the copy ended and puts it into a table (compacted.h), together with where it is. A copy of another log,
 * or one that slept for longer than Kafka keeps tombstones, is thrown away and filled anew.
 */
#include "broker/log/kafka.h"

#include "broker/base/buffer.h"
#include "broker/base/bytes.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"
#include "broker/log/compacted.h"
#include "broker/log/segment_frame.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    BATCH = 4096,
    WAIT_MS = 200, /* how soon the thread notices that it is to end */
    PATH_BYTES = 1024,
};
/* Tombstones stay in Kafka for a week (kafka_topics.c). */
#define MOST_SLEEP_MS (6LL * 24 * 3600 * 1000)

static const struct kafka_setting settings[] = {
    {"enable.partition.eof", "true"}, {"auto.offset.reset", "error"},          {"check.crcs", "true"},
    {"fetch.error.backoff.ms", "50"}, {"queued.max.messages.kbytes", "65536"}, {NULL, NULL},
};

struct kafka_copy {
    struct kafka_owner owner; /* of client */
    enum topic topic;
    char path[PATH_BYTES], folder[PATH_BYTES]; /* folder: of a copy of our own, taken away at the end; or empty */
    int lock_fd;
    struct compacted *table;
    unsigned char position_key[LIMIT_KEY_BYTES + 1]; /* of the row that says where it is: longer than any, behind all */
    struct buffer frames;

    rd_kafka_t *client;
    rd_kafka_topic_t *source;
    rd_kafka_queue_t *queue;

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t moved;
    /* Under lock: */
    int64_t position; /* everything before it is in the table */
    bool is_ours;     /* the log's name was met: this is the topic that was made with tidings.events */
    bool running, closing;
    enum result failure; /* FATAL, with the reason */
    struct error why;

    /* Of the thread: */
    int64_t next;
    bool marked; /* the log's name was met */
};

/* ---- where the copy is, as it stands in the table ---- */

enum { AT_IDENTITY = 0, AT_NEXT = 32, AT_TIME = 40, AT_MARKED = 48, POSITION_BYTES = 49 };

static void position_add(struct kafka_copy *copy)
{
    unsigned char bytes[POSITION_BYTES];
    memcpy(bytes + AT_IDENTITY, copy->owner.log->identity, AT_NEXT);
    bytes_put_u64(bytes + AT_NEXT, (uint64_t)copy->next);
    bytes_put_u64(bytes + AT_TIME, (uint64_t)time_now_ms());
    bytes[AT_MARKED] = copy->marked;
    segment_frame_add(&copy->frames, 0, VIEW_OF(copy->position_key), VIEW_OF(bytes));
}

/* True when the copy may go on from where it ended. */
static bool position_read(struct kafka_copy *copy, const struct kafka_bound *bound)
{
    struct compacted_view *view = NULL;
    struct buffer value = {0};
    struct error unused;
    bool usable = false;
    if (compacted_view_open(copy->path, NULL, &view, &unused) == OK &&
        compacted_view_find(view, VIEW_OF(copy->position_key), &value, &unused) == OK && value.size == POSITION_BYTES &&
        memcmp(value.data + AT_IDENTITY, copy->owner.log->identity, AT_NEXT) == 0) {
        int64_t next = (int64_t)bytes_get_u64(value.data + AT_NEXT);
        int64_t slept_ms = time_now_ms() - (int64_t)bytes_get_u64(value.data + AT_TIME);
        copy->marked = value.data[AT_MARKED] != 0;
        copy->next = next;
        usable = next >= bound->low && next <= bound->end && slept_ms >= 0 && slept_ms < MOST_SLEEP_MS;
    }
    compacted_view_close(view);
    buffer_destroy(&value);
    return usable;
}

/* ---- files ---- */

static void file_remove(const char *path)
{
    static const char *const ends[] = {"", "-wal", "-shm"};
    char name[PATH_BYTES + 8];
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(name, sizeof name, "%s%s", path, ends[i]);
        (void)unlink(name);
    }
}

/* The data folder's copy, when it is ours alone; otherwise one for this log only. */
static enum result path_choose(struct kafka_copy *copy, struct error *err)
{
    const struct kafka_log *log = copy->owner.log;
    char lock[PATH_BYTES + 8];
    if (!log->read_only && log->data_folder != NULL) {
        int size = snprintf(copy->path, sizeof copy->path, "%s/kafka-%s.db", log->data_folder, topic_name(copy->topic));
        if (size < 0 || (size_t)size >= sizeof copy->path)
            return error_set(err, REJECTED, "the data folder's path is too long");
        snprintf(lock, sizeof lock, "%s.lock", copy->path);
        copy->lock_fd = open(lock, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (copy->lock_fd < 0)
            return error_set(err, AGAIN, "%.180s cannot be made", lock);
        if (flock(copy->lock_fd, LOCK_EX | LOCK_NB) == 0)
            return OK;
        close(copy->lock_fd);
        copy->lock_fd = -1;
    }
    const char *temporary = getenv("TMPDIR");
    int size =
        snprintf(copy->folder, sizeof copy->folder, "%s/tidings-copy-XXXXXX", temporary == NULL ? "/tmp" : temporary);
    if (size < 0 || (size_t)size + 16 >= sizeof copy->folder || mkdtemp(copy->folder) == NULL) {
        copy->folder[0] = '\0';
        return error_set(err, AGAIN, "no temporary folder can be made for a copy of %s", topic_name(copy->topic));
    }
    snprintf(copy->path, sizeof copy->path, "%.*s/copy.db", (int)sizeof copy->path - 16, copy->folder);
    return OK;
}

static enum result table_open(struct kafka_copy *copy, const struct kafka_bound *bound, struct error *err)
{
    bool erases = copy->topic == TOPIC_KEYS;
    enum result result = compacted_open(copy->path, erases, &copy->table, err);
    if (result == OK && !position_read(copy, bound)) {
        compacted_close(copy->table);
        copy->table = NULL;
        file_remove(copy->path);
        copy->next = bound->low;
        copy->marked = false;
        result = compacted_open(copy->path, erases, &copy->table, err);
    }
    return result;
}

/* ---- the thread ---- */

static void fail(struct kafka_copy *copy, const char *why)
{
    pthread_mutex_lock(&copy->lock);
    copy->failure = error_set(&copy->why, FATAL, "%s: %s", topic_name(copy->topic), why);
    pthread_cond_broadcast(&copy->moved);
    pthread_mutex_unlock(&copy->lock);
}

static bool goes_on(struct kafka_copy *copy)
{
    pthread_mutex_lock(&copy->lock);
    bool yes = !copy->closing && copy->failure == OK;
    pthread_mutex_unlock(&copy->lock);
    return yes;
}

static void marker_check(struct kafka_copy *copy, struct view name)
{
    if (!view_is_text(name, copy->owner.log->marker))
        fail(copy, "holds another log's name than tidings.events: it was deleted and made anew");
    copy->marked = true;
}

static void take(struct kafka_copy *copy, const rd_kafka_message_t *message)
{
    struct view key = {message->key, message->key_len};
    switch ((int)message->err) {
    case RD_KAFKA_RESP_ERR_NO_ERROR:
        copy->next = message->offset + 1;
        if (kafka_is_marker(key))
            marker_check(copy, view_make(message->payload, message->len));
        else if (message->key != NULL)
            segment_frame_add(&copy->frames, 0, key, view_make(message->payload, message->len));
        break;
    case RD_KAFKA_RESP_ERR__PARTITION_EOF:
        copy->next = message->offset > copy->next ? message->offset : copy->next;
        if (!copy->marked)
            fail(copy, "does not hold the log's name: it was deleted and made anew");
        break;
    case RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET:
    case RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE:
        fail(copy, "ends before where its copy is: was it restored or truncated?");
        break;
    default:
        if (kafka_result(message->err) != AGAIN)
            fail(copy, rd_kafka_message_errstr(message));
    }
}

static void commit(struct kafka_copy *copy)
{
    struct error err;
    if (copy->frames.size > 0) {
        position_add(copy);
        enum result result = compacted_commit(copy->table, &copy->frames, &err);
        while (result == AGAIN && goes_on(copy)) { /* a full disk */
            (void)usleep(WAIT_MS * 1000);
            result = compacted_commit(copy->table, &copy->frames, &err);
        }
        if (result != OK) {
            fail(copy, err.text);
            return;
        }
        buffer_clear(&copy->frames);
    }
    pthread_mutex_lock(&copy->lock);
    copy->position = copy->next;
    copy->is_ours = copy->marked;
    pthread_cond_broadcast(&copy->moved);
    pthread_mutex_unlock(&copy->lock);
}

static void *follow(void *context)
{
    struct kafka_copy *copy = context;
    rd_kafka_message_t **messages = memory_array(BATCH, sizeof *messages);
    while (goes_on(copy)) {
        rd_kafka_poll(copy->client, 0);
        rd_kafka_message_t *first = rd_kafka_consume_queue(copy->queue, WAIT_MS);
        if (first == NULL)
            continue;
        messages[0] = first;
        ssize_t more = rd_kafka_consume_batch_queue(copy->queue, 0, messages + 1, BATCH - 1);
        size_t count = 1 + (more < 0 ? 0 : (size_t)more);
        for (size_t i = 0; i < count; i++) {
            take(copy, messages[i]);
            rd_kafka_message_destroy(messages[i]);
        }
        if (goes_on(copy))
            commit(copy);
    }
    free(messages);
    return NULL;
}

/* ---- opening, closing ---- */

static enum result source_open(struct kafka_copy *copy, struct error *err)
{
    enum result result = kafka_client_open(&copy->owner, RD_KAFKA_CONSUMER, settings, &copy->client, err);
    if (result != OK)
        return result;
    copy->source = rd_kafka_topic_new(copy->client, topic_name(copy->topic), NULL);
    copy->queue = rd_kafka_queue_new(copy->client);
    if (rd_kafka_consume_start_queue(copy->source, 0, copy->next, copy->queue) != 0)
        return kafka_error(copy->owner.log, rd_kafka_last_error(), "a compacted topic cannot be read", err);
    if (pthread_create(&copy->thread, NULL, follow, copy) != 0)
        abort(); /* no threads: as out of memory */
    copy->running = true;
    return OK;
}

static enum result copy_open(struct kafka_log *log, enum topic topic, struct kafka_copy **ret, struct error *err)
{
    struct kafka_bound bound;
    struct kafka_copy *copy = memory_take(sizeof *copy);
    copy->owner.log = log;
    copy->topic = topic;
    copy->lock_fd = -1;
    memset(copy->position_key, 0xff, sizeof copy->position_key);
    pthread_mutex_init(&copy->lock, NULL);
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&copy->moved, &attributes);
    pthread_condattr_destroy(&attributes);

    enum result result = kafka_bound_one(log, topic, 0, &bound, err);
    if (result == OK)
        result = path_choose(copy, err);
    if (result == OK)
        result = table_open(copy, &bound, err);
    copy->position = copy->next;
    copy->is_ours = copy->marked;
    if (result == OK)
        result = source_open(copy, err);
    if (result != OK) {
        kafka_copy_close(copy);
        return result;
    }
    *ret = copy;
    return OK;
}

enum result kafka_copy_find(struct kafka_log *log, enum topic topic, struct kafka_copy **ret, struct error *err)
{
    enum result result = OK;
    pthread_mutex_lock(&log->copies_lock);
    if (log->copies[topic] == NULL)
        result = copy_open(log, topic, &log->copies[topic], err);
    if (result == OK)
        *ret = log->copies[topic];
    pthread_mutex_unlock(&log->copies_lock);
    return result;
}

void kafka_copy_close(struct kafka_copy *copy)
{
    if (copy == NULL)
        return;
    if (copy->running) {
        pthread_mutex_lock(&copy->lock);
        copy->closing = true;
        pthread_mutex_unlock(&copy->lock);
        pthread_join(copy->thread, NULL);
        rd_kafka_consume_stop(copy->source, 0);
    }
    if (copy->queue != NULL)
        rd_kafka_queue_destroy(copy->queue);
    if (copy->source != NULL)
        rd_kafka_topic_destroy(copy->source);
    if (copy->client != NULL)
        rd_kafka_destroy(copy->client);
    compacted_close(copy->table);
    buffer_destroy(&copy->frames);
    if (copy->folder[0] != '\0') {
        file_remove(copy->path);
        (void)rmdir(copy->folder);
    }
    if (copy->lock_fd >= 0)
        close(copy->lock_fd);
    pthread_cond_destroy(&copy->moved);
    pthread_mutex_destroy(&copy->lock);
    free(copy);
}

enum result kafka_copy_view(struct kafka_copy *copy, struct compacted_view **ret, struct error *err)
{
    return compacted_view_open(copy->path, compacted_views_of(copy->table), ret, err);
}

enum result kafka_copy_reach(struct kafka_copy *copy, int64_t end, struct error *err)
{
    enum result result = OK;
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += KAFKA_PATIENCE_MS / 1000;
    pthread_mutex_lock(&copy->lock);
    while (copy->failure == OK && (copy->position < end || !copy->is_ours) && result == OK)
        if (pthread_cond_timedwait(&copy->moved, &copy->lock, &until) != 0)
            result = AGAIN;
    if (copy->failure != OK)
        result = error_set(err, copy->failure, "%s", copy->why.text);
    else if (copy->position < end || !copy->is_ours)
        result = error_set(err, AGAIN, "the copy of %s is at %" PRId64 " of %" PRId64, topic_name(copy->topic),
                           copy->position, end);
    else
        result = OK;
    pthread_mutex_unlock(&copy->lock);
    return result;
}
