/* A topic read from its beginning to where it ended when it was opened. */
#include "broker/main/bounded.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

enum { WAIT_MS = 200, SILENCE_MS = 20 * 1000 };

static int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

enum result bounded_open(struct log *log, struct log_fetcher *fetcher, enum topic topic, struct bounded *ret,
                         struct error *err)
{
    struct bounded bounded = {.topic = topic, .partitions = log_partitions(log, topic)};
    bounded.ends = memory_array((size_t)bounded.partitions, sizeof *bounded.ends);
    bounded.next = memory_array((size_t)bounded.partitions, sizeof *bounded.next);
    enum result result = OK;
    for (int32_t i = 0; i < bounded.partitions && result == OK; i++) {
        result = log_bounds(fetcher, topic, i, &bounded.next[i], &bounded.ends[i], err);
        bounded.unfinished += result == OK && bounded.next[i] < bounded.ends[i];
    }
    struct log_reader_options options = {.topic = topic, .start = start_at_the_beginning};
    if (result == OK)
        result = log_reader_open(log, &options, &bounded.reader, err);
    if (result == OK)
        *ret = bounded;
    else
        bounded_close(&bounded);
    return result;
}

void bounded_close(struct bounded *bounded)
{
    log_reader_close(bounded->reader);
    free(bounded->ends);
    free(bounded->next);
    *bounded = (struct bounded){0};
}

const char *position_words(enum topic topic, int32_t partition, int64_t offset, char ret[POSITION_WORDS_SIZE])
{
    (void)snprintf(ret, POSITION_WORDS_SIZE, "%s partition %" PRId32 ", offset %" PRId64, topic_name(topic), partition,
                   offset);
    return ret;
}

static enum result silent(struct bounded *bounded, struct error *err)
{
    int64_t now_ms = time_monotonic_ms();
    char where[POSITION_WORDS_SIZE];
    int32_t partition = 0;
    if (log_reader_lag(bounded->reader) == 0) { /* what stands at the end is the log's own, and no record to us */
        bounded->unfinished = 0;
        return OK;
    }
    if (bounded->silent_ms == 0)
        bounded->silent_ms = now_ms;
    if (now_ms - bounded->silent_ms < SILENCE_MS)
        return OK;
    while (bounded->next[partition] >= bounded->ends[partition])
        partition++;
    return error_set(err, REJECTED, "%s: records up to offset %" PRId64 " are to be there, and do not come",
                     position_words(bounded->topic, partition, bounded->next[partition], where),
                     bounded->ends[partition] - 1);
}

static enum result record_give(struct bounded *bounded, const struct log_record *record,
                               enum result (*each)(void *context, const struct log_record *record, struct error *err),
                               void *context, struct error *err)
{
    int64_t *next = &bounded->next[record->partition], end = bounded->ends[record->partition];
    if (*next >= end)
        return OK; /* came later than the start */
    enum result result = OK;
    if (record->offset < end) {
        bounded->records++;
        result = each(context, record, err);
    }
    *next = record->offset + 1;
    bounded->unfinished -= *next >= end;
    return result;
}

enum result bounded_read(struct bounded *bounded, size_t most,
                         enum result (*each)(void *context, const struct log_record *record, struct error *err),
                         void *context, struct error *err)
{
    const struct log_record *records;
    size_t count;
    if (bounded->unfinished == 0)
        return NOTHING;
    enum result result = log_read(bounded->reader, most, WAIT_MS, &records, &count, err);
    if (result == NOTHING || result == AGAIN)
        return silent(bounded, err);
    bounded->silent_ms = 0;
    for (size_t i = 0; i < count && result == OK; i++)
        result = record_give(bounded, &records[i], each, context, err);
    return result;
}
