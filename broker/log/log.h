/*
 * The log: the append-only, partitioned sequence of records that is the truth. The one seam of the system.
 *
 * Three implementations, one contract (tests/contract): embedded (one owning process, durable), Kafka (librdkafka),
 * faulty (wraps either and misbehaves by a script).
 *
 * Promises:
 *  - an append is answered OK only when it is durable (embedded: fdatasync; Kafka: acks=all, idempotent);
 *  - records of one appender to one partition stand in the order of its calls. After an append of it fails, the ones
 *    that it queued behind it are not appended either; all are answered AGAIN or UNCERTAIN;
 *  - offsets of a partition grow, and may have gaps; an offset never means another record;
 *  - a reader sees a record only when it is durable, and misses none;
 *  - a position beyond the end, or before the beginning, is an error for a person (FATAL), never a jump.
 *
 * Threads: `struct log` is shared; an appender or reader belongs to the thread that opened it.
 */
#pragma once

#include "broker/base/result.h"
#include "broker/base/view.h"
#include "broker/event/care_event.h"

enum topic { TOPIC_EVENTS, TOPIC_ALERTS, TOPIC_DIRECTORY, TOPIC_KEYS, TOPIC_QUARANTINE, TOPIC_AUDIT, TOPIC_COUNT };
const char *topic_name(enum topic topic); /* "tidings.events" */
/* Compacted: only the latest value under a key must be kept, and log_find works. Directory and keys. */
bool topic_is_compacted(enum topic topic);

struct log;

/* A header of Kafka's, a courtesy for other people's tools, never trusted; the embedded log drops them. */
struct log_header {
    const char *name;
    struct view value;
};

struct log_entry {
    enum topic topic;
    int32_t partition; /* log_partition_of(log, topic, key), or chosen (ticks, rules) */
    struct view key;
    struct view value; /* NULL data: a tombstone (compacted topics only) */
    const struct log_header *headers;
    size_t header_count;
};

struct log_record {
    enum topic topic;
    int32_t partition;
    int64_t offset;
    int64_t ordinal;      /* counts records of the topic (embedded) or partition (Kafka): for lag */
    int64_t timestamp_ms; /* when it was appended */
    struct view key, value;
};

/* ---- opening ---- */

struct log_options {
    const char *where;       /* "embedded", or "kafka://host:port[,host:port]" */
    const char *data_folder; /* the embedded log's files; Kafka's local copies of compacted topics */
    int32_t partitions; /* of events and alerts, when they are made; 0: 48. Otherwise checked: a mismatch is REJECTED */
    int32_t replication;   /* Kafka: when topics are made; 0: 1 */
    bool read_only;        /* no appends, no ownership: also beside a running owner (verify, clients) */
    const char *client_id; /* Kafka: the static member's name; unique and stable for a machine */
    const char
        *settings; /* "name=value" lines; NULL: none. Kafka: more of librdkafka's (TLS ...). Embedded: segment.bytes */
};

/* Makes what is missing, checks what is there. AGAIN: not reachable now. REJECTED: a setting does not fit; the reason
 * says what to do. A second owner of an embedded log: REJECTED. */
enum result log_open(const struct log_options *options, struct log **ret, struct error *err);
void log_close(struct log *log);

int32_t log_partitions(const struct log *log, enum topic topic);
/* Murmur2 as Java's default partitioner does it, so that foreign producers agree. */
int32_t log_partition_of(const struct log *log, enum topic topic, struct view key);
/* Names this log for ever: a store that was made from another log is noticed. 16 bytes as hex. */
const char *log_identity(const struct log *log);
/* True when this open made the log's topics: the caller then appends `rules` to each partition. */
bool log_is_new(const struct log *log);
/* Would an append be durable now? For /health/ready. Fast, from what was seen last. */
bool log_is_healthy(const struct log *log);
/* How many bytes of a torn last commit, which was never answered, this open cut off (embedded). Worth a note. */
int64_t log_cut_bytes(const struct log *log);

/* ---- appending ---- */

struct log_appender;
enum result log_appender_open(struct log *log, struct log_appender **ret, struct error *err);
void log_appender_close(struct log_appender *appender); /* what is queued may or may not become durable */

/* Queues all entries, in order (bytes are copied). One answer will come for the call, under `token`. AGAIN: the queue
 * is full, collect first. REJECTED: an entry is larger than LIMIT_RECORD_BYTES. */
enum result log_append(struct log_appender *appender, const struct log_entry *entries, size_t count, uint64_t token,
                       struct error *err);

struct log_answer {
    uint64_t token;
    enum result result;     /* OK: all durable. AGAIN: none is. UNCERTAIN: some may be. FATAL */
    const int64_t *offsets; /* where each entry is, when OK; valid until the next log_collect */
    size_t count;
    struct error why;
};

/* The next answer, waiting up to timeout_ms (0: not at all). NOTHING: none yet. */
enum result log_collect(struct log_appender *appender, int timeout_ms, struct log_answer *ret);
/* Readable while an answer waits: for an epoll loop. */
int log_appender_fd(const struct log_appender *appender);
/* Appends and waits for the one answer (nothing else may be outstanding). ret_offsets: count places, or NULL. */
enum result log_append_and_wait(struct log_appender *appender, const struct log_entry *entries, size_t count,
                                int timeout_ms, int64_t *ret_offsets, struct error *err);

/* ---- reading ---- */

struct log_reader;

enum { LOG_START = -2, LOG_END = -1, LOG_NOT_MINE = -3 };

struct log_reader_options {
    enum topic topic;
    /* NULL: reads all partitions, without a group. Otherwise shares the partitions with the group's other members. */
    const char *group;
    /* Asked for each partition when it is given to this reader (in log_read, on its thread): where to start. committed:
     * the group's offset (the next to read), or -1. Returns an offset, LOG_START, LOG_END, or LOG_NOT_MINE to stop with
     * an incident (log_read then answers FATAL). */
    int64_t (*start)(void *context, int32_t partition, int64_t committed);
    /* The partition is taken away: commit what belongs to it. May be NULL. */
    void (*revoked)(void *context, int32_t partition);
    void *context;
};

enum result log_reader_open(struct log *log, const struct log_reader_options *options, struct log_reader **ret,
                            struct error *err);
void log_reader_close(struct log_reader *reader);

/* Up to `most` records in the order of each partition; views live until the next call. Waits up to timeout_ms for a
 * first one. NOTHING: none. AGAIN: not reachable now. FATAL: a position is out of range, or the log is damaged: for a
 * person. */
enum result log_read(struct log_reader *reader, size_t most, int timeout_ms, const struct log_record **ret,
                     size_t *ret_count, struct error *err);
int log_reader_fd(const struct log_reader *reader); /* readable when log_read may find something */
/* Reads on to the end that the topic has once reading has begun, and calls each for every record; views live during the
 * call. AGAIN: nothing came for patience_ms, though there is more. */
enum result log_read_to_end(struct log_reader *reader, int patience_ms,
                            void (*each)(void *context, const struct log_record *record), void *context,
                            struct error *err);
/* The group's offset: the next record to read. Not waited for; may be lost in a crash. */
enum result log_reader_commit(struct log_reader *reader, int32_t partition, int64_t next_offset, struct error *err);
/* How far behind the end this reader is, in records. */
int64_t log_reader_lag(struct log_reader *reader);

/* One record by its position, from any thread with a fetcher of its own. NOTHING: no record begins there. */
struct log_fetcher;
enum result log_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err);
void log_fetcher_close(struct log_fetcher *fetcher);
enum result log_fetch(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                      struct log_record *ret, struct error *err); /* views live until the next call */
/* The offset one past the last durable record of a partition, and the first that is there. */
enum result log_bounds(struct log_fetcher *fetcher, enum topic topic, int32_t partition, int64_t *ret_first,
                       int64_t *ret_end, struct error *err);

/* ---- compacted topics ---- */

/* The latest value under key, as of the end the topic had when called. NOTHING: never written, or a tombstone: then it
 * is certain, never "not yet". The value is copied into the caller's buffer (cleared first). */
struct buffer;
enum result log_find(struct log_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret,
                     struct error *err);
/* The first live key that begins with prefix, and its value. Certain in the same way. */
enum result log_find_prefix(struct log_fetcher *fetcher, enum topic topic, struct view prefix, struct buffer *ret_key,
                            struct buffer *ret_value, struct error *err);

/* ---- the test double, shipped and named ---- */

/*
 * Wraps inner (which it owns from now on). The script is a list of rules, one a line:
 *   "append events 3 fail"        the 3rd append call that holds a record for that topic: not appended, AGAIN
 *   "append alerts 5 lose-answer" appended, answered UNCERTAIN
 *   "append alerts 5 skip"        not appended, answered OK: a lie, for sabotage
 *   "append alerts 5 twice"       appended twice
 *   "append any 2 delay 50"       the answer comes 50 ms late
 *   "append any * fail-until 7"   every append call fails until the 7th
 *   "read events 10 fail"         the 10th read: AGAIN
 * Counting is per log_open, starts at 1, over all appenders.
 */
enum result log_faulty_open(struct log *inner, const char *script, struct log **ret, struct error *err);
