/* Reads Kafka: batches of records, with a group or without. */
#include "broker/log/kafka_reader.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

static const struct kafka_setting in_group[] = {
    {"partition.assignment.strategy", "range"},
    {"heartbeat.interval.ms", "1500"},
    {"enable.auto.commit", "false"},
    {"enable.auto.offset.store", "false"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.error.backoff.ms", "50"},
    {"queued.max.messages.kbytes", "65536"},
    {NULL, NULL},
};
static const struct kafka_setting alone[] = {
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.error.backoff.ms", "50"},
    {NULL, NULL},
};

enum {
    LOOK_MS = 100, /* a wait for records is cut into such pieces, to look whether fetching sleeps */
    READ_AHEAD_KBYTES =
        128 * 1024, /* of a reader without a group: librdkafka counts it a partition, so it is divided */
    READ_AHEAD_PARTITION_KBYTES = 64 * 1024, /* the most of one */
    FENCED_AGAIN_MS = 120 * 1000,            /* fenced twice within it: there is another one */
};

/* ---- opening, closing ---- */

static enum result client_open(struct kafka_reader *reader, struct error *err)
{
    struct kafka_log *log = reader->owner.log;
    const char *group = reader->options.group;
    char words[256];
    struct kafka_setting settings[sizeof in_group / sizeof *in_group + 2];
    if (group == NULL) {
        int32_t ahead = READ_AHEAD_KBYTES / reader->count;
        snprintf(words, sizeof words, "%" PRId32,
                 ahead < READ_AHEAD_PARTITION_KBYTES ? ahead : READ_AHEAD_PARTITION_KBYTES);
        settings[0] = (struct kafka_setting){"queued.max.messages.kbytes", words};
        memcpy(settings + 1, alone, sizeof alone);
        return kafka_client_open(&reader->owner, RD_KAFKA_CONSUMER, settings, &reader->client, err);
    }
    int size = snprintf(words, sizeof words, "%s.%s", log->client_id, group);
    if (size < 0 || (size_t)size >= sizeof words)
        return error_set(err, REJECTED, "a group's member has a name of more than %zu characters", sizeof words);
    settings[0] = (struct kafka_setting){"group.id", group};
    settings[1] = (struct kafka_setting){"group.instance.id", words};
    memcpy(settings + 2, in_group, sizeof in_group);
    reader->owner.rebalance = kafka_assignment_changed;
    return kafka_client_open(&reader->owner, RD_KAFKA_CONSUMER, settings, &reader->client, err);
}

static enum result source_open(struct kafka_reader *reader, struct error *err)
{
    const char *name = topic_name(reader->options.topic);
    if (reader->options.group == NULL) {
        reader->topic = rd_kafka_topic_new(reader->client, name, NULL);
        reader->queue = rd_kafka_queue_new(reader->client);
        kafka_assignment_all(reader);
        return OK;
    }
    rd_kafka_poll_set_consumer(reader->client);
    reader->queue = rd_kafka_queue_get_consumer(reader->client);
    rd_kafka_topic_partition_list_t *topics = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(topics, name, RD_KAFKA_PARTITION_UA);
    rd_kafka_resp_err_t code = rd_kafka_subscribe(reader->client, topics);
    rd_kafka_topic_partition_list_destroy(topics);
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? OK
                                              : kafka_error(reader->owner.log, code, "no group can be joined", err);
}

enum result kafka_reader_open(struct log *base, const struct log_reader_options *options, struct log_reader **ret,
                              struct error *err)
{
    struct kafka_log *log = kafka_log_of(base);
    struct kafka_reader *reader = memory_take(sizeof *reader);
    uint64_t one = 1;
    reader->base.operations = base->operations;
    reader->owner.log = log;
    reader->options = *options;
    reader->options.group = options->group == NULL ? NULL : memory_text(view_of_text(options->group));
    reader->count = log->partitions[options->topic];
    reader->parts = memory_array((size_t)reader->count, sizeof *reader->parts);
    for (int32_t p = 0; p < reader->count; p++)
        reader->parts[p].commit = -1;
    reader->fd = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK); /* readable at first: partitions are to be begun */
    enum result result = reader->fd < 0 ? error_set(err, AGAIN, "no file descriptor is left for a reader") : OK;
    if (result == OK)
        result = client_open(reader, err);
    if (result == OK)
        result = source_open(reader, err);
    if (result != OK) {
        kafka_reader_close(&reader->base);
        return result;
    }
    rd_kafka_queue_io_event_enable(reader->queue, reader->fd, &one, sizeof one);
    *ret = &reader->base;
    return OK;
}

static void messages_give_back(struct kafka_reader *reader)
{
    for (size_t i = 0; i < reader->message_count; i++)
        rd_kafka_message_destroy(reader->messages[i]);
    reader->message_count = 0;
}

static void client_close(struct kafka_reader *reader)
{
    kafka_assignment_end(reader);
    if (reader->queue != NULL)
        rd_kafka_queue_io_event_enable(reader->queue, -1, NULL, 0);
    if (reader->options.group != NULL)
        rd_kafka_consumer_close(reader->client);
    if (reader->queue != NULL)
        rd_kafka_queue_destroy(reader->queue);
    if (reader->topic != NULL)
        rd_kafka_topic_destroy(reader->topic);
    rd_kafka_destroy(reader->client);
    reader->client = NULL;
    reader->queue = NULL;
    reader->topic = NULL;
}

/*
 * Fenced: the group has another member under our name. Mostly that is ourselves, of before: a coordinator that was
 * killed comes back with the member that it knew last, or a commit that was under way meanwhile is that of a member
 * which it gave up. librdkafka's client is of no more use, so a new one joins in its place. A real other one would be
 * fenced by that, join again, and fence us a second time.
 */
static enum result client_reopen(struct kafka_reader *reader, struct error *err)
{
    const uint64_t one = 1;
    messages_give_back(reader);
    if (reader->client != NULL) {
        kafka_assignment_lose(reader);
        client_close(reader);
    }
    enum result result = client_open(reader, err);
    if (result == OK)
        result = source_open(reader, err);
    if (result != OK)
        return result;
    rd_kafka_queue_io_event_enable(reader->queue, reader->fd, &one, sizeof one);
    reader->fenced = false;
    reader->failure = OK;
    reader->reopened_ms = time_monotonic_ms();
    return OK;
}

void kafka_reader_close(struct log_reader *base)
{
    struct kafka_reader *reader = kafka_reader_of(base);
    reader->closing = true;
    messages_give_back(reader);
    if (reader->client != NULL) {
        kafka_commits_finish(reader);
        client_close(reader);
    }
    if (reader->fd >= 0)
        close(reader->fd);
    free((char *)(uintptr_t)reader->options.group);
    free(reader->parts);
    free(reader->messages);
    free(reader->records);
    free(reader);
}

int kafka_reader_fd(const struct log_reader *base)
{
    return ((const struct kafka_reader *)(const void *)base)->fd;
}

/* ---- what goes wrong ---- */

static void fail(struct kafka_reader *reader, enum result result, rd_kafka_resp_err_t code, const char *why)
{
    const char *topic = topic_name(reader->options.topic);
    if (code == RD_KAFKA_RESP_ERR_FENCED_INSTANCE_ID) {
        why = "another process reads this group under the same client's name: give each machine its own";
        reader->fenced = reader->reopened_ms == 0 || time_monotonic_ms() - reader->reopened_ms > FENCED_AGAIN_MS;
    }
    reader->failure = error_set(&reader->why, result, "%s cannot be read: %s", topic, why);
}

/* A client that librdkafka has given up reads nothing more, for ever. The message that says so may be lost when the
 * partitions go in the same moment, so it is asked for. */
static void note_end_of_client(struct kafka_reader *reader)
{
    char words[160];
    rd_kafka_resp_err_t code = rd_kafka_fatal_error(reader->client, words, sizeof words);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR && reader->failure != FATAL)
        fail(reader, FATAL, code, words);
}

static void note_trouble(struct kafka_reader *reader, const rd_kafka_message_t *message)
{
    rd_kafka_resp_err_t code = message->err;
    char words[160];
    const char *why = rd_kafka_message_errstr(message);
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF || reader->failure == FATAL)
        return;
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        note_end_of_client(reader);
        return;
    }
    if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE) {
        snprintf(words, sizeof words,
                 "partition %" PRId32 " does not have its position %" PRId64
                 " any more: was the log restored or truncated?",
                 message->partition, reader->parts[message->partition].position);
        fail(reader, FATAL, code, words);
        return;
    }
    /* A record that cannot be read would be skipped, and one that may not be read waits for a person. */
    fail(reader, kafka_result(code) == AGAIN || kafka_result(code) == UNCERTAIN ? AGAIN : FATAL, code, why);
}

/* ---- reading ---- */

/* Messages to records; what is nobody's, or not ours any more, is left out. */
static size_t records_take(struct kafka_reader *reader)
{
    size_t count = 0;
    for (size_t i = 0; i < reader->message_count && reader->failure != FATAL; i++) {
        const rd_kafka_message_t *message = reader->messages[i];
        if (message->err != RD_KAFKA_RESP_ERR_NO_ERROR) {
            note_trouble(reader, message);
            continue;
        }
        struct kafka_part *part = &reader->parts[message->partition];
        if (!part->assigned)
            continue;
        part->position = message->offset + 1;
        if (!kafka_is_marker(view_make(message->key, message->key_len)))
            reader->records[count++] = kafka_record(reader->options.topic, message);
    }
    return count;
}

static void room_for(struct kafka_reader *reader, size_t most)
{
    if (reader->capacity >= most)
        return;
    reader->messages = memory_grow(reader->messages, most * sizeof *reader->messages);
    reader->records = memory_grow(reader->records, most * sizeof *reader->records);
    reader->capacity = most;
}

/* One look at the queue. librdkafka's batch waits for a full one, so only its first message is waited for. */
static size_t look(struct kafka_reader *reader, size_t most, int timeout_ms)
{
    messages_give_back(reader);
    reader->lost = false;
    if (reader->options.group == NULL)
        rd_kafka_poll(reader->client, 0);
    ssize_t got = rd_kafka_consume_batch_queue(reader->queue, 0, reader->messages, most);
    reader->message_count = got < 0 ? 0 : (size_t)got;
    if (reader->message_count == 0 && reader->given == NULL && timeout_ms > 0) {
        rd_kafka_message_t *first = rd_kafka_consume_queue(reader->queue, timeout_ms);
        if (first != NULL) {
            reader->messages[0] = first;
            got = most > 1 ? rd_kafka_consume_batch_queue(reader->queue, 0, reader->messages + 1, most - 1) : 0;
            reader->message_count = 1 + (got < 0 ? 0 : (size_t)got);
        }
    }
    if (reader->lost)
        messages_give_back(reader); /* they were read before the partitions went */
    size_t count = records_take(reader);
    if (reader->message_count > 0)
        reader->dry_since_ms = 0;
    if (count == 0)
        note_end_of_client(reader);
    return count;
}

static void fd_rearm(struct kafka_reader *reader)
{
    uint64_t one = 1;
    if (reader->given != NULL || reader->failure != OK || rd_kafka_queue_length(reader->queue) > 0)
        (void)!write(reader->fd, &one, sizeof one);
}

/* Tells what went wrong; only FATAL stays. */
static enum result failure_tell(struct kafka_reader *reader, struct error *err)
{
    enum result result = reader->failure;
    if (result != FATAL)
        reader->failure = OK;
    return error_set(err, result, "%s", reader->why.text);
}

enum result kafka_read(struct log_reader *base, size_t most, int timeout_ms, const struct log_record **ret,
                       size_t *ret_count, struct error *err)
{
    struct kafka_reader *reader = kafka_reader_of(base);
    int64_t deadline = time_monotonic_ms() + timeout_ms, left = timeout_ms;
    size_t count = 0;
    uint64_t signals;
    (void)!read(reader->fd, &signals, sizeof signals);
    messages_give_back(reader);
    if (reader->fenced && client_reopen(reader, err) != OK)
        return FATAL;
    room_for(reader, most);
    while (reader->failure == OK && count == 0 && (left > 0 || reader->given != NULL || left == timeout_ms)) {
        if (reader->given != NULL)
            reader->failure = kafka_assignment_begin(reader, &reader->why);
        if (reader->failure == REJECTED)
            reader->failure = FATAL;
        if (reader->failure == OK)
            count = look(reader, most, left < 0 ? 0 : left < LOOK_MS ? (int)left : LOOK_MS);
        if (count == 0)
            kafka_fetching_wake(reader);
        left = deadline - time_monotonic_ms();
    }
    if (count > 0)
        kafka_fetching_wake(reader);
    fd_rearm(reader);
    if (count == 0 && reader->fenced)
        return error_set(err, AGAIN, "the group has to be joined again");
    if (count == 0 && reader->failure != OK)
        return failure_tell(reader, err);
    if (count == 0)
        return kafka_answers_reachable(reader->owner.log) ? NOTHING : error_set(err, AGAIN, "Kafka is not reachable");
    *ret = reader->records;
    *ret_count = count;
    return OK;
}

enum result kafka_reader_commit(struct log_reader *base, int32_t partition, int64_t next_offset, struct error *err)
{
    struct kafka_reader *reader = kafka_reader_of(base);
    if (reader->options.group == NULL || partition < 0 || partition >= reader->count)
        return error_set(err, REJECTED, "this reader has no such group's offset");
    if (reader->parts[partition].assigned)
        kafka_commit_send(reader, partition, next_offset);
    return OK;
}
