/* How far a reader is behind, and librdkafka's fetching, which must not sleep meanwhile. */
#include "broker/log/kafka_reader.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <stdlib.h>

enum {
    WAKE_EVERY_MS = 5,
    WAKE_PATIENCE_MS = 1000,
    DRY_MS = 50,       /* a few records that do not come for so long do not come by themselves */
    FAR_BEHIND = 1000, /* so many were not on their way in the last fetch */
};

/* Dry for so long that librdkafka must be asleep? */
static bool is_asleep(struct kafka_reader *reader, int64_t behind, int64_t now_ms)
{
    if (reader->dry_since_ms == 0)
        reader->dry_since_ms = now_ms;
    return behind >= FAR_BEHIND || now_ms - reader->dry_since_ms >= DRY_MS;
}

/*
 * librdkafka 2.0 sleeps up to a second after the queue was full. When it ran dry although the last fetch has seen more,
 * a question to that partition's broker wakes it. Not too soon: while a fetch waits at the end of a topic (half a
 * second) the question waits behind it, and a record that is only on its way from the fetch to the queue is no reason.
 */
void kafka_fetching_wake(struct kafka_reader *reader)
{
    int64_t now_ms = time_monotonic_ms(), first = 0, end = 0;
    if (now_ms - reader->woken_ms < WAKE_EVERY_MS || !kafka_answers_reachable(reader->owner.log) ||
        rd_kafka_queue_length(reader->queue) > 0)
        return;
    for (int32_t p = 0; p < reader->count; p++) {
        const char *name = topic_name(reader->options.topic);
        if (!reader->parts[p].assigned ||
            rd_kafka_get_watermark_offsets(reader->client, name, p, &first, &end) != RD_KAFKA_RESP_ERR_NO_ERROR ||
            end <= reader->parts[p].position)
            continue;
        if (!is_asleep(reader, end - reader->parts[p].position, now_ms))
            return;
        reader->woken_ms = now_ms;
        (void)rd_kafka_query_watermark_offsets(reader->client, name, p, &first, &end, WAKE_PATIENCE_MS);
        return;
    }
    reader->dry_since_ms = 0;
}

/* The partition's end as far as it is known without asking: from fetches, from the start, from what this process
 * appended. */
static int64_t end_known(const struct kafka_reader *reader, int32_t partition)
{
    const struct kafka_log *log = reader->owner.log;
    int64_t first = 0, end = 0;
    if (rd_kafka_get_watermark_offsets(reader->client, topic_name(reader->options.topic), partition, &first, &end) !=
        RD_KAFKA_RESP_ERR_NO_ERROR)
        end = 0;
    int64_t own = atomic_load(&log->own_end[reader->options.topic][partition]);
    end = end > own ? end : own;
    return end > reader->parts[partition].end_seen ? end : reader->parts[partition].end_seen;
}

/* Of partitions that are given and not begun: everything in them. */
static int64_t lag_before_start(const struct kafka_reader *reader)
{
    struct error unused;
    struct kafka_bound *bounds = memory_array((size_t)reader->count, sizeof *bounds);
    int64_t lag = 0;
    if (kafka_bounds_all(reader->owner.log, reader->options.topic, bounds, &unused) == OK)
        for (int i = 0; i < reader->given->cnt; i++) {
            const struct kafka_bound *bound = &bounds[reader->given->elems[i].partition];
            lag += bound->end - bound->first;
        }
    free(bounds);
    return lag;
}

int64_t kafka_reader_lag(struct log_reader *base)
{
    struct kafka_reader *reader = kafka_reader_of(base);
    int64_t lag = reader->given == NULL ? 0 : lag_before_start(reader);
    for (int32_t p = 0; p < reader->count; p++) {
        int64_t behind = end_known(reader, p) - reader->parts[p].position;
        lag += reader->parts[p].assigned && behind > 0 ? behind : 0;
    }
    return lag;
}
