/* A fold run again over given records; its outputs come back. */
#include "broker/fold/replay.h"

#include "broker/fold/inside.h"

#include <stdio.h>

enum { CACHED_KEYS = 8192, DIRTY_BYTES_LIMIT = 64 * 1024 * 1024 };

enum result runner_open_replay(const struct fold *fold, const struct runner_options *options, struct runner **ret,
                               struct error *err)
{
    char path[512];
    struct runner *runner = memory_take(sizeof *runner);
    runner->fold = *fold;
    runner->options = *options;
    runner->output.runner = runner;
    (void)snprintf(path, sizeof path, "%s/%s.store", options->data_folder, fold->name);
    enum result result = store_open(path, log_identity(options->log), fold->shape, &runner->store, err);
    if (result == OK)
        result = keyring_open(options->log, options->vault, CACHED_KEYS, &runner->keyring, err);
    if (result != OK) {
        runner_close(runner);
        return result;
    }
    runner->part_count = log_partitions(options->log, fold->source);
    runner->parts = memory_array((size_t)runner->part_count, sizeof *runner->parts);
    parts_load(runner);
    for (int32_t i = 0; i < runner->part_count; i++)
        runner->parts[i].emit_from = 0; /* everything is decided anew */
    *ret = runner;
    return OK;
}

static void outputs_give(const struct batch *batch, void (*each)(void *context, const struct log_entry *output),
                         void *context)
{
    for (size_t i = 0; i < batch->count; i++) {
        const struct pending *pending = &batch->pending[i];
        struct log_entry output = {.topic = pending->topic,
                                   .partition = pending->partition,
                                   .key = {batch->bytes.data + pending->key_at, pending->key_size},
                                   .value = {batch->bytes.data + pending->value_at, pending->value_size}};
        each(context, &output);
    }
}

enum result runner_replay(struct runner *runner, const struct log_record *record,
                          void (*each)(void *context, const struct log_entry *output), void *context, struct error *err)
{
    if (!runner->half_applied)
        batch_clear(&runner->batch);
    enum result result = record_apply(runner, record, err);
    if (result != OK)
        return result;
    outputs_give(&runner->batch, each, context);
    batch_clear(&runner->batch);
    return store_dirty_bytes(runner->store) < DIRTY_BYTES_LIMIT ? OK : store_commit(runner->store, err);
}
