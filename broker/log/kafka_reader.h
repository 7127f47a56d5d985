/* A reader of Kafka, as its files see it: reading (kafka_reader.c), getting partitions (kafka_assignment.c), lag
 * (kafka_lag.c). */
#pragma once

#include "broker/log/kafka.h"

struct kafka_part {
    bool assigned;
    int64_t position; /* the next to hand over */
    int64_t end_seen; /* the partition's end when it was given to this reader */
    int64_t commit;   /* the group's offset as it was sent last; -1: not yet */
};

struct kafka_reader {
    struct log_reader base;
    struct kafka_owner owner; /* of client */
    struct log_reader_options options;
    rd_kafka_t *client;
    rd_kafka_queue_t *queue;
    rd_kafka_topic_t *topic; /* without a group */
    int fd;
    int32_t count;
    struct kafka_part *parts;

    rd_kafka_topic_partition_list_t *given; /* given by the group (or all, without one), not begun yet */
    bool asked;                             /* options.start has said where given starts */
    int64_t beyond_since_ms;                /* when a start beyond the end was seen first; 0: not */
    int64_t woken_ms;                       /* when librdkafka was woken last, see kafka_lag.c */
    int64_t dry_since_ms;                   /* since when there is more, and nothing comes; 0: not so */
    bool lost;                              /* partitions were taken away during this look at the queue */
    bool closing;
    bool fenced;         /* the group knows another member under our name */
    int64_t reopened_ms; /* when the client was opened anew because of that; 0: never */

    rd_kafka_message_t **messages; /* what the last read lent */
    struct log_record *records;
    size_t message_count, capacity;

    enum result failure; /* to be told after the records before it; FATAL stays */
    struct error why;
};

static inline struct kafka_reader *kafka_reader_of(struct log_reader *reader)
{
    return (struct kafka_reader *)(void *)reader;
}

/* Partitions that are to be read without a group: all. */
void kafka_assignment_all(struct kafka_reader *reader);
void kafka_assignment_changed(struct kafka_owner *owner, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t *list);
/* Finds out where what was given starts, and begins to read there. AGAIN: call again. */
enum result kafka_assignment_begin(struct kafka_reader *reader, struct error *err);
void kafka_assignment_end(struct kafka_reader *reader);
/* The partitions are somebody else's already: nothing is committed any more. */
void kafka_assignment_lose(struct kafka_reader *reader);
void kafka_commit_send(struct kafka_reader *reader, int32_t partition, int64_t next_offset);
/* What was sent is there now, if the cluster answers: before partitions go to somebody else. */
void kafka_commits_finish(struct kafka_reader *reader);
/* When librdkafka holds back records that are there: makes it fetch on (kafka_lag.c). */
void kafka_fetching_wake(struct kafka_reader *reader);
