/* The inside of the runner, for the files of this room. */
#pragma once

#include "broker/fold/fold.h"

#include "broker/base/buffer.h"
#include "broker/base/memory.h"

enum { STATE_SPACE = 's', DEADLINE_SPACE = 'd', ENVELOPE_SIZE = 16, DAY_MS = 24 * 3600 * 1000, TICK_MS = 60 * 1000 };

/* One source partition that is ours to fold. */
struct part {
    bool mine;
    bool known; /* next, last and rules say something: from the store, or from folding */
    struct store_position position;
    int64_t emit_from;        /* records before it are folded silently: max(S, C) at the start */
    int64_t offset_committed; /* the group's offset as last committed; -1: not by us */
    int64_t last_tick_ms;
    int64_t earliest_deadline_ms; /* INT64_MAX: none */
    bool dirty;                   /* position is newer than the store's */
};

/* The last (offset, index) seen from one source partition in one of ours. */
struct watermark {
    struct store_watermark mark;
    bool used, dirty;
    uint64_t key_hash; /* sabotage: a watermark a key */
};

struct watermarks {
    struct watermark *slots;
    size_t count, capacity; /* capacity: a power of two */
};

/* Something to append: entry views are offsets into `bytes` until the batch is whole. */
struct pending {
    enum topic topic;
    int32_t partition;
    size_t key_at, key_size, value_at, value_size;
    size_t headers_at, header_count;
};

struct batch {
    struct buffer bytes;
    struct pending *pending;
    size_t count, capacity;
    size_t acknowledged; /* of pending, those whose append was answered OK */
    size_t queued;       /* of pending, those that the log was given */
    size_t in_flight;    /* appends that it has not answered */
    enum result worst;   /* of its answers, since all were answered last; OK: none failed */
    struct error why;
    struct log_header *headers;
    size_t header_count, header_capacity;
    struct arena arena; /* of header texts */
};

/* What one apply decides; public as an opaque type. */
struct fold_output {
    struct runner *runner;
    const struct fold_input *input;
    const struct opened_record *opened; /* of the record at hand, also in a wake */
    struct part *part;
    int32_t topic, partition;
    int64_t offset;
    int32_t index; /* the next output's; goes on over the keys that a tick wakes */
    bool emit;
    uint64_t key_id; /* the patient's key at hand: of the event, or of the state; 0: none */
    bool state_put, state_removed, deadline_put;
    struct buffer state;
    int64_t deadline_ms;
    struct buffer scratch;
    struct buffer row_key;
    struct error error; /* of an output that could not be made */
    enum result result;
};

struct runner {
    struct fold fold;
    struct runner_options options;
    struct log_reader *reader;
    struct log_appender *appender;
    struct log_fetcher *fetcher;
    struct store *store;
    struct keyring *keyring;
    struct part *parts;
    int32_t part_count;
    struct watermarks watermarks;
    struct batch batch;
    struct fold_output output;
    struct arena arena; /* of the record at hand */
    struct buffer state;
    struct buffer envelope;
    struct nonces nonces;  /* of states */
    struct error incident; /* why a partition could not be started */
    bool *told_from;       /* by source partition, once asked for: somebody was told from it */
    bool started_anew;     /* the start is to be committed before anything is emitted */
    size_t events_since_commit;
    int64_t last_commit_ms, last_offset_commit_ms, last_tick_check_ms, newest_record_ms;
    int failures; /* in a row; decides the pause */
    int64_t paused_until_ms;
    bool caught_up;    /* was at the end of the log once */
    bool half_applied; /* a record could not be finished: it goes on with the index it had, and nothing is committed */
    bool outstanding;  /* the batch's outputs are not all acknowledged: flush before anything else */
    const struct log_record *records; /* what was read and is not all applied yet; lives until the next log_read */
    size_t record_count, record_next;
};

/* runner.c */
void runner_at_point(const struct runner *runner, const char *point);

/* position.c */
int64_t part_start(void *context, int32_t partition, int64_t committed);
void part_revoked(void *context, int32_t partition);
void parts_load(struct runner *runner);
enum result commit_store(struct runner *runner, struct error *err);
void commit_offsets(struct runner *runner);

/* watermark.c */
/* The output was seen before: it is dropped. */
bool watermark_has_passed(struct runner *runner, int32_t partition, const struct cause *cause, struct view key);
void watermark_move(struct runner *runner, int32_t partition, const struct cause *cause, struct view key);
void watermarks_load(struct runner *runner);
void watermarks_store(struct runner *runner);
void watermarks_destroy(struct watermarks *watermarks);

/* output.c */
void batch_clear(struct batch *batch);
void batch_destroy(struct batch *batch);
void batch_add(struct runner *runner, enum topic topic, int32_t partition, struct view key, struct view value,
               const struct event_header *event);
void output_start(struct fold_output *output, struct part *part, const struct log_record *record,
                  const struct opened_record *opened, bool emit);

/* flush.c */
/* Appends what is outstanding and waits for it. OK: all durable. AGAIN: call again; what is in flight stays so. */
enum result batch_flush(struct runner *runner, struct error *err);

/* state.c */
/* The state under key into runner->state (cleared first), with its deadline and key id. NOTHING: none, or erased. */
enum result state_read(struct runner *runner, struct view key, int64_t *ret_deadline_ms, uint64_t *ret_key_id,
                       struct error *err);
/* Applies one input and keeps what it decided. */
enum result state_apply(struct runner *runner, struct fold_input *input, struct error *err);

/* tick.c */
enum result ticks_append(struct runner *runner, struct error *err);
enum result tick_wake(struct runner *runner, struct part *part, const struct log_record *record, int64_t now_ms,
                      struct error *err);
int64_t deadline_earliest(struct runner *runner, int32_t partition);
struct view deadline_key(int32_t partition, int64_t deadline_ms, struct view key, struct buffer *to);

/* record.c */
enum result record_apply(struct runner *runner, const struct log_record *record, struct error *err);
void quarantine(struct runner *runner, const struct log_record *record, const char *why);
