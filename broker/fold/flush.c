/* Outputs first: appends what a batch decided, and goes on only when all of it is durable, in order. */
#include "broker/fold/inside.h"

#include "broker/base/time.h"

enum { CHUNK_ENTRIES = 500, CHUNK_BYTES = 512 * 1024, ANSWER_WAIT_MS = 1000, CHUNKS_LIMIT = 4096 };

static struct log_entry entry_of(const struct batch *batch, const struct pending *pending)
{
    return (struct log_entry){
        .topic = pending->topic,
        .partition = pending->partition,
        .key = {batch->bytes.data + pending->key_at, pending->key_size},
        .value = {batch->bytes.data + pending->value_at, pending->value_size},
        .headers = pending->header_count == 0 ? NULL : batch->headers + pending->headers_at,
        .header_count = pending->header_count,
    };
}

/* Queues the next chunk from `from`; the answer's token is where it ends. */
static enum result chunk_append(struct runner *runner, size_t from, size_t *ret_to, struct error *err)
{
    struct batch *batch = &runner->batch;
    struct log_entry entries[CHUNK_ENTRIES];
    size_t count = 0, bytes = 0;
    while (from + count < batch->count && count < CHUNK_ENTRIES && bytes < CHUNK_BYTES) {
        entries[count] = entry_of(batch, &batch->pending[from + count]);
        bytes += entries[count].value.size;
        count++;
    }
    enum result result = log_append(runner->appender, entries, count, from + count, err);
    if (result == OK)
        *ret_to = from + count;
    return result;
}

static enum result chunks_append(struct runner *runner, struct error *err)
{
    struct batch *batch = &runner->batch;
    enum result result = OK;
    while (result == OK && batch->worst == OK && batch->queued < batch->count && batch->in_flight < CHUNKS_LIMIT) {
        result = chunk_append(runner, batch->queued, &batch->queued, err);
        batch->in_flight += result == OK;
    }
    if (result == REJECTED)
        return error_set(err, FATAL, "%s: an output is too large for the log", runner->fold.name);
    return result;
}

/* Takes one answer. Only an unbroken run of OK from the front counts as acknowledged. */
static enum result answer_collect(struct runner *runner, struct error *err)
{
    struct batch *batch = &runner->batch;
    struct log_answer answer;
    enum result result = log_collect(runner->appender, ANSWER_WAIT_MS, &answer);
    if (result == NOTHING) /* the outputs are on their way, and nothing else may be done meanwhile */
        return error_set(err, AGAIN, "%s: the log has not answered an append yet", runner->fold.name);
    if (result != OK)
        return error_set(err, FATAL, "%s: the log does not answer appends", runner->fold.name);
    batch->in_flight--;
    if (answer.result == FATAL)
        return error_set(err, FATAL, "%.250s", answer.why.text);
    if (answer.result == OK || runner->options.sabotage == SABOTAGE_SKIP_FAILED_OUTPUT) {
        if (batch->worst == OK)
            batch->acknowledged = (size_t)answer.token;
        return OK;
    }
    if (batch->worst == OK)
        batch->why = answer.why;
    batch->worst = answer.result == UNCERTAIN ? UNCERTAIN : batch->worst == OK ? AGAIN : batch->worst;
    return OK;
}

/* Everything was answered, and something failed: what is not acknowledged is to be given to the log again. */
static enum result batch_rewind(struct batch *batch, struct error *err)
{
    enum result worst = batch->worst;
    batch->worst = OK;
    batch->queued = batch->acknowledged;
    return error_set(err, worst, "%.250s", batch->why.text);
}

enum result batch_flush(struct runner *runner, struct error *err)
{
    struct batch *batch = &runner->batch;
    while (batch->acknowledged < batch->count || batch->in_flight > 0) {
        enum result result = chunks_append(runner, err);
        if (result == OK || (result == AGAIN && batch->in_flight > 0)) /* a full queue empties */
            result = answer_collect(runner, err);
        if (result != OK)
            return result;
        if (batch->in_flight == 0 && batch->worst != OK)
            return batch_rewind(batch, err);
    }
    if (batch->count > 0)
        runner_at_point(runner, "outputs-appended");
    batch_clear(batch);
    runner->outstanding = false;
    return OK;
}
