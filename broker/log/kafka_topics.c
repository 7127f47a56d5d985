/* The topics of the log: made where they are missing, checked where they are there. */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <inttypes.h>
#include <stdlib.h>
#include <time.h>

enum check { AS_IT_IS, AT_LEAST, AT_MOST };

struct topic_setting {
    const char *name, *value;
    enum check check;
};

#define EVERY_TOPIC                                                                                                    \
    {"max.message.bytes", "1048588", AT_LEAST},                                                                        \
    {                                                                                                                  \
        "unclean.leader.election.enable", "false", AS_IT_IS                                                            \
    }

/* A day, and a week, in ms. What is erased is gone from Kafka's disks a day or so later; a tombstone stays for a week,
 * so that a local copy that slept no longer than that still sees it (kafka_copy.c). */
#define DAY  "86400000"
#define WEEK "604800000"

static const struct topic_setting kept_for_ever[] = {
    {"cleanup.policy", "delete", AS_IT_IS},
    {"retention.ms", "-1", AS_IT_IS},
    {"retention.bytes", "-1", AS_IT_IS},
    EVERY_TOPIC,
    {NULL, NULL, AS_IT_IS},
};
static const struct topic_setting kept_90_days[] = {
    {"cleanup.policy", "delete", AS_IT_IS},
    {"retention.ms", "7776000000", AT_LEAST},
    {"retention.bytes", "-1", AS_IT_IS},
    EVERY_TOPIC,
    {NULL, NULL, AS_IT_IS},
};
static const struct topic_setting compacted[] = {
    {"cleanup.policy", "compact", AS_IT_IS},
    {"max.compaction.lag.ms", DAY, AT_MOST},
    {"segment.ms", DAY, AT_MOST},
    {"delete.retention.ms", WEEK, AT_LEAST},
    EVERY_TOPIC,
    {NULL, NULL, AS_IT_IS},
};

static const struct topic_setting *const settings_of[TOPIC_COUNT] = {
    [TOPIC_EVENTS] = kept_for_ever, [TOPIC_ALERTS] = kept_for_ever,    [TOPIC_DIRECTORY] = compacted,
    [TOPIC_KEYS] = compacted,       [TOPIC_QUARANTINE] = kept_90_days, [TOPIC_AUDIT] = kept_for_ever,
};

static bool is_partitioned(enum topic topic)
{
    return topic == TOPIC_EVENTS || topic == TOPIC_ALERTS;
}

/* ---- what is there ---- */

static enum result count_partitions(struct kafka_log *log, int32_t *counts, bool *ret_led, struct error *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    /* All topics: a question about one by name could make it. */
    rd_kafka_resp_err_t code = rd_kafka_metadata(log->client, 1, NULL, &metadata, KAFKA_PATIENCE_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, code, "Kafka does not answer", err);
    *ret_led = true;
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        counts[topic] = 0;
        for (int i = 0; i < metadata->topic_cnt; i++) {
            const struct rd_kafka_metadata_topic *there = &metadata->topics[i];
            if (strcmp(there->topic, topic_name(topic)) != 0)
                continue;
            counts[topic] = there->partition_cnt;
            for (int p = 0; p < there->partition_cnt; p++) {
                *ret_led = *ret_led && there->partitions[p].leader >= 0;
                log->replicated = log->replicated || there->partitions[p].replica_cnt > 1;
            }
        }
        *ret_led = *ret_led && counts[topic] > 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return OK;
}

static enum result check_counts(const int32_t *counts, const struct log_options *options, struct error *err)
{
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        int32_t wanted = is_partitioned(topic) ? options->partitions : 1;
        if (counts[topic] == 0)
            continue;
        if (!is_partitioned(topic) && counts[topic] != 1)
            return error_set(err, REJECTED,
                             "%s has %" PRId32 " partitions and must have one: delete it, if it holds nothing",
                             topic_name(topic), counts[topic]);
        if (wanted != 0 && counts[topic] != wanted)
            return error_set(err, REJECTED,
                             "%s has %" PRId32 " partitions, not %" PRId32
                             ": the count is final for the life of a log, start with --partitions %" PRId32,
                             topic_name(topic), counts[topic], wanted, counts[topic]);
        if (counts[topic] > LIMIT_PARTITIONS)
            return error_set(err, REJECTED, "%s has %" PRId32 " partitions, more than the limit of %d",
                             topic_name(topic), counts[topic], LIMIT_PARTITIONS);
    }
    if (counts[TOPIC_EVENTS] != 0 && counts[TOPIC_ALERTS] != 0 && counts[TOPIC_EVENTS] != counts[TOPIC_ALERTS])
        return error_set(err, REJECTED,
                         "tidings.events has %" PRId32 " partitions and tidings.alerts %" PRId32
                         ": they must be alike, delete them if they hold nothing",
                         counts[TOPIC_EVENTS], counts[TOPIC_ALERTS]);
    return OK;
}

/* ---- making ---- */

static rd_kafka_NewTopic_t *topic_to_make(enum topic topic, int32_t partitions, int32_t replication)
{
    char why[160];
    rd_kafka_NewTopic_t *made = rd_kafka_NewTopic_new(topic_name(topic), partitions, replication, why, sizeof why);
    if (made == NULL)
        return NULL;
    for (const struct topic_setting *setting = settings_of[topic]; setting->name != NULL; setting++)
        rd_kafka_NewTopic_set_config(made, setting->name, setting->value);
    if (replication >= 3)
        rd_kafka_NewTopic_set_config(made, "min.insync.replicas", "2");
    return made;
}

static enum result check_made(struct kafka_log *log, rd_kafka_event_t *event, struct error *err)
{
    if (event == NULL)
        return kafka_error(log, RD_KAFKA_RESP_ERR__TIMED_OUT, "Kafka does not make the topics", err);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, rd_kafka_event_error(event), "Kafka does not make the topics", err);
    size_t count = 0;
    const rd_kafka_topic_result_t **made =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    for (size_t i = 0; i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_topic_result_error(made[i]);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
            continue; /* another process made it just now: it is checked like any */
        const char *why = rd_kafka_topic_result_error_string(made[i]);
        return error_set(err, kafka_result(code), "Kafka does not make %s: %s", rd_kafka_topic_result_name(made[i]),
                         why == NULL ? rd_kafka_err2str(code) : why);
    }
    return OK;
}

static enum result make_missing(struct kafka_log *log, const int32_t *counts, const struct log_options *options,
                                struct error *err)
{
    rd_kafka_NewTopic_t *wanted[TOPIC_COUNT];
    size_t count = 0;
    int32_t partitions = options->partitions != 0 ? options->partitions : DEFAULT_PARTITIONS;
    partitions = counts[TOPIC_EVENTS] != 0 ? counts[TOPIC_EVENTS] : partitions;
    partitions = counts[TOPIC_ALERTS] != 0 ? counts[TOPIC_ALERTS] : partitions;
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        if (counts[topic] != 0)
            continue;
        int32_t replication = options->replication != 0 ? options->replication : 1;
        wanted[count] = topic_to_make(topic, is_partitioned(topic) ? partitions : 1, replication);
        if (wanted[count] != NULL)
            count++;
    }
    if (count == 0)
        return OK;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    rd_kafka_CreateTopics(log->client, wanted, count, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 3 * KAFKA_PATIENCE_MS);
    enum result result = check_made(log, event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy_array(wanted, count);
    return result;
}

/* Until every partition has a leader, and every broker knows: no event tells that, so it is asked. */
static enum result wait_until_led(struct kafka_log *log, int32_t *counts, struct error *err)
{
    int64_t deadline = time_monotonic_ms() + 3 * KAFKA_PATIENCE_MS;
    for (;;) {
        bool led = false;
        enum result result = count_partitions(log, counts, &led, err);
        if (result != OK || led)
            return result;
        if (time_monotonic_ms() > deadline)
            return error_set(err, AGAIN, "Kafka has no leader for some partition of the topics");
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
    }
}

/* ---- checking settings ---- */

static bool fits(const struct topic_setting *setting, const char *found)
{
    if (setting->check == AS_IT_IS)
        return strcmp(setting->value, found) == 0;
    int64_t wanted = 0, there = 0;
    if (!view_to_number(view_of_text(setting->value), &wanted))
        return false;
    if (!view_to_number(view_of_text(found), &there)) /* -1, or 9223372036854775807: without a limit */
        return setting->check == AT_LEAST;
    return setting->check == AT_LEAST ? there >= wanted : there <= wanted;
}

static enum result check_settings(enum topic topic, const rd_kafka_ConfigResource_t *resource, struct error *err)
{
    size_t count = 0;
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resource, &count);
    for (const struct topic_setting *setting = settings_of[topic]; setting->name != NULL; setting++) {
        for (size_t i = 0; i < count; i++) {
            const char *found = rd_kafka_ConfigEntry_value(entries[i]);
            if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), setting->name) != 0 || found == NULL ||
                fits(setting, found))
                continue;
            return error_set(err, REJECTED,
                             "%s has %s=%.40s, not %s%s: mend it with kafka-configs --alter --entity-type topics "
                             "--entity-name %s --add-config %s=%s",
                             topic_name(topic), setting->name, found,
                             setting->check == AT_LEAST  ? "at least "
                             : setting->check == AT_MOST ? "at most "
                                                         : "",
                             setting->value, topic_name(topic), setting->name, setting->value);
        }
    }
    return OK;
}

static enum result check_described(struct kafka_log *log, rd_kafka_event_t *event, struct error *err)
{
    if (event == NULL)
        return kafka_error(log, RD_KAFKA_RESP_ERR__TIMED_OUT, "Kafka does not describe the topics", err);
    if (rd_kafka_event_error(event) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, rd_kafka_event_error(event), "Kafka does not describe the topics", err);
    size_t count = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &count);
    enum result result = OK;
    for (size_t i = 0; result == OK && i < count; i++) {
        rd_kafka_resp_err_t code = rd_kafka_ConfigResource_error(resources[i]);
        if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
            return kafka_error(log, code, "Kafka does not describe a topic of the log (DescribeConfigs)", err);
        for (enum topic topic = 0; result == OK && topic < TOPIC_COUNT; topic++)
            if (strcmp(rd_kafka_ConfigResource_name(resources[i]), topic_name(topic)) == 0)
                result = check_settings(topic, resources[i], err);
    }
    return result;
}

static enum result check_all_settings(struct kafka_log *log, struct error *err)
{
    rd_kafka_ConfigResource_t *asked[TOPIC_COUNT];
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++)
        asked[topic] = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic_name(topic));
    rd_kafka_queue_t *queue = rd_kafka_queue_new(log->client);
    rd_kafka_DescribeConfigs(log->client, asked, TOPIC_COUNT, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 3 * KAFKA_PATIENCE_MS);
    enum result result = check_described(log, event, err);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy_array(asked, TOPIC_COUNT);
    return result;
}

enum result kafka_topics_open(struct kafka_log *log, const struct log_options *options, struct error *err)
{
    bool led = false;
    enum result result = count_partitions(log, log->partitions, &led, err);
    if (result == OK)
        result = check_counts(log->partitions, options, err);
    for (enum topic topic = 0; result == OK && log->read_only && topic < TOPIC_COUNT; topic++)
        if (log->partitions[topic] == 0)
            result = error_set(err, AGAIN, "there is no %s at this Kafka: no broker of Tidings has made its log yet",
                               topic_name(topic));
    if (result == OK && !log->read_only)
        result = make_missing(log, log->partitions, options, err);
    if (result == OK)
        result = wait_until_led(log, log->partitions, err);
    if (result == OK)
        result = check_counts(log->partitions, options, err);
    if (result == OK)
        result = check_all_settings(log, err);
    if (result != OK)
        return result;
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        log->topics[topic] = rd_kafka_topic_new(log->client, topic_name(topic), NULL);
        log->own_end[topic] = memory_array((size_t)log->partitions[topic], sizeof *log->own_end[topic]);
    }
    return OK;
}
