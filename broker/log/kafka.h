/* The log on Apache Kafka, as its own files see each other. Only kafka*.c include it. */
#pragma once

#include "broker/log/implementation.h"

#include <librdkafka/rdkafka.h>

#include <pthread.h>
#include <stdatomic.h>

enum {
    KAFKA_PATIENCE_MS = 5000, /* one question to the cluster: then AGAIN */
    KAFKA_IDENTITY_SIZE = 33, /* 16 bytes as hex and a NUL */
    /* librdkafka's bound on one produce request; below max.message.bytes of the topics, above LIMIT_RECORD_BYTES. */
    KAFKA_MESSAGE_BYTES = 1040000,
};

/* What hides in the log beside records: the log's name, at the start of the topics that are kept for ever, and in the
 * compacted ones. Readers, fetchers and copies pass over it (kafka_identity.c). */
#define KAFKA_MARKER_KEY VIEW("log/identity")
static inline bool kafka_is_marker(struct view key)
{
    return view_is(key, KAFKA_MARKER_KEY);
}

struct kafka_answers; /* kafka_answers.c: the thread that hands delivery reports to their appenders, and health */
struct kafka_copy;    /* kafka_copy.c: the local copy of a compacted topic */

struct kafka_setting {
    const char *name, *value;
};

/* What a client of librdkafka belongs to: its opaque. */
struct kafka_owner {
    struct kafka_log *log;
    /* Consumers of a group: partitions come or go. NULL: not in a group. On the thread that reads. */
    void (*rebalance)(struct kafka_owner *owner, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list);
};

struct kafka_log {
    struct log base;
    struct kafka_owner owner; /* of client */
    char *brokers;            /* host:port[,host:port] */
    char *client_id;
    char *settings; /* more of librdkafka's, "name=value" lines, or NULL */
    char *data_folder;
    bool read_only, is_new;
    bool replicated; /* some partition has more than one replica */
    int32_t partitions[TOPIC_COUNT];
    char identity[KAFKA_IDENTITY_SIZE];
    char marker[KAFKA_IDENTITY_SIZE]; /* what the markers hold: identity before it is bound to the cluster */

    rd_kafka_t *client; /* the one producer of the process; also asks the cluster questions */
    rd_kafka_topic_t *topics[TOPIC_COUNT];
    struct kafka_answers *answers;
    pthread_mutex_t copies_lock;
    struct kafka_copy *copies[TOPIC_COUNT]; /* of compacted topics, once somebody needs them */
    /* One past the last offset that this process appended, by partition: its own writes are found, and count as lag. */
    atomic_int_least64_t *own_end[TOPIC_COUNT];

    pthread_mutex_t trouble_lock;
    rd_kafka_resp_err_t trouble; /* the last connection error that librdkafka told, and its words */
    char trouble_text[160];
};

static inline struct kafka_log *kafka_log_of(const struct log *log)
{
    return (struct kafka_log *)(uintptr_t)log;
}

/* ---- kafka_settings.c: clients, their settings, and what their errors mean ---- */

/* A client with the common settings, more (ends with a NULL name) and the operator's. owner lives longer than it.
 * REJECTED: a setting of the operator's is unknown, or not to be changed. */
enum result kafka_client_open(struct kafka_owner *owner, rd_kafka_type_t type, const struct kafka_setting *more,
                              rd_kafka_t **ret, struct error *err);
/* What an error of librdkafka's or a broker's means for the caller. */
enum result kafka_result(rd_kafka_resp_err_t code);
/* Writes the sentence, with what is known of the connection's trouble, and returns kafka_result(code). */
enum result kafka_error(struct kafka_log *log, rd_kafka_resp_err_t code, const char *what, struct error *err);

/* ---- kafka_topics.c ---- */

/* Makes missing topics (not read_only), checks all, fills log->partitions and log->topics. */
enum result kafka_topics_open(struct kafka_log *log, const struct log_options *options, struct error *err);

/* ---- kafka_identity.c ---- */

/* Reads the log's name, or gives it one (not read_only); fills identity, marker, is_new. */
enum result kafka_identity_open(struct kafka_log *log, struct error *err);

/* ---- kafka_answers.c ---- */

void kafka_answers_open(struct kafka_log *log); /* starts the threads */
void kafka_answers_close(struct kafka_log *log);
void kafka_answers_destroy(struct kafka_log *log); /* after the client: it may still have doubts */
bool kafka_answers_healthy(const struct kafka_log *log);
bool kafka_answers_reachable(const struct kafka_log *log); /* the cluster answered when it was asked last */
/* AGAIN when it did not: so that nobody waits for what will not come. */
enum result kafka_answers_check(struct kafka_log *log, struct error *err);
void kafka_answers_doubt(
    struct kafka_log *log); /* a client found no broker up: not healthy until the cluster answers */
/* Room for a call's records among those that are not answered yet. False: full. */
bool kafka_answers_reserve(struct kafka_log *log, size_t count, size_t bytes);
void kafka_answers_release(struct kafka_log *log, size_t count, size_t bytes, bool durable);

/* ---- kafka_appender.c ---- */

enum result kafka_appender_open(struct log *log, struct log_appender **ret, struct error *err);
void kafka_appender_close(struct log_appender *appender);
enum result kafka_append(struct log_appender *appender, const struct log_entry *entries, size_t count, uint64_t token,
                         struct error *err);
enum result kafka_collect(struct log_appender *appender, int timeout_ms, struct log_answer *ret);
int kafka_appender_fd(const struct log_appender *appender);
/* A delivery report, on the answers' thread. */
void kafka_appender_report(rd_kafka_t *client, const rd_kafka_message_t *message, void *opaque);

/* ---- kafka_reader.c, kafka_lag.c ---- */

enum result kafka_reader_open(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                              struct error *err);
void kafka_reader_close(struct log_reader *reader);
enum result kafka_read(struct log_reader *reader, size_t most, int timeout_ms, const struct log_record **ret,
                       size_t *ret_count, struct error *err);
int kafka_reader_fd(const struct log_reader *reader);
enum result kafka_reader_commit(struct log_reader *reader, int32_t partition, int64_t next_offset, struct error *err);
int64_t kafka_reader_lag(struct log_reader *reader);

/* ---- kafka_fetcher.c ---- */

enum result kafka_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err);
void kafka_fetcher_close(struct log_fetcher *fetcher);
enum result kafka_fetch(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                        struct log_record *ret, struct error *err);
enum result kafka_bounds(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                         int64_t *ret_end, struct error *err);
enum result kafka_find(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                       struct error *err);
enum result kafka_find_prefix(struct log_fetcher *fetcher, enum topic topic, struct view prefix, struct buffer *ret_key,
                              struct buffer *ret_value, struct error *err);

/* ---- kafka_bounds.c ---- */

struct kafka_bound {
    int64_t low;   /* where a reader may start */
    int64_t first; /* the first record that is somebody's: behind the marker */
    int64_t end;
};
/* The bounds of every partition of a topic, in two questions; bounds has log->partitions[topic] places. */
enum result kafka_bounds_all(struct kafka_log *log, enum topic topic, struct kafka_bound *bounds, struct error *err);
enum result kafka_bound_one(struct kafka_log *log, enum topic topic, int32_t partition, struct kafka_bound *ret,
                            struct error *err);

/* A record as a message holds it; its views live as long as the message. */
struct log_record kafka_record(enum topic topic, const rd_kafka_message_t *message);

/* ---- kafka_copy.c ---- */

/* The copy of this topic, opened when it is not yet. */
enum result kafka_copy_find(struct kafka_log *log, enum topic topic, struct kafka_copy **ret, struct error *err);
void kafka_copy_close(struct kafka_copy *copy);
/* What is in the copy, for one thread (compacted.h); closed before the log. */
struct compacted_view;
enum result kafka_copy_view(struct kafka_copy *copy, struct compacted_view **ret, struct error *err);
/* Waits until the copy holds everything before end. AGAIN: it does not yet. FATAL: it cannot, for a person. */
enum result kafka_copy_reach(struct kafka_copy *copy, int64_t end, struct error *err);
