/* The log as its users see it: checks, and the way to the implementation. */
#include "broker/log/implementation.h"

#include "broker/base/buffer.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <poll.h>

static const char *const topic_names[TOPIC_COUNT] = {
    [TOPIC_EVENTS] = "tidings.events",         [TOPIC_ALERTS] = "tidings.alerts",
    [TOPIC_DIRECTORY] = "tidings.directory",   [TOPIC_KEYS] = "tidings.keys",
    [TOPIC_QUARANTINE] = "tidings.quarantine", [TOPIC_AUDIT] = "tidings.audit",
};

const char *topic_name(enum topic topic)
{
    return topic_names[topic < TOPIC_COUNT ? topic : TOPIC_AUDIT];
}

bool topic_is_compacted(enum topic topic)
{
    return topic == TOPIC_DIRECTORY || topic == TOPIC_KEYS;
}

enum result log_open(const struct log_options *options, struct log **ret, struct error *err)
{
    if (strcmp(options->where, "embedded") == 0)
        return log_embedded_open(options, ret, err);
    if (strncmp(options->where, "kafka://", 8) == 0)
        return log_kafka_open(options, ret, err);
    return error_set(err, REJECTED, "--log %.60s: neither \"embedded\" nor \"kafka://host:port\"", options->where);
}

/* Java's org.apache.kafka.common.utils.Utils.murmur2, so that every producer's default partitioner agrees. */
static uint32_t murmur2(struct view key)
{
    const uint32_t m = 0x5bd1e995;
    const unsigned char *byte = key.data;
    size_t size = key.size;
    uint32_t hash = 0x9747b28cU ^ (uint32_t)size;
    for (; size >= 4; size -= 4, byte += 4) {
        uint32_t k = (uint32_t)byte[0] | (uint32_t)byte[1] << 8 | (uint32_t)byte[2] << 16 | (uint32_t)byte[3] << 24;
        k *= m;
        k ^= k >> 24;
        k *= m;
        hash = hash * m ^ k;
    }
    if (size >= 3)
        hash ^= (uint32_t)byte[2] << 16;
    if (size >= 2)
        hash ^= (uint32_t)byte[1] << 8;
    if (size >= 1)
        hash = (hash ^ byte[0]) * m;
    hash ^= hash >> 13;
    hash *= m;
    return hash ^ hash >> 15;
}

int32_t log_partition_of(const struct log *log, enum topic topic, struct view key)
{
    return (int32_t)((murmur2(key) & 0x7fffffff) % (uint32_t)log_partitions(log, topic));
}

enum result log_append(struct log_appender *appender, const struct log_entry *entries, size_t count, uint64_t token,
                       struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (entries[i].value.size > LIMIT_RECORD_BYTES || entries[i].key.size > LIMIT_KEY_BYTES)
            return error_set(err, REJECTED, "a record of %zu bytes is larger than the limit of %d",
                             entries[i].value.size, LIMIT_RECORD_BYTES);
    }
    return appender->operations->append(appender, entries, count, token, err);
}

enum result log_append_and_wait(struct log_appender *appender, const struct log_entry *entries, size_t count,
                                int timeout_ms, int64_t *ret_offsets, struct error *err)
{
    /* By time, so that an answer that an earlier call did not wait for is not taken for this one's. */
    const uint64_t token = (uint64_t)time_monotonic_us() | 1ULL << 63;
    enum result result = log_append(appender, entries, count, token, err);
    if (result != OK)
        return result;
    struct log_answer answer;
    int64_t deadline = time_monotonic_ms() + timeout_ms, left = timeout_ms;
    do {
        result = log_collect(appender, left > 0 ? (int)left : 0, &answer);
        left = deadline - time_monotonic_ms();
    } while (result == OK && answer.token != token);
    if (result == NOTHING)
        return error_set(err, UNCERTAIN, "no answer from the log within %d ms", timeout_ms);
    if (result != OK)
        return error_set(err, result, "the log gave no answer");
    if (answer.result != OK)
        return error_set(err, answer.result, "%s", answer.why.text);
    if (ret_offsets != NULL)
        memcpy(ret_offsets, answer.offsets, count * sizeof *ret_offsets);
    return OK;
}

void log_close(struct log *log)
{
    if (log != NULL)
        log->operations->close(log);
}

int32_t log_partitions(const struct log *log, enum topic topic)
{
    return log->operations->partitions(log, topic);
}

const char *log_identity(const struct log *log)
{
    return log->operations->identity(log);
}

bool log_is_new(const struct log *log)
{
    return log->operations->is_new(log);
}

bool log_is_healthy(const struct log *log)
{
    return log->operations->is_healthy(log);
}

int64_t log_cut_bytes(const struct log *log)
{
    return log->operations->cut_bytes == NULL ? 0 : log->operations->cut_bytes(log);
}

enum result log_appender_open(struct log *log, struct log_appender **ret, struct error *err)
{
    return log->operations->appender_open(log, ret, err);
}

void log_appender_close(struct log_appender *appender)
{
    if (appender != NULL)
        appender->operations->appender_close(appender);
}

enum result log_collect(struct log_appender *appender, int timeout_ms, struct log_answer *ret)
{
    return appender->operations->collect(appender, timeout_ms, ret);
}

int log_appender_fd(const struct log_appender *appender)
{
    return appender->operations->appender_fd(appender);
}

enum result log_reader_open(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                            struct error *err)
{
    return log->operations->reader_open(log, options, ret, err);
}

void log_reader_close(struct log_reader *reader)
{
    if (reader != NULL)
        reader->operations->reader_close(reader);
}

enum result log_read(struct log_reader *reader, size_t most, int timeout_ms, const struct log_record **ret,
                     size_t *ret_count, struct error *err)
{
    return reader->operations->read(reader, most, timeout_ms, ret, ret_count, err);
}

enum result log_read_to_end(struct log_reader *reader, int patience_ms,
                            void (*each)(void *context, const struct log_record *record), void *context,
                            struct error *err)
{
    enum { READ_AT_ONCE = 1000, TURN_MS = 50 };
    int64_t give_up_ms = time_monotonic_ms() + patience_ms;
    for (int timeout_ms = 0;; timeout_ms = TURN_MS) {
        const struct log_record *records;
        size_t count;
        enum result result = log_read(reader, READ_AT_ONCE, timeout_ms, &records, &count, err);
        for (size_t i = 0; result == OK && i < count; i++)
            each(context, &records[i]);
        if (result == OK)
            give_up_ms = time_monotonic_ms() + patience_ms;
        else if (result == NOTHING && log_reader_lag(reader) == 0) /* only now is the lag known for certain */
            return OK;
        else if (result != NOTHING && result != AGAIN)
            return result;
        else if (time_monotonic_ms() >= give_up_ms)
            return error_set(err, AGAIN, "the log could not be read to its end within %d ms", patience_ms);
        else if (result == AGAIN)
            (void)poll(NULL, 0, TURN_MS);
    }
}

int log_reader_fd(const struct log_reader *reader)
{
    return reader->operations->reader_fd(reader);
}

enum result log_reader_commit(struct log_reader *reader, int32_t partition, int64_t next_offset, struct error *err)
{
    return reader->operations->reader_commit(reader, partition, next_offset, err);
}

int64_t log_reader_lag(struct log_reader *reader)
{
    return reader->operations->reader_lag(reader);
}

enum result log_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err)
{
    return log->operations->fetcher_open(log, ret, err);
}

void log_fetcher_close(struct log_fetcher *fetcher)
{
    if (fetcher != NULL)
        fetcher->operations->fetcher_close(fetcher);
}

enum result log_fetch(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                      struct log_record *ret, struct error *err)
{
    return fetcher->operations->fetch(fetcher, topic, partition, offset, ret, err);
}

enum result log_bounds(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                       int64_t *ret_end, struct error *err)
{
    return fetcher->operations->bounds(fetcher, topic, partition, ret_first, ret_end, err);
}

enum result log_find(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                     struct error *err)
{
    return fetcher->operations->find(fetcher, topic, key, ret, err);
}

enum result log_find_prefix(struct log_fetcher *fetcher, enum topic topic, struct view prefix, struct buffer *ret_key,
                            struct buffer *ret_value, struct error *err)
{
    return fetcher->operations->find_prefix(fetcher, topic, prefix, ret_key, ret_value, err);
}
