/* What an implementation of the log provides; only files of this room include it. The promises are log.h's. */
#pragma once

#include "broker/log/log.h"

struct log_operations {
    void (*close)(struct log *log);
    int32_t (*partitions)(const struct log *log, enum topic topic);
    const char *(*identity)(const struct log *log);
    bool (*is_new)(const struct log *log);
    bool (*is_healthy)(const struct log *log);
    int64_t (*cut_bytes)(const struct log *log); /* NULL: never cuts anything */

    enum result (*appender_open)(struct log *log, struct log_appender **ret, struct error *err);
    void (*appender_close)(struct log_appender *appender);
    enum result (*append)(struct log_appender *appender, const struct log_entry *entries, size_t count, uint64_t token,
                          struct error *err);
    enum result (*collect)(struct log_appender *appender, int timeout_ms, struct log_answer *ret);
    int (*appender_fd)(const struct log_appender *appender);

    enum result (*reader_open)(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                               struct error *err);
    void (*reader_close)(struct log_reader *reader);
    enum result (*read)(struct log_reader *reader, size_t most, int timeout_ms, const struct log_record **ret,
                        size_t *ret_count, struct error *err);
    int (*reader_fd)(const struct log_reader *reader);
    enum result (*reader_commit)(struct log_reader *reader, int32_t partition, int64_t next_offset, struct error *err);
    int64_t (*reader_lag)(struct log_reader *reader);

    enum result (*fetcher_open)(struct log *log, struct log_fetcher **ret, struct error *err);
    void (*fetcher_close)(struct log_fetcher *fetcher);
    enum result (*fetch)(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                         struct log_record *ret, struct error *err);
    enum result (*bounds)(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                          int64_t *ret_end, struct error *err);
    enum result (*find)(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                        struct error *err);
    enum result (*find_prefix)(struct log_fetcher *fetcher, enum topic topic, struct view prefix,
                               struct buffer *ret_key, struct buffer *ret_value, struct error *err);
};

/* Each implementation's struct begins with the one of these that it stands for. */
struct log {
    const struct log_operations *operations;
};
struct log_appender {
    const struct log_operations *operations;
};
struct log_reader {
    const struct log_operations *operations;
};
struct log_fetcher {
    const struct log_operations *operations;
};

enum result log_embedded_open(const struct log_options *options, struct log **ret, struct error *err);
enum result log_kafka_open(const struct log_options *options, struct log **ret, struct error *err);
