/* The embedded log's fetcher: one record by its position, one value by its key. */
#include "broker/log/embedded.h"

#include "broker/base/memory.h"
#include "broker/log/segment_cursor.h"

#include <stdlib.h>

enum { AHEAD_BYTES = 4096 }; /* most records are smaller */

struct embedded_fetcher {
    struct log_fetcher base;
    struct embedded_log *log;
    struct segment_cursor cursors[TOPIC_COUNT]; /* of append-only topics */
    struct compacted_view *views[TOPIC_COUNT];  /* of compacted ones, opened when needed */
};

static struct embedded_fetcher *of(struct log_fetcher *fetcher)
{
    return (struct embedded_fetcher *)fetcher;
}

enum result embedded_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err)
{
    (void)err;
    struct embedded_fetcher *fetcher = memory_take(sizeof *fetcher);
    fetcher->base.operations = log->operations;
    fetcher->log = embedded_of(log);
    for (int i = 0; i < TOPIC_COUNT; i++)
        segment_cursor_start(&fetcher->cursors[i], fetcher->log->lines[i].stream, AHEAD_BYTES);
    *ret = &fetcher->base;
    return OK;
}

void embedded_fetcher_close(struct log_fetcher *base)
{
    struct embedded_fetcher *fetcher = of(base);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        segment_cursor_stop(&fetcher->cursors[i]);
        compacted_view_close(fetcher->views[i]);
    }
    free(fetcher);
}

static enum result view_of(struct embedded_fetcher *fetcher, enum topic topic, struct compacted_view **ret,
                           struct error *err)
{
    if (!topic_is_compacted(topic))
        return error_set(err, REJECTED, "%s keeps no values under keys", topic_name(topic));
    if (fetcher->views[topic] == NULL) {
        enum result result = embedded_view_open(&fetcher->log->lines[topic], &fetcher->views[topic], err);
        if (result != OK)
            return result;
    }
    *ret = fetcher->views[topic];
    return OK;
}

static enum result fetch_row(struct embedded_fetcher *fetcher, enum topic topic, int64_t offset, struct log_record *ret,
                             struct error *err)
{
    struct compacted_view *view = NULL;
    struct compacted_row row;
    size_t count = 0;
    enum result result = view_of(fetcher, topic, &view, err);
    if (result == OK)
        result = compacted_view_read(view, offset, 1, &row, &count, err);
    if (result != OK)
        return result;
    if (count == 0 || row.offset != offset)
        return NOTHING;
    *ret = (struct log_record){.topic = topic,
                               .offset = offset,
                               .ordinal = offset,
                               .timestamp_ms = row.timestamp_ms,
                               .key = row.key,
                               .value = row.value};
    return OK;
}

enum result embedded_fetch(struct log_fetcher *base, enum topic topic, int32_t partition, int64_t offset,
                           struct log_record *ret, struct error *err)
{
    struct embedded_fetcher *fetcher = of(base);
    const struct embedded_line *line = &fetcher->log->lines[topic];
    struct segment_frame frame;
    if (offset < embedded_line_first(line) || partition < 0 || partition >= log_partitions(&fetcher->log->base, topic))
        return NOTHING;
    if (topic_is_compacted(topic))
        return fetch_row(fetcher, topic, offset, ret, err);
    int64_t end = embedded_line_end(line);
    if (offset >= end)
        return NOTHING;
    enum result result = segment_cursor_look(&fetcher->cursors[topic], offset, end, true, &frame, err);
    if (result == REJECTED)
        return error_set(err, FATAL, "%s is damaged at position %lld: restore it from a copy", topic_name(topic),
                         (long long)offset);
    if (result != OK)
        return result;
    if (frame.partition != partition)
        return NOTHING;
    *ret = (struct log_record){.topic = topic,
                               .partition = partition,
                               .offset = frame.address,
                               .ordinal = frame.ordinal,
                               .timestamp_ms = frame.timestamp_ms,
                               .key = frame.key,
                               .value = frame.value};
    return OK;
}

enum result embedded_bounds(struct log_fetcher *base, enum topic topic, int32_t partition, int64_t *ret_first,
                            int64_t *ret_end, struct error *err)
{
    struct embedded_fetcher *fetcher = of(base);
    const struct embedded_line *line = &fetcher->log->lines[topic];
    if (partition < 0 || partition >= log_partitions(&fetcher->log->base, topic))
        return error_set(err, REJECTED, "%s has no partition %d", topic_name(topic), (int)partition);
    if (topic_is_compacted(topic)) {
        struct compacted_view *view = NULL;
        enum result result = view_of(fetcher, topic, &view, err);
        return result == OK ? compacted_view_bounds(view, ret_first, ret_end, err) : result;
    }
    int64_t first = embedded_line_first(line), end = segment_stream_partition_end(line->stream, partition);
    *ret_first = first;
    *ret_end = end > first ? end : first;
    return OK;
}

enum result embedded_find(struct log_fetcher *base, enum topic topic, struct view key, struct buffer *ret,
                          struct error *err)
{
    struct compacted_view *view = NULL;
    enum result result = view_of(of(base), topic, &view, err);
    return result == OK ? compacted_view_find(view, key, ret, err) : result;
}

enum result embedded_find_prefix(struct log_fetcher *base, enum topic topic, struct view prefix, struct buffer *ret_key,
                                 struct buffer *ret_value, struct error *err)
{
    struct compacted_view *view = NULL;
    enum result result = view_of(of(base), topic, &view, err);
    return result == OK ? compacted_view_find_prefix(view, prefix, ret_key, ret_value, err) : result;
}
