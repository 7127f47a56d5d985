/*
 * The runner: keeps a fold going over the log, and loses or doubles nothing (design, section 3, items 3 to 7).
 *
 * A fold's meaning is a pure function of (rules, state of a key, record) to (state, deadline, outputs). The runner owns
 * everything else: batches, outputs before the store before the group's offset, positions, watermarks, keys and seals,
 * deadlines and ticks, quarantine, lag, back-pressure and the retry policy.
 *
 * A projection is the same without outputs and state of its own: a function of (record) that writes the store.
 */
#pragma once

#include "broker/event/directory_entry.h"
#include "broker/log/log.h"
#include "broker/record/record.h"
#include "broker/store/store.h"

struct fold_input {
    int32_t rules;                      /* in force at this record */
    struct view key;                    /* whose state; a tick's wake gives the key that is due */
    struct view state;                  /* as the fold wrote it; NULL data: none yet (or erased) */
    const struct log_record *record;    /* the raw record: position, value */
    const struct opened_record *opened; /* its headers */
    const struct event_body *body;      /* NULL: no body, or erased */
    int64_t now_ms;                     /* the record's recordedAt; in a wake the tick's time */
    bool wake;                          /* this is a deadline of `key` that has passed, not the key's own record */
};

/* What a fold decided. Filled by fold_... calls below, in order; the order is the outputs' index. */
struct fold_output;

void fold_put_state(struct fold_output *output, struct view state); /* copied */
void fold_remove_state(struct fold_output *output);
void fold_put_deadline(struct fold_output *output, int64_t deadline_ms); /* 0: none any more. One deadline a key */
/* A telling that carries the event's own pair verbatim. telling->cause and event_header are filled by the runner. */
void fold_tell(struct fold_output *output, const struct telling *telling);
/* A telling whose event part is sealed anew by the runner, under the same patient's key. header->key_id is filled by
 * the runner. */
void fold_tell_sealed(struct fold_output *output, const struct telling *telling, const struct event_header *header,
                      const struct event_body *body);
/* An event of our own on a patient's key (derived events, links), sealed by the runner; it names its cause. */
void fold_emit_event(struct fold_output *output, const struct event_header *header, const struct event_body *body);
void fold_emit_work_item(struct fold_output *output, const struct work_item *item);
/* A row of the fold's own, beside states: space is a lower-case letter other than 's', 'd'. Written with the state. */
void fold_put_row(struct fold_output *output, char space, struct view key, struct view value);

struct fold {
    const char *name; /* "match": the group's and the store's name */
    enum topic source;
    bool owner; /* shares partitions in the group, appends ticks; else reads all partitions for itself (api, read) */
    bool states_sealed;   /* states are sealed under the patient's key */
    bool unseal;          /* bodies are needed */
    int shape;            /* store_open's */
    int32_t rules_newest; /* the newest rules this fold knows */
    void *context;
    /* Pure. REJECTED: the record can never succeed: quarantined with err. */
    enum result (*apply)(void *context, const struct fold_input *input, struct fold_output *output, struct error *err);
    /* After a record was applied, outputs or not, in order: for streams from memory. input and output views live during
     * the call. live: false while folding what was folded by an earlier run. May be NULL. */
    void (*applied)(void *context, const struct fold_input *input, bool live);
    void *applied_context;
};

/* For an apply that must look into its own rows. NOTHING: no such row. Anything else but OK: the store cannot be read,
 * and the record will not count as applied; write nothing. */
enum result fold_find_row(struct fold_output *output, char space, struct view key, struct buffer *ret);

struct runner;

struct runner_options {
    struct log *log;
    const struct vault *vault;
    const char *data_folder; /* store: <data_folder>/<name>.store */
    const char *region;
    bool kafka_headers; /* outputs carry the courtesy headers of the CloudEvents binding */
    int32_t (*local_offset_s)(void *context, int64_t utc_ms); /* the region's time zone, for ticks; NULL: UTC */
    size_t commit_events;                                     /* 0: 100,000 */
    int64_t commit_ms;                                        /* 0: 5,000 */
    size_t batch;                                             /* records a step; 0: 2,000 */
    /* For the crash harness: called at named points, in this order: "batch-read", "batch-applied", "outputs-appended",
     * "store-committed", "offset-committed". who: the fold's name. NULL: nobody listens. */
    void (*at_point)(void *context, const char *who, const char *point);
    void *context;
    int sabotage; /* enum sabotage: breaks one rule, so that the harness can prove it would see; 0: none */
};

enum sabotage {
    SABOTAGE_NONE,
    SABOTAGE_STORE_BEFORE_OUTPUTS,
    SABOTAGE_OFFSET_BEFORE_OUTPUTS,
    SABOTAGE_WATERMARK_WITHOUT_INDEX,
    SABOTAGE_SKIP_FAILED_OUTPUT,
    SABOTAGE_WATERMARK_PER_KEY,
    SABOTAGE_NO_READ_BACK, /* offsets that are used twice after a truncation are not noticed */
};

enum result runner_open(const struct fold *fold, const struct runner_options *options, struct runner **ret,
                        struct error *err);
void runner_close(struct runner *runner); /* commits what it can */
/* One batch, waiting up to timeout_ms for a first record. OK: something was done. NOTHING: idle. AGAIN: paused by its
 * retry policy. FATAL: stop the process; err says why, for a person. */
enum result runner_step(struct runner *runner, int timeout_ms, struct error *err);
int runner_fd(const struct runner *runner);
/* Commits store and offset now. */
enum result runner_commit(struct runner *runner, struct error *err);
/* Has it applied (or dropped) the record at this position? For Tidings-Position. */
bool runner_has_passed(const struct runner *runner, int32_t partition, int64_t offset);
int64_t runner_lag(struct runner *runner);
/* Has it been, once since it was opened, at the end of the log? Before, what is in its store is of before. */
bool runner_is_caught_up(const struct runner *runner);
/* The fold's store, for reading (states of unsealed folds, rows). Same thread. */
struct store *runner_store(struct runner *runner);
struct keyring *runner_keyring(struct runner *runner);
/* The state of a key as the fold wrote it. NOTHING: none. */
enum result runner_find_state(struct runner *runner, struct view key, struct buffer *ret);
