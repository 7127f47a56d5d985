/* The log on Apache Kafka: opened, asked, closed. */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"
#include "broker/event/limits.h"

#include <stdlib.h>
#include <unistd.h>

static const struct kafka_setting producer[] = {
    {"enable.idempotence", "true"},
    {"enable.gapless.guarantee", "true"}, /* what is queued behind a failure is not appended either */
    {"acks", "all"},
    {"message.timeout.ms", "0"}, /* tried for ever: giving up would leave the caller with less than UNCERTAIN */
    {"linger.ms", "0"},
    {"message.max.bytes", "1040000"}, /* KAFKA_MESSAGE_BYTES */
    {"partitioner", "murmur2_random"},
    {"queue.buffering.max.messages", "0"}, /* the bound is kafka_answers.c's: a call is queued whole or not at all */
    {"queue.buffering.max.kbytes", "2097151"},
    {NULL, NULL},
};
static const struct kafka_setting asker[] = {{NULL, NULL}}; /* read only: never appends */

static void kafka_close(struct log *base)
{
    struct kafka_log *log = kafka_log_of(base);
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
        kafka_copy_close(log->copies[topic]);
    kafka_answers_close(log);
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
        if (log->topics[topic] != NULL)
            rd_kafka_topic_destroy(log->topics[topic]);
    if (log->client != NULL)
        rd_kafka_destroy(log->client);
    kafka_answers_destroy(log);
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
        free(log->own_end[topic]);
    pthread_mutex_destroy(&log->copies_lock);
    pthread_mutex_destroy(&log->trouble_lock);
    free(log->brokers);
    free(log->client_id);
    free(log->settings);
    free(log->data_folder);
    free(log);
}

static int32_t kafka_partitions(const struct log *base, enum topic topic)
{
    return kafka_log_of(base)->partitions[topic];
}

static const char *kafka_identity(const struct log *base)
{
    return kafka_log_of(base)->identity;
}

static bool kafka_is_new(const struct log *base)
{
    return kafka_log_of(base)->is_new;
}

static bool kafka_is_healthy(const struct log *base)
{
    return kafka_answers_healthy(kafka_log_of(base));
}

static const struct log_operations operations = {
    .close = kafka_close,
    .partitions = kafka_partitions,
    .identity = kafka_identity,
    .is_new = kafka_is_new,
    .is_healthy = kafka_is_healthy,
    .appender_open = kafka_appender_open,
    .appender_close = kafka_appender_close,
    .append = kafka_append,
    .collect = kafka_collect,
    .appender_fd = kafka_appender_fd,
    .reader_open = kafka_reader_open,
    .reader_close = kafka_reader_close,
    .read = kafka_read,
    .reader_fd = kafka_reader_fd,
    .reader_commit = kafka_reader_commit,
    .reader_lag = kafka_reader_lag,
    .fetcher_open = kafka_fetcher_open,
    .fetcher_close = kafka_fetcher_close,
    .fetch = kafka_fetch,
    .bounds = kafka_bounds,
    .find = kafka_find,
    .find_prefix = kafka_find_prefix,
};

static char *text_or_null(const char *text)
{
    return text == NULL ? NULL : memory_text(view_of_text(text));
}

/* A static member's name: the same machine gets its partitions back at once after a restart. */
static char *client_id_of(const struct log_options *options)
{
    char host[65] = {0};
    if (options->client_id != NULL)
        return memory_text(view_of_text(options->client_id));
    if (gethostname(host, sizeof host - 1) != 0)
        return memory_text(VIEW("tidings"));
    return memory_text(view_of_text(host));
}

static enum result check_options(const struct log_options *options, struct error *err)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    if (strncmp(options->where, "kafka://", 8) != 0 || options->where[8] == '\0' ||
        strchr(options->where + 8, '/') != NULL)
        return error_set(err, REJECTED, "--log %.80s is not kafka://host:port[,host:port]", options->where);
    if (options->client_id != NULL && options->client_id[strspn(options->client_id, letters)] != '\0')
        return error_set(err, REJECTED, "a Kafka client's name has letters, digits, dots, dashes and underscores only");
    if (options->partitions < 0 || options->partitions > LIMIT_PARTITIONS)
        return error_set(err, REJECTED, "--partitions must be 1 to %d", LIMIT_PARTITIONS);
    if (options->replication < 0 || options->replication > INT16_MAX)
        return error_set(err, REJECTED, "the replication of Kafka's topics cannot be %d", options->replication);
    return OK;
}

enum result log_kafka_open(const struct log_options *options, struct log **ret, struct error *err)
{
    enum result result = check_options(options, err);
    if (result != OK)
        return result;
    struct kafka_log *log = memory_take(sizeof *log);
    log->base.operations = &operations;
    log->owner.log = log;
    log->brokers = memory_text(view_of_text(options->where + 8));
    log->client_id = client_id_of(options);
    log->settings = text_or_null(options->settings);
    log->data_folder = text_or_null(options->data_folder);
    log->read_only = options->read_only;
    pthread_mutex_init(&log->trouble_lock, NULL);
    pthread_mutex_init(&log->copies_lock, NULL);

    result = kafka_client_open(&log->owner, RD_KAFKA_PRODUCER, log->read_only ? asker : producer, &log->client, err);
    if (result == OK)
        result = kafka_topics_open(log, options, err);
    if (result == OK)
        kafka_answers_open(log);
    if (result == OK)
        result = kafka_identity_open(log, err);
    struct kafka_copy *keys;
    if (result == OK && !log->read_only)
        result = kafka_copy_find(log, TOPIC_KEYS, &keys, err); /* at once: it must hear of erasures */
    if (result != OK) {
        kafka_close(&log->base);
        return result;
    }
    *ret = &log->base;
    return OK;
}
