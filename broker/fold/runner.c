/* The runner: a batch of records in, outputs durable, then the store, then the group's offset. */
#include "broker/fold/inside.h"

#include "broker/base/metrics.h"
#include "broker/base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    DEFAULT_COMMIT_EVENTS = 100 * 1000, /* sorted commits of this size write a fifth of the pages (design, section 6) */
    DEFAULT_COMMIT_MS = 5000,
    DEFAULT_BATCH = 2000,
    DIRTY_BYTES_LIMIT = 128 * 1024 * 1024,
    BATCH_BYTES_LIMIT = 16 * 1024 * 1024,
    SLOW_COMMIT_MS = 1000, /* at a low rate: a small commit is a short pause, and folds less again after a crash */
    SLOW_COMMIT_EVENTS = 20 * 1000,
    OFFSET_COMMIT_MS = 1000, /* the group's offset may lag: what was emitted after it is recognised by its cause */
    PAUSE_FIRST_MS = 20,
    PAUSE_LIMIT_MS = 5000,
    CACHED_KEYS =
        1024 * 1024, /* at most, of a fold that opens bodies or states: 48 MiB when a million patients were met */
    CACHED_KEYS_OF_OTHERS = 64,
};

void runner_at_point(const struct runner *runner, const char *point)
{
    if (runner->options.at_point != NULL)
        runner->options.at_point(runner->options.context, runner->fold.name, point);
}

static enum result parts_open(struct runner *runner, struct error *err)
{
    struct log_reader_options options = {.topic = runner->fold.source,
                                         .group = runner->fold.owner ? runner->fold.name : NULL,
                                         .start = part_start,
                                         .revoked = part_revoked,
                                         .context = runner};
    runner->part_count = log_partitions(runner->options.log, runner->fold.source);
    runner->parts = memory_array((size_t)runner->part_count, sizeof *runner->parts);
    parts_load(runner);
    watermarks_load(runner);
    return log_reader_open(runner->options.log, &options, &runner->reader, err);
}

enum result runner_open(const struct fold *fold, const struct runner_options *options, struct runner **ret,
                        struct error *err)
{
    char path[512];
    struct runner *runner = memory_take(sizeof *runner);
    runner->fold = *fold;
    runner->options = *options;
    runner->output.runner = runner;
    if (runner->options.commit_events == 0)
        runner->options.commit_events = DEFAULT_COMMIT_EVENTS;
    if (runner->options.commit_ms == 0)
        runner->options.commit_ms = DEFAULT_COMMIT_MS;
    if (runner->options.batch == 0)
        runner->options.batch = DEFAULT_BATCH;
    runner->last_commit_ms = time_monotonic_ms();
    nonces_start(&runner->nonces);
    (void)snprintf(path, sizeof path, "%s/%s.store", options->data_folder, fold->name);
    enum result result = store_open(path, log_identity(options->log), fold->shape, &runner->store, err);
    if (result == OK)
        result = log_appender_open(options->log, &runner->appender, err);
    if (result == OK)
        result = log_fetcher_open(options->log, &runner->fetcher, err);
    if (result == OK)
        result = keyring_open(options->log, options->vault,
                              fold->unseal || fold->states_sealed ? CACHED_KEYS : CACHED_KEYS_OF_OTHERS,
                              &runner->keyring, err);
    if (result == OK)
        result = parts_open(runner, err);
    if (result != OK) {
        runner_close(runner);
        return result;
    }
    *ret = runner;
    return OK;
}

void runner_close(struct runner *runner)
{
    struct error err;
    if (runner == NULL)
        return;
    if (runner->reader != NULL && !runner->outstanding && !runner->half_applied && commit_store(runner, &err) == OK)
        commit_offsets(runner);
    log_reader_close(runner->reader);
    log_appender_close(runner->appender);
    log_fetcher_close(runner->fetcher);
    keyring_close(runner->keyring);
    store_close(runner->store);
    watermarks_destroy(&runner->watermarks);
    batch_destroy(&runner->batch);
    buffer_destroy(&runner->output.state);
    buffer_destroy(&runner->output.scratch);
    buffer_destroy(&runner->output.row_key);
    buffer_destroy(&runner->state);
    buffer_destroy(&runner->envelope);
    arena_destroy(&runner->arena);
    free(runner->told_from);
    free(runner->parts);
    free(runner);
}

/* The hash of the last record of each partition, while its bytes are at hand. */
static void last_records_remember(struct runner *runner, size_t from, size_t to)
{
    for (size_t i = to; i > from; i--) {
        const struct log_record *record = &runner->records[i - 1];
        struct store_position *position = &runner->parts[record->partition].position;
        if (position->last_offset != record->offset)
            continue;
        struct view parts[] = {record->key, record->value};
        vault_hash(parts, 2, position->last_hash, sizeof position->last_hash);
    }
}

/* Applies what was read, until all of it is, one fails, or the outputs are many enough for an append. */
static enum result records_apply(struct runner *runner, struct error *err)
{
    size_t first = runner->record_next;
    enum result result = OK;
    while (result == OK && runner->record_next < runner->record_count && runner->batch.bytes.size < BATCH_BYTES_LIMIT) {
        result = record_apply(runner, &runner->records[runner->record_next], err);
        runner->record_next += result == OK;
    }
    runner->events_since_commit += runner->record_next - first;
    if (runner->batch.count > 0)
        runner->outstanding = true;
    last_records_remember(runner, first, runner->record_next);
    return result;
}

static void lag_report(struct runner *runner, const struct log_record *last, enum result read)
{
    int64_t lag = log_reader_lag(runner->reader);
    double seconds = 0;
    if (lag == 0 && runner->record_next == runner->record_count && (read == OK || read == NOTHING))
        runner->caught_up = true;
    if (lag > 0 && last != NULL)
        seconds = (double)(time_now_ms() - last->timestamp_ms) / 1000.0;
    metrics_lag(runner->fold.name, lag, seconds > 0 ? seconds : 0);
}

/* Retry policy: a pause that doubles to a limit, with jitter, until something works again. */
static enum result pause(struct runner *runner, enum result result)
{
    if (result == FATAL)
        return FATAL;
    if (runner->batch.in_flight > 0)
        return AGAIN; /* waiting for the log's answers is pause enough */
    int64_t pause_ms = PAUSE_FIRST_MS << (runner->failures < 8 ? runner->failures : 8);
    uint16_t jitter;
    vault_random(&jitter, sizeof jitter);
    if (pause_ms > PAUSE_LIMIT_MS)
        pause_ms = PAUSE_LIMIT_MS;
    runner->failures++;
    runner->paused_until_ms = time_monotonic_ms() + pause_ms / 2 + pause_ms * jitter / (2 * UINT16_MAX);
    return result == UNCERTAIN ? AGAIN : result;
}

/* Outputs are durable: the store when it is time, then the offset. */
static enum result commit_when_due(struct runner *runner, struct error *err)
{
    int64_t now_ms = time_monotonic_ms();
    int64_t since_ms = now_ms - runner->last_commit_ms;
    bool slow = runner->events_since_commit <= SLOW_COMMIT_EVENTS && since_ms >= SLOW_COMMIT_MS;
    bool due = runner->events_since_commit >= runner->options.commit_events ||
               store_dirty_bytes(runner->store) >= DIRTY_BYTES_LIMIT ||
               (runner->events_since_commit > 0 && (slow || since_ms >= runner->options.commit_ms));
    if (due) {
        enum result result = commit_store(runner, err);
        if (result != OK)
            return result;
    }
    if (due || now_ms - runner->last_offset_commit_ms >= OFFSET_COMMIT_MS)
        commit_offsets(runner);
    return OK;
}

static enum result outputs_finish(struct runner *runner, struct error *err)
{
    if (runner->options.sabotage == SABOTAGE_STORE_BEFORE_OUTPUTS && commit_store(runner, err) != OK)
        return AGAIN;
    if (runner->options.sabotage == SABOTAGE_OFFSET_BEFORE_OUTPUTS)
        commit_offsets(runner);
    return runner->outstanding ? batch_flush(runner, err) : OK;
}

/* More records, when all of the last were applied. */
static enum result records_read(struct runner *runner, int timeout_ms, struct error *err)
{
    if (runner->record_next < runner->record_count)
        return OK;
    runner->record_next = runner->record_count = 0;
    enum result result =
        log_read(runner->reader, runner->options.batch, timeout_ms, &runner->records, &runner->record_count, err);
    if (result == FATAL && runner->incident.text[0] != '\0')
        return error_set(err, FATAL, "%s", runner->incident.text);
    if (result != OK)
        runner->record_count = 0;
    if ((result == OK || result == NOTHING) && runner->started_anew) {
        runner->started_anew = false;
        commit_offsets(runner);
    }
    return result;
}

enum result runner_step(struct runner *runner, int timeout_ms, struct error *err)
{
    const struct log_record *last = NULL;
    if (runner->paused_until_ms > time_monotonic_ms())
        return AGAIN;
    enum result result = outputs_finish(runner, err);
    if (result == OK)
        result = ticks_append(runner, err);
    if (result == OK && store_dirty_bytes(runner->store) >= DIRTY_BYTES_LIMIT && !runner->half_applied)
        result = commit_when_due(runner, err); /* nothing more is read while it cannot be written */
    if (result != OK)
        return pause(runner, result);
    enum result read = records_read(runner, timeout_ms, err);
    if (read == OK) {
        runner_at_point(runner, "batch-read");
        result = records_apply(runner, err);
        runner_at_point(runner, "batch-applied");
        last = runner->record_next > 0 ? &runner->records[runner->record_next - 1] : NULL;
        enum result finished = outputs_finish(runner, err);
        if (finished != OK)
            result = finished;
    } else if (read != NOTHING) {
        result = read;
    }
    if (result == OK)
        result = commit_when_due(runner, err);
    lag_report(runner, last, read);
    if (result != OK)
        return pause(runner, result);
    runner->failures = 0;
    return read;
}

int runner_fd(const struct runner *runner)
{
    return log_reader_fd(runner->reader);
}

enum result runner_commit(struct runner *runner, struct error *err)
{
    enum result result = runner->outstanding ? batch_flush(runner, err) : OK;
    if (result == OK && runner->half_applied)
        result = error_set(err, AGAIN, "%s: a record is half applied", runner->fold.name);
    if (result == OK)
        result = commit_store(runner, err);
    if (result == OK)
        commit_offsets(runner);
    return result;
}

bool runner_has_passed(const struct runner *runner, int32_t partition, int64_t offset)
{
    return partition >= 0 && partition < runner->part_count && runner->parts[partition].position.next_offset > offset;
}

bool runner_is_caught_up(const struct runner *runner)
{
    return runner->caught_up;
}

int64_t runner_lag(struct runner *runner)
{
    return log_reader_lag(runner->reader);
}

struct store *runner_store(struct runner *runner)
{
    return runner->store;
}

struct keyring *runner_keyring(struct runner *runner)
{
    return runner->keyring;
}

enum result runner_find_state(struct runner *runner, struct view key, struct buffer *ret)
{
    struct error err;
    int64_t deadline_ms;
    uint64_t key_id;
    enum result result = state_read(runner, key, &deadline_ms, &key_id, &err);
    buffer_clear(ret);
    if (result == OK)
        buffer_add_view(ret, buffer_view(&runner->state));
    return result == FATAL ? FATAL : result == OK ? OK : NOTHING;
}
