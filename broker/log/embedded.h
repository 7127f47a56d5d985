/* The embedded log from inside: what its appender, reader and fetcher share. */
#pragma once

#include "broker/log/embedded_groups.h"
#include "broker/log/embedded_line.h"
#include "broker/log/implementation.h"

struct embedded_log {
    struct log base;
    bool read_only, is_new;
    int32_t partitions;
    char identity[33];
    int lock; /* an open file, locked while this process owns the log; -1: read_only */
    char *folder;
    struct embedded_line lines[TOPIC_COUNT];
    struct embedded_groups *groups;
};

static inline struct embedded_log *embedded_of(struct log *log)
{
    return (struct embedded_log *)log;
}

/* Opens the table of a compacted line for reading. */
enum result embedded_view_open(const struct embedded_line *line, struct compacted_view **ret, struct error *err);

enum result embedded_appender_open(struct log *log, struct log_appender **ret, struct error *err);
void embedded_appender_close(struct log_appender *appender);
enum result embedded_append(struct log_appender *appender, const struct log_entry *entries, size_t count,
                            uint64_t token, struct error *err);
enum result embedded_collect(struct log_appender *appender, int timeout_ms, struct log_answer *ret);
int embedded_appender_fd(const struct log_appender *appender);

enum result embedded_reader_open(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                                 struct error *err);
void embedded_reader_close(struct log_reader *reader);
enum result embedded_read(struct log_reader *reader, size_t most, int timeout_ms, const struct log_record **ret,
                          size_t *ret_count, struct error *err);
int embedded_reader_fd(const struct log_reader *reader);
enum result embedded_reader_commit(struct log_reader *reader, int32_t partition, int64_t next_offset,
                                   struct error *err);
int64_t embedded_reader_lag(struct log_reader *reader);

enum result embedded_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err);
void embedded_fetcher_close(struct log_fetcher *fetcher);
enum result embedded_fetch(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                           struct log_record *ret, struct error *err);
enum result embedded_bounds(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                            int64_t *ret_end, struct error *err);
enum result embedded_find(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                          struct error *err);
enum result embedded_find_prefix(struct log_fetcher *fetcher, enum topic topic, struct view prefix,
                                 struct buffer *ret_key, struct buffer *ret_value, struct error *err);
