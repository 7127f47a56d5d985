/* The faulty log: the test double, shipped and named. Reads and everything else go to the inner log. */
#include "broker/log/faulty.h"

#include "broker/base/memory.h"

#include <stdlib.h>

struct faulty_reader {
    struct log_reader base;
    struct faulty_script *script;
    enum topic topic;
    struct log_reader *inner;
};

struct faulty_fetcher {
    struct log_fetcher base;
    struct log_fetcher *inner;
};

static const struct log *inner_of(const struct log *log)
{
    return ((const struct faulty_log *)log)->inner;
}

static void faulty_close(struct log *log)
{
    log_close(faulty_of(log)->inner);
    faulty_script_close(faulty_of(log)->script);
    free(log);
}

static int32_t faulty_partitions(const struct log *log, enum topic topic)
{
    return log_partitions(inner_of(log), topic);
}

static const char *faulty_identity(const struct log *log)
{
    return log_identity(inner_of(log));
}

static bool faulty_is_new(const struct log *log)
{
    return log_is_new(inner_of(log));
}

static bool faulty_is_healthy(const struct log *log)
{
    return log_is_healthy(inner_of(log));
}

static int64_t faulty_cut_bytes(const struct log *log)
{
    return log_cut_bytes(inner_of(log));
}

static struct faulty_reader *reader_of(struct log_reader *reader)
{
    return (struct faulty_reader *)reader;
}

static enum result faulty_reader_open(struct log *log, const struct log_reader_options *options,
                                      struct log_reader **ret, struct error *err)
{
    struct log_reader *inner;
    enum result result = log_reader_open(faulty_of(log)->inner, options, &inner, err);
    if (result != OK)
        return result;
    struct faulty_reader *reader = memory_take(sizeof *reader);
    reader->base.operations = log->operations;
    reader->script = faulty_of(log)->script;
    reader->topic = options->topic;
    reader->inner = inner;
    *ret = &reader->base;
    return OK;
}

static void faulty_reader_close(struct log_reader *reader)
{
    log_reader_close(reader_of(reader)->inner);
    free(reader);
}

static enum result faulty_read(struct log_reader *base, size_t most, int timeout_ms, const struct log_record **ret,
                               size_t *ret_count, struct error *err)
{
    struct faulty_reader *reader = reader_of(base);
    if (faulty_script_read(reader->script, reader->topic))
        return error_set(err, AGAIN, "the script lets this read fail");
    return log_read(reader->inner, most, timeout_ms, ret, ret_count, err);
}

static int faulty_reader_fd(const struct log_reader *reader)
{
    return log_reader_fd(((const struct faulty_reader *)reader)->inner);
}

static enum result faulty_reader_commit(struct log_reader *reader, int32_t partition, int64_t next_offset,
                                        struct error *err)
{
    return log_reader_commit(reader_of(reader)->inner, partition, next_offset, err);
}

static int64_t faulty_reader_lag(struct log_reader *reader)
{
    return log_reader_lag(reader_of(reader)->inner);
}

static struct log_fetcher *inner_fetcher(struct log_fetcher *fetcher)
{
    return ((struct faulty_fetcher *)fetcher)->inner;
}

static enum result faulty_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err)
{
    struct log_fetcher *inner;
    enum result result = log_fetcher_open(faulty_of(log)->inner, &inner, err);
    if (result != OK)
        return result;
    struct faulty_fetcher *fetcher = memory_take(sizeof *fetcher);
    fetcher->base.operations = log->operations;
    fetcher->inner = inner;
    *ret = &fetcher->base;
    return OK;
}

static void faulty_fetcher_close(struct log_fetcher *fetcher)
{
    log_fetcher_close(inner_fetcher(fetcher));
    free(fetcher);
}

static enum result faulty_fetch(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                                struct log_record *ret, struct error *err)
{
    return log_fetch(inner_fetcher(fetcher), topic, partition, offset, ret, err);
}

static enum result faulty_bounds(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                                 int64_t *ret_end, struct error *err)
{
    return log_bounds(inner_fetcher(fetcher), topic, partition, ret_first, ret_end, err);
}

static enum result faulty_find(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                               struct error *err)
{
    return log_find(inner_fetcher(fetcher), topic, key, ret, err);
}

static enum result faulty_find_prefix(struct log_fetcher *fetcher, enum topic topic, struct view prefix,
                                      struct buffer *ret_key, struct buffer *ret_value, struct error *err)
{
    return log_find_prefix(inner_fetcher(fetcher), topic, prefix, ret_key, ret_value, err);
}

static const struct log_operations operations = {
    .close = faulty_close,
    .partitions = faulty_partitions,
    .identity = faulty_identity,
    .is_new = faulty_is_new,
    .is_healthy = faulty_is_healthy,
    .cut_bytes = faulty_cut_bytes,
    .appender_open = faulty_appender_open,
    .appender_close = faulty_appender_close,
    .append = faulty_append,
    .collect = faulty_collect,
    .appender_fd = faulty_appender_fd,
    .reader_open = faulty_reader_open,
    .reader_close = faulty_reader_close,
    .read = faulty_read,
    .reader_fd = faulty_reader_fd,
    .reader_commit = faulty_reader_commit,
    .reader_lag = faulty_reader_lag,
    .fetcher_open = faulty_fetcher_open,
    .fetcher_close = faulty_fetcher_close,
    .fetch = faulty_fetch,
    .bounds = faulty_bounds,
    .find = faulty_find,
    .find_prefix = faulty_find_prefix,
};

enum result log_faulty_open(struct log *inner, const char *script, struct log **ret, struct error *err)
{
    struct faulty_log *log = memory_take(sizeof *log);
    enum result result = faulty_script_open(script, &log->script, err);
    if (result != OK) {
        free(log);
        return result;
    }
    log->base.operations = &operations;
    log->inner = inner;
    *ret = &log->base;
    return OK;
}
