/* The embedded log's reader: all partitions of a topic, in the order of its stream. */
#include "broker/log/embedded.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/segment_cursor.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { AHEAD_BYTES = 1024 * 1024, MOST_ROWS = 4096 };

struct embedded_reader {
    struct log_reader base;
    struct embedded_log *log;
    struct embedded_line *line;
    struct log_reader_options options;
    char *group;
    struct embedded_waker waker;
    bool started;
    int32_t partitions;
    int64_t *starts;    /* of each partition: what is before it is skipped */
    int64_t last_start; /* the largest of them: from here on nothing is skipped */
    int64_t position, ordinal;
    struct segment_cursor cursor; /* of an append-only topic */
    struct compacted_view *view;  /* of a compacted one */
    struct compacted_row *rows;
    struct log_record *records;
    size_t capacity;
};

static struct embedded_reader *of(struct log_reader *reader)
{
    return (struct embedded_reader *)reader;
}

enum result embedded_reader_open(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                                 struct error *err)
{
    struct embedded_line *line = &embedded_of(log)->lines[options->topic];
    struct compacted_view *view = NULL;
    if (topic_is_compacted(options->topic)) {
        enum result result = embedded_view_open(line, &view, err);
        if (result != OK)
            return result;
    }
    int event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* readable from the start: there may be something */
    if (event < 0) {
        compacted_view_close(view);
        return error_set(err, AGAIN, "no eventfd for the log: %s", strerror(errno));
    }
    struct embedded_reader *reader = memory_take(sizeof *reader);
    reader->base.operations = log->operations;
    reader->log = embedded_of(log);
    reader->line = line;
    reader->options = *options;
    reader->group = options->group == NULL ? NULL : memory_text(view_of_text(options->group));
    reader->partitions = log_partitions(log, options->topic);
    reader->starts = memory_array((size_t)reader->partitions, sizeof *reader->starts);
    reader->view = view;
    segment_cursor_start(&reader->cursor, line->stream, AHEAD_BYTES);
    reader->waker.group = reader->group;
    reader->waker.event = event;
    embedded_line_add_waker(line, &reader->waker);
    *ret = &reader->base;
    return OK;
}

void embedded_reader_close(struct log_reader *base)
{
    struct embedded_reader *reader = of(base);
    embedded_line_remove_waker(reader->line, &reader->waker);
    segment_cursor_stop(&reader->cursor);
    compacted_view_close(reader->view);
    (void)close(reader->waker.event);
    free(reader->group);
    free(reader->starts);
    free(reader->rows);
    free(reader->records);
    free(reader);
}

int embedded_reader_fd(const struct log_reader *reader)
{
    return ((const struct embedded_reader *)reader)->waker.event;
}

static enum result damaged(const struct embedded_reader *reader, struct error *err)
{
    return error_set(err, FATAL, "%s is damaged at position %lld: restore it from a copy",
                     topic_name(reader->line->topic), (long long)reader->position);
}

/* Asks where a partition begins. */
static enum result partition_start(struct embedded_reader *reader, int32_t partition, int64_t end, struct error *err)
{
    int64_t committed = -1;
    const char *topic = topic_name(reader->line->topic);
    if (reader->group != NULL) {
        enum result result =
            embedded_groups_find(reader->log->groups, reader->group, reader->line->topic, partition, &committed, err);
        if (result != OK)
            return result;
    }
    int64_t start = reader->options.start(reader->options.context, partition, committed);
    if (start == LOG_NOT_MINE)
        return error_set(err, FATAL, "%s partition %d: the reader cannot say where to start", topic, (int)partition);
    if (start == LOG_START)
        start = embedded_line_first(reader->line);
    if (start == LOG_END)
        start = end;
    if (start < embedded_line_first(reader->line) || start > end)
        return error_set(err, FATAL,
                         "%s partition %d: position %lld is not in the log, which has %lld to %lld: was it restored or "
                         "truncated?",
                         topic, (int)partition, (long long)start, (long long)embedded_line_first(reader->line),
                         (long long)end);
    reader->starts[partition] = start;
    return OK;
}

/* Moves on to where the next frame begins, and learns its ordinal. A position is mostly one past an offset. */
static enum result position_settle(struct embedded_reader *reader, int64_t end, struct error *err)
{
    struct segment_frame frame;
    int64_t from = reader->position;
    enum result result = NOTHING;
    if (reader->view != NULL) {
        reader->ordinal = from;
        return OK;
    }
    if (from < end)
        result = segment_cursor_look(&reader->cursor, from, end, true, &frame, err);
    if (result == REJECTED || (result == NOTHING && from < end && from == embedded_line_first(reader->line)))
        return damaged(reader, err);
    if (result == NOTHING && from > embedded_line_first(reader->line)) {
        result = segment_cursor_look(&reader->cursor, from - 1, end, true, &frame, err);
        if (result == OK) {
            reader->position = frame.address + (int64_t)frame.size;
            reader->ordinal = frame.ordinal + 1;
            return OK;
        }
    }
    if (result == NOTHING || result == REJECTED)
        result = segment_cursor_seek(&reader->cursor, from, end, &frame, err);
    if (result == FATAL)
        return result;
    reader->position = result == OK ? frame.address : end;
    reader->ordinal = result == OK ? frame.ordinal : embedded_line_ordinal(reader->line);
    return OK;
}

static enum result start(struct embedded_reader *reader, struct error *err)
{
    int64_t end = embedded_line_end(reader->line);
    reader->position = INT64_MAX;
    reader->last_start = 0;
    for (int32_t i = 0; i < reader->partitions; i++) {
        enum result result = partition_start(reader, i, end, err);
        if (result != OK)
            return result;
        if (reader->starts[i] < reader->position)
            reader->position = reader->starts[i];
        if (reader->starts[i] > reader->last_start)
            reader->last_start = reader->starts[i];
    }
    enum result result = position_settle(reader, end, err);
    reader->started = result == OK;
    return result;
}

static void records_reserve(struct embedded_reader *reader, size_t most)
{
    if (reader->capacity >= most)
        return;
    reader->capacity = most;
    reader->records = memory_grow(reader->records, most * sizeof *reader->records);
    if (reader->view != NULL)
        reader->rows = memory_grow(reader->rows, most * sizeof *reader->rows);
}

static enum result read_stream(struct embedded_reader *reader, size_t most, size_t *ret_count, struct error *err)
{
    int64_t end = embedded_line_end(reader->line);
    size_t count = 0;
    while (count < most && reader->position < end) {
        struct segment_frame frame;
        enum result result = segment_cursor_look(&reader->cursor, reader->position, end, count == 0, &frame, err);
        if (result != OK && count > 0)
            break; /* hand over what was found first; its bytes lie in the window */
        if (result == FATAL)
            return result;
        if (result != OK || frame.partition >= reader->partitions)
            return damaged(reader, err);
        reader->position = frame.address + (int64_t)frame.size;
        reader->ordinal = frame.ordinal + 1;
        if (frame.address < reader->last_start && frame.address < reader->starts[frame.partition])
            continue;
        reader->records[count++] = (struct log_record){.topic = reader->line->topic,
                                                       .partition = frame.partition,
                                                       .offset = frame.address,
                                                       .ordinal = frame.ordinal,
                                                       .timestamp_ms = frame.timestamp_ms,
                                                       .key = frame.key,
                                                       .value = frame.value};
    }
    *ret_count = count;
    return OK;
}

static enum result read_table(struct embedded_reader *reader, size_t most, size_t *ret_count, struct error *err)
{
    size_t count = 0;
    int64_t end = embedded_line_end(reader->line);
    if (!reader->log->read_only && reader->position >= end) {
        *ret_count = 0;
        return OK;
    }
    enum result result = compacted_view_read(reader->view, reader->position, most, reader->rows, &count, err);
    if (result != OK)
        return result;
    for (size_t i = 0; i < count; i++) {
        const struct compacted_row *row = &reader->rows[i];
        reader->records[i] = (struct log_record){.topic = reader->line->topic,
                                                 .offset = row->offset,
                                                 .ordinal = row->offset,
                                                 .timestamp_ms = row->timestamp_ms,
                                                 .key = row->key,
                                                 .value = row->value};
        reader->position = reader->ordinal = row->offset + 1;
    }
    *ret_count = count;
    return OK;
}

/* What there is now. */
static enum result read_now(struct embedded_reader *reader, size_t most, size_t *ret_count, struct error *err)
{
    *ret_count = 0;
    if (!reader->started) {
        if (!embedded_line_is_first(reader->line, &reader->waker))
            return OK;
        enum result result = start(reader, err);
        if (result != OK)
            return result;
    }
    return reader->view != NULL ? read_table(reader, most, ret_count, err) : read_stream(reader, most, ret_count, err);
}

/* Nothing was found: sleep until a commit says otherwise. Armed first, looked again after, so that none is missed. */
static enum result read_armed(struct embedded_reader *reader, size_t most, size_t *ret_count, struct error *err)
{
    uint64_t count, one = 1;
    (void)!read(reader->waker.event, &count, sizeof count);
    atomic_store(&reader->waker.armed, true);
    enum result result = read_now(reader, most, ret_count, err);
    if ((result != OK || *ret_count > 0) && atomic_exchange(&reader->waker.armed, false))
        (void)!write(reader->waker.event, &one, sizeof one);
    return result;
}

enum result embedded_read(struct log_reader *base, size_t most, int timeout_ms, const struct log_record **ret,
                          size_t *ret_count, struct error *err)
{
    struct embedded_reader *reader = of(base);
    int64_t deadline = timeout_ms > 0 ? time_monotonic_ms() + timeout_ms : 0;
    size_t count = 0;
    if (most == 0)
        return NOTHING;
    if (most > MOST_ROWS)
        most = MOST_ROWS;
    records_reserve(reader, most);
    enum result result = read_now(reader, most, &count, err);
    while (result == OK && count == 0) {
        struct pollfd event = {.fd = reader->waker.event, .events = POLLIN};
        result = read_armed(reader, most, &count, err);
        if (result != OK || count > 0 || timeout_ms <= 0)
            break;
        (void)poll(&event, 1, timeout_ms);
        timeout_ms = (int)(deadline - time_monotonic_ms());
        result = read_now(reader, most, &count, err);
    }
    if (result != OK)
        return result;
    if (count == 0)
        return NOTHING;
    *ret = reader->records;
    *ret_count = count;
    return OK;
}

enum result embedded_reader_commit(struct log_reader *base, int32_t partition, int64_t next_offset, struct error *err)
{
    struct embedded_reader *reader = of(base);
    if (reader->group == NULL)
        return error_set(err, REJECTED, "a reader without a group has nothing to commit");
    if (partition < 0 || partition >= reader->partitions)
        return error_set(err, REJECTED, "%s has no partition %d", topic_name(reader->line->topic), (int)partition);
    return embedded_groups_put(reader->log->groups, reader->group, reader->line->topic, partition, next_offset, err);
}

int64_t embedded_reader_lag(struct log_reader *base)
{
    struct embedded_reader *reader = of(base);
    int64_t read = reader->ordinal;
    if (!reader->started)
        read = reader->line->stream == NULL ? 0 : segment_stream_first_ordinal(reader->line->stream);
    int64_t lag = embedded_line_ordinal(reader->line) - read;
    return lag > 0 ? lag : 0;
}
