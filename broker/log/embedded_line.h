/*
 * A line: one topic of the embedded log, with the thread that commits what appenders queue.
 *
 * What queued while the last commit ran goes out in the next one, so many waiting appenders share one fdatasync and a
 * lone one waits for nothing. A commit that fails takes all that is queued with it: nothing overtakes a record that was
 * not appended.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/log/compacted.h"
#include "broker/log/log.h"
#include "broker/log/segment_stream.h"

#include <pthread.h>
#include <stdatomic.h>

struct embedded_appender;

/* One call of log_append, until its answer is collected. */
struct embedded_call {
    struct embedded_call *next;
    struct embedded_appender *appender;
    uint64_t token;
    size_t count, bytes;
    int64_t *offsets; /* count */
    uint8_t *topics;  /* count: which topic each entry is for */
    /* Guarded by the appender's mutex: */
    int waiting; /* topics that have not answered */
    bool some_appended, some_not;
    enum result worst;
    struct error why;
};

/* What one call has queued in one line. */
struct embedded_part {
    struct embedded_call *call;
    size_t frames;
};

struct embedded_queue {
    struct buffer frames;
    struct embedded_part *parts;
    size_t count, capacity;
};

/* A reader that sleeps: its eventfd is written when records came after it armed itself. */
struct embedded_waker {
    struct embedded_waker *next;
    const char *group; /* NULL: none. Of several with one group the first reads, the others stand by */
    int event;
    atomic_bool armed;
};

struct embedded_line {
    enum topic topic;
    struct segment_stream *stream; /* an append-only topic */
    struct compacted *table;       /* a compacted one; NULL in a read-only log */
    char *table_path;
    _Atomic int64_t table_end;
    pthread_t committer;
    bool has_committer;
    pthread_mutex_t mutex; /* guards what follows; locked before an appender's, and several in the order of topics */
    pthread_cond_t wake;
    bool stopping, is_fatal;
    struct error why;
    struct embedded_queue pending;
    struct embedded_queue committing; /* of the committer alone */
    _Atomic int64_t failed_at_ms;     /* 0: the last commit worked */
    atomic_bool is_over;              /* is_fatal, for those without the mutex */
    pthread_mutex_t wakers_mutex;
    struct embedded_waker *wakers;
};

/* Takes the opened stream or table that the caller has set. */
enum result embedded_line_start(struct embedded_line *line, struct error *err);
/* Commits what is queued, and ends the thread. */
void embedded_line_stop(struct embedded_line *line);
/* With the mutex locked: queues this entry as the next of the call's; then all of them as one part. */
void embedded_line_queue(struct embedded_line *line, const struct log_entry *entry);
void embedded_line_queue_end(struct embedded_line *line, struct embedded_call *call, size_t frames);

/* What is durable. */
int64_t embedded_line_first(const struct embedded_line *line);
int64_t embedded_line_end(const struct embedded_line *line);
int64_t embedded_line_ordinal(const struct embedded_line *line);

void embedded_line_add_waker(struct embedded_line *line, struct embedded_waker *waker);
void embedded_line_remove_waker(struct embedded_line *line, struct embedded_waker *waker);
/* Is it the first of its group? */
bool embedded_line_is_first(struct embedded_line *line, const struct embedded_waker *waker);

/* Of embedded_appender.c: one topic of the call has its answer. */
void embedded_call_answer(struct embedded_call *call, enum result result, const struct error *why);
