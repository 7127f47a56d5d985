/*
 * The log's name on Kafka, which has none of its own that librdkafka 2.0 could read.
 *
 * Whoever makes the topics puts a marker into each that is kept: key "log/identity", the name in the header
 * "tidings_identity" and no value (tidings.events, .alerts and .audit: the first record of partition 0), or in the
 * value (compacted topics). tidings.events is marked last: with that the log is made. A topic that was deleted and made
 * anew has no marker, or another; another cluster has another id. Whoever opens the log looks at both.
 */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/random.h>

enum { MAKERS_AT_ONCE = 16 }; /* so many processes may mark the same topic together */

static const enum topic kept[] = {TOPIC_ALERTS, TOPIC_AUDIT, TOPIC_EVENTS};
static const char header_name[] = "tidings_identity";

static const struct kafka_setting settings[] = {
    {"enable.partition.eof", "true"},
    {"fetch.wait.max.ms", "10"},
    {"check.crcs", "true"},
    {NULL, NULL},
};

/* ---- reading ---- */

static enum result marker_in(enum topic topic, const rd_kafka_message_t *message, char *ret, struct error *err)
{
    rd_kafka_headers_t *headers = NULL;
    const void *value = NULL;
    size_t size = 0;
    if (!kafka_is_marker(view_make(message->key, message->key_len)) ||
        rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        rd_kafka_header_get_last(headers, header_name, &value, &size) != RD_KAFKA_RESP_ERR_NO_ERROR ||
        size != KAFKA_IDENTITY_SIZE - 1)
        return error_set(
            err, REJECTED,
            "%s does not begin with a log's name: it was not made by Tidings, or deleted and made anew. Restore "
            "it, or use another Kafka",
            topic_name(topic));
    memcpy(ret, value, size);
    ret[size] = '\0';
    return OK;
}

/* The name in a topic's first record. NOTHING: the topic's first partition is empty. */
static enum result marker_read(struct kafka_log *log, rd_kafka_t *client, enum topic topic, char *ret,
                               struct error *err)
{
    rd_kafka_topic_t *source = rd_kafka_topic_new(client, topic_name(topic), NULL);
    enum result result = AGAIN;
    if (rd_kafka_consume_start(source, 0, 0) !=
        0) { /* not "the beginning": to find that librdkafka waits half a second */
        result = kafka_error(log, rd_kafka_last_error(), "Kafka does not give the log's name", err);
        goto out;
    }
    int64_t deadline = time_monotonic_ms() + KAFKA_PATIENCE_MS;
    while (result == AGAIN && time_monotonic_ms() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consume(source, 0, 100);
        if (message == NULL)
            continue;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR)
            result = marker_in(topic, message, ret, err);
        else if (message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)
            result = NOTHING;
        else if (message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET)
            result = error_set(err, REJECTED, "%s has lost its first records: restore it, or use another Kafka",
                               topic_name(topic));
        else
            result = kafka_error(log, message->err, "Kafka does not give the log's name", err);
        rd_kafka_message_destroy(message);
    }
    if (result == AGAIN)
        (void)kafka_error(log, RD_KAFKA_RESP_ERR__TIMED_OUT, "Kafka does not give the log's name", err);
    rd_kafka_consume_stop(source, 0);
out:
    rd_kafka_topic_destroy(source);
    return result;
}

/* Alerts and audit must be marked as events is, or they are not the ones that were made with it. */
static enum result check_others(struct kafka_log *log, rd_kafka_t *client, struct error *err)
{
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        char marker[KAFKA_IDENTITY_SIZE];
        enum result result = marker_read(log, client, kept[i], marker, err);
        if (result == NOTHING || (result == OK && strcmp(marker, log->marker) != 0))
            return error_set(err, REJECTED,
                             "%s is not the one that was made with tidings.events: it was deleted and made anew. "
                             "Restore it, or use another Kafka",
                             topic_name(kept[i]));
        if (result != OK)
            return result;
    }
    return OK;
}

/* ---- making ---- */

static enum result check_empty(struct kafka_log *log, enum topic topic, int64_t most, struct error *err)
{
    size_t count = (size_t)log->partitions[topic];
    struct kafka_bound *bounds = memory_array(count, sizeof *bounds);
    enum result result = kafka_bounds_all(log, topic, bounds, err);
    for (size_t p = 0; result == OK && p < count; p++)
        if (bounds[p].end > (p == 0 ? most : 0))
            result =
                error_set(err, REJECTED,
                          "%s holds records, but tidings.events has no log's name: it was deleted. Restore it, or use "
                          "another Kafka",
                          topic_name(topic));
    free(bounds);
    return result;
}

static enum result mark(struct log_appender *appender, enum topic topic, const char *name, int64_t *ret_offset,
                        struct error *err)
{
    struct log_header header = {.name = header_name, .value = view_of_text(name)};
    struct log_entry entry = {.topic = topic, .key = KAFKA_MARKER_KEY};
    if (topic_is_compacted(topic)) {
        entry.value = view_of_text(name);
    } else {
        entry.headers = &header;
        entry.header_count = 1;
    }
    return log_append_and_wait(appender, &entry, 1, 3 * KAFKA_PATIENCE_MS, ret_offset, err);
}

static enum result random_name(char *ret, struct error *err)
{
    unsigned char bytes[16];
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, FATAL, "the system has no random bytes");
    for (size_t i = 0; i < sizeof bytes; i++)
        snprintf(ret + 2 * i, 3, "%02x", bytes[i]);
    return OK;
}

/* Several processes may do this at once, or one after another that died: the first marker of alerts names the log. */
static enum result make(struct kafka_log *log, rd_kafka_t *client, struct error *err)
{
    struct log_appender *appender = NULL;
    char name[KAFKA_IDENTITY_SIZE];
    int64_t offset = -1;
    enum result result = check_empty(log, TOPIC_EVENTS, 0, err);
    if (result == OK)
        result = check_empty(log, TOPIC_ALERTS, MAKERS_AT_ONCE, err);
    if (result == OK)
        result = kafka_appender_open(&log->base, &appender, err);
    if (result == OK)
        result = marker_read(log, client, TOPIC_ALERTS, name, err);
    if (result == NOTHING) {
        result = random_name(name, err);
        if (result == OK)
            result = mark(appender, TOPIC_ALERTS, name, &offset, err);
        if (result == OK)
            result = marker_read(log, client, TOPIC_ALERTS, name, err);
    }
    if (result == OK)
        result = mark(appender, TOPIC_AUDIT, name, &offset, err);
    if (result == OK)
        result = mark(appender, TOPIC_DIRECTORY, name, &offset, err);
    if (result == OK)
        result = mark(appender, TOPIC_KEYS, name, &offset, err);
    if (result == OK)
        result = mark(appender, TOPIC_EVENTS, name, &offset, err);
    if (result == OK)
        log->is_new = offset == 0;
    if (appender != NULL)
        kafka_appender_close(appender);
    return result;
}

/* ---- opening ---- */

static uint64_t mix(uint64_t hash, const char *text) /* FNV-1a: not against anybody, only to tell clusters apart */
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
    return hash;
}

static enum result bind_to_cluster(struct kafka_log *log, struct error *err)
{
    char *cluster = rd_kafka_clusterid(log->client, KAFKA_PATIENCE_MS);
    if (cluster == NULL)
        return kafka_error(log, RD_KAFKA_RESP_ERR__TIMED_OUT, "Kafka does not say which cluster it is", err);
    snprintf(log->identity, sizeof log->identity, "%016" PRIx64 "%016" PRIx64,
             mix(mix(0xcbf29ce484222325, cluster), log->marker), mix(mix(0x84222325cbf29ce4, log->marker), cluster));
    rd_kafka_mem_free(log->client, cluster);
    return OK;
}

enum result kafka_identity_open(struct kafka_log *log, struct error *err)
{
    struct kafka_owner owner = {.log = log};
    rd_kafka_t *client = NULL;
    enum result result = kafka_client_open(&owner, RD_KAFKA_CONSUMER, settings, &client, err);
    if (result != OK)
        return result;
    result = marker_read(log, client, TOPIC_EVENTS, log->marker, err);
    if (result == NOTHING && log->read_only)
        result = error_set(err, AGAIN, "no broker of Tidings has made its log at this Kafka yet");
    if (result == NOTHING) {
        result = make(log, client, err);
        if (result == OK)
            result = marker_read(log, client, TOPIC_EVENTS, log->marker, err);
    }
    if (result == NOTHING)
        result = error_set(err, AGAIN, "the log's name was written, and is not there yet");
    if (result == OK)
        result = check_others(log, client, err);
    if (result == OK)
        result = bind_to_cluster(log, err);
    rd_kafka_destroy(client);
    return result;
}
