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

/* Takes answers until none is outstanding. Only an unbroken run of OK from the front counts as acknowledged. */
static enum result answers_collect(struct runner *runner, size_t outstanding, struct error *err)
{
    enum result worst = OK;
    int64_t deadline = time_monotonic_ms() + 60 * ANSWER_WAIT_MS;
    while (outstanding > 0) {
        struct log_answer answer;
        enum result result = log_collect(runner->appender, ANSWER_WAIT_MS, &answer);
        if (result == NOTHING && time_monotonic_ms() < deadline)
            continue; /* a slow log: the outputs are on their way, and nothing else may be done meanwhile */
        if (result != OK)
            return error_set(err, FATAL, "%s: the log does not answer appends", runner->fold.name);
        outstanding--;
        if (answer.result == FATAL)
            return error_set(err, FATAL, "%.250s", answer.why.text);
        bool skip = runner->options.sabotage == SABOTAGE_SKIP_FAILED_OUTPUT;
        if (answer.result == OK || skip) {
            if (worst == OK)
                runner->batch.acknowledged = (size_t)answer.token;
            continue;
        }
        if (worst == OK)
            (void)error_set(err, answer.result, "%.250s", answer.why.text);
        worst = answer.result == UNCERTAIN ? UNCERTAIN : worst == OK ? AGAIN : worst;
    }
    return worst;
}

enum result batch_flush(struct runner *runner, struct error *err)
{
    struct batch *batch = &runner->batch;
    while (batch->acknowledged < batch->count) {
        size_t from = batch->acknowledged, outstanding = 0;
        enum result result = OK;
        while (from < batch->count && outstanding < CHUNKS_LIMIT && result == OK) {
            result = chunk_append(runner, from, &from, err);
            outstanding += result == OK;
        }
        if (result != OK && result != AGAIN)
            return result == REJECTED
                       ? error_set(err, FATAL, "%s: an output is too large for the log", runner->fold.name)
                       : result;
        bool stuck = outstanding == 0;
        result = answers_collect(runner, outstanding, err);
        if (result != OK || stuck)
            return stuck && result == OK ? error_set(err, AGAIN, "the log takes no appends") : result;
    }
    if (batch->count > 0)
        runner_at_point(runner, "outputs-appended");
    batch_clear(batch);
    runner->outstanding = false;
    return OK;
}
