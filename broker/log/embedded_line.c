/* Lines: a topic's queue and its committer. */
#include "broker/log/embedded_line.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/segment_frame.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

enum { KEPT_BYTES = 256 * 1024, IDLE_S = 1, STACK_BYTES = 256 * 1024 };

void embedded_line_queue(struct embedded_line *line, const struct log_entry *entry)
{
    segment_frame_add(&line->pending.frames, entry->partition, entry->key, entry->value);
}

void embedded_line_queue_end(struct embedded_line *line, struct embedded_call *call, size_t frames)
{
    struct embedded_queue *queue = &line->pending;
    if (queue->count == queue->capacity) {
        queue->capacity = queue->capacity == 0 ? 16 : queue->capacity * 2;
        queue->parts = memory_grow(queue->parts, queue->capacity * sizeof *queue->parts);
    }
    queue->parts[queue->count++] = (struct embedded_part){.call = call, .frames = frames};
    (void)pthread_cond_signal(&line->wake);
}

static void queue_clear(struct embedded_queue *queue)
{
    buffer_clear(&queue->frames);
    queue->count = 0;
}

static void queue_destroy(struct embedded_queue *queue)
{
    buffer_destroy(&queue->frames);
    free(queue->parts);
    *queue = (struct embedded_queue){0};
}

/* The frames of a part have their offsets now; the call's entries for this topic get them in order. */
static size_t part_take_offsets(const struct embedded_line *line, const struct embedded_part *part,
                                const uint8_t *frames)
{
    size_t at = 0, left = part->frames;
    for (size_t i = 0; i < part->call->count && left > 0; i++) {
        struct segment_frame frame;
        if (part->call->topics[i] != line->topic)
            continue;
        segment_frame_parse(frames + at, &frame);
        part->call->offsets[i] = frame.address;
        at += frame.size;
        left--;
    }
    return at;
}

static void wake_readers(struct embedded_line *line)
{
    (void)pthread_mutex_lock(&line->wakers_mutex);
    for (struct embedded_waker *waker = line->wakers; waker != NULL; waker = waker->next) {
        uint64_t one = 1;
        if (atomic_exchange(&waker->armed, false))
            (void)!write(waker->event, &one, sizeof one);
    }
    (void)pthread_mutex_unlock(&line->wakers_mutex);
}

static void answer_appended(struct embedded_line *line)
{
    const struct embedded_queue *queue = &line->committing;
    const uint8_t *frames = queue->frames.data;
    atomic_store(&line->failed_at_ms, 0);
    wake_readers(line);
    for (size_t i = 0; i < queue->count; i++) {
        frames += part_take_offsets(line, &queue->parts[i], frames);
        embedded_call_answer(queue->parts[i].call, OK, NULL);
    }
}

/* All that is queued goes with the commit that failed. */
static void answer_failed(struct embedded_line *line, enum result result, const struct error *why)
{
    atomic_store(&line->failed_at_ms, time_monotonic_ms() + 1);
    (void)pthread_mutex_lock(&line->mutex);
    if (result == FATAL) {
        line->is_fatal = true;
        line->why = *why;
        atomic_store(&line->is_over, true);
    }
    for (size_t i = 0; i < line->committing.count; i++)
        embedded_call_answer(line->committing.parts[i].call, result, why);
    for (size_t i = 0; i < line->pending.count; i++)
        embedded_call_answer(line->pending.parts[i].call, AGAIN, why);
    queue_clear(&line->pending);
    (void)pthread_mutex_unlock(&line->mutex);
}

static void commit(struct embedded_line *line)
{
    struct error why = {0};
    enum result result;
    if (line->stream != NULL) {
        result = segment_stream_append(line->stream, &line->committing.frames, &why);
    } else {
        result = compacted_commit(line->table, &line->committing.frames, &why);
        atomic_store(&line->table_end, compacted_end(line->table));
    }
    if (result == OK)
        answer_appended(line);
    else
        answer_failed(line, result, &why);
    queue_clear(&line->committing);
}

/* What a burst needed is given back after a quiet second. */
static void queue_shrink(struct embedded_line *line)
{
    if (line->committing.frames.capacity > KEPT_BYTES)
        queue_destroy(&line->committing);
    if (line->pending.frames.capacity > KEPT_BYTES && line->pending.count == 0)
        queue_destroy(&line->pending);
}

static void wait_for_work(struct embedded_line *line)
{
    struct timespec until;
    bool is_large = line->committing.frames.capacity > KEPT_BYTES || line->pending.frames.capacity > KEPT_BYTES;
    if (!is_large) {
        (void)pthread_cond_wait(&line->wake, &line->mutex);
        return;
    }
    (void)clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += IDLE_S;
    if (pthread_cond_timedwait(&line->wake, &line->mutex, &until) == ETIMEDOUT)
        queue_shrink(line);
}

static void *committer_run(void *context)
{
    struct embedded_line *line = context;
    for (;;) {
        (void)pthread_mutex_lock(&line->mutex);
        while (line->pending.count == 0 && !line->stopping)
            wait_for_work(line);
        bool is_done = line->pending.count == 0;
        struct embedded_queue swapped = line->committing;
        line->committing = line->pending;
        line->pending = swapped;
        (void)pthread_mutex_unlock(&line->mutex);
        if (is_done)
            return NULL;
        commit(line);
    }
}

enum result embedded_line_start(struct embedded_line *line, struct error *err)
{
    pthread_condattr_t clock;
    pthread_attr_t attributes;
    sigset_t all, before;
    (void)pthread_condattr_init(&clock);
    (void)pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    (void)pthread_cond_init(&line->wake, &clock);
    (void)pthread_condattr_destroy(&clock);
    (void)pthread_mutex_init(&line->mutex, NULL);
    (void)pthread_mutex_init(&line->wakers_mutex, NULL);
    if (line->stream == NULL && line->table == NULL)
        return OK;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setstacksize(&attributes, STACK_BYTES);
    (void)sigfillset(&all); /* signals are for the thread that waits for them */
    (void)pthread_sigmask(SIG_SETMASK, &all, &before);
    int failed = pthread_create(&line->committer, &attributes, committer_run, line);
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    (void)pthread_attr_destroy(&attributes);
    line->has_committer = failed == 0;
    if (line->has_committer)
        (void)pthread_setname_np(line->committer, topic_name(line->topic) + sizeof "tidings." - 1);
    return failed == 0 ? OK : error_set(err, FATAL, "no thread for the log: %s", strerror(failed));
}

void embedded_line_stop(struct embedded_line *line)
{
    if (!line->has_committer)
        return;
    (void)pthread_mutex_lock(&line->mutex);
    line->stopping = true;
    (void)pthread_cond_signal(&line->wake);
    (void)pthread_mutex_unlock(&line->mutex);
    (void)pthread_join(line->committer, NULL);
    line->has_committer = false;
    queue_destroy(&line->pending);
    queue_destroy(&line->committing);
}

int64_t embedded_line_first(const struct embedded_line *line)
{
    return line->stream != NULL ? segment_stream_first(line->stream) : 0;
}

int64_t embedded_line_end(const struct embedded_line *line)
{
    return line->stream != NULL ? segment_stream_end(line->stream) : atomic_load(&line->table_end);
}

int64_t embedded_line_ordinal(const struct embedded_line *line)
{
    return line->stream != NULL ? segment_stream_ordinal(line->stream) : atomic_load(&line->table_end);
}

void embedded_line_add_waker(struct embedded_line *line, struct embedded_waker *waker)
{
    (void)pthread_mutex_lock(&line->wakers_mutex);
    struct embedded_waker **place = &line->wakers;
    while (*place != NULL)
        place = &(*place)->next;
    *place = waker;
    (void)pthread_mutex_unlock(&line->wakers_mutex);
}

void embedded_line_remove_waker(struct embedded_line *line, struct embedded_waker *waker)
{
    (void)pthread_mutex_lock(&line->wakers_mutex);
    for (struct embedded_waker **place = &line->wakers; *place != NULL; place = &(*place)->next) {
        if (*place == waker) {
            *place = waker->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&line->wakers_mutex);
    wake_readers(line); /* who stood by in its group may read now */
}

bool embedded_line_is_first(struct embedded_line *line, const struct embedded_waker *waker)
{
    if (waker->group == NULL)
        return true;
    (void)pthread_mutex_lock(&line->wakers_mutex);
    const struct embedded_waker *first = line->wakers;
    while (first != NULL && (first->group == NULL || strcmp(first->group, waker->group) != 0))
        first = first->next;
    (void)pthread_mutex_unlock(&line->wakers_mutex);
    return first == waker;
}
