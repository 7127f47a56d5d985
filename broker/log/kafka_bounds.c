/* Where partitions begin and end, and a record as Kafka's message holds it. */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <stdlib.h>
#include <time.h>

struct log_record kafka_record(enum topic topic, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    return (struct log_record){
        .topic = topic,
        .partition = message->partition,
        .offset = message->offset,
        .ordinal = message->offset,
        .timestamp_ms = timestamp < 0 ? 0 : timestamp,
        .key = {message->key, message->key_len},
        .value = {message->payload, message->len},
    };
}

/* The marker at the start of a topic is no record to anybody: there the log begins behind it. */
static int64_t without_marker(enum topic topic, int32_t partition, int64_t first, int64_t end)
{
    bool marked = partition == 0 && topic != TOPIC_QUARANTINE && !topic_is_compacted(topic);
    return marked && first == 0 && end > 0 ? 1 : first;
}

enum result kafka_bound_one(struct kafka_log *log, enum topic topic, int32_t partition, struct kafka_bound *ret,
                            struct error *err)
{
    int64_t first = 0, end = 0;
    enum result result = kafka_answers_check(log, err);
    if (result != OK)
        return result;
    rd_kafka_resp_err_t code =
        rd_kafka_query_watermark_offsets(log->client, topic_name(topic), partition, &first, &end, KAFKA_PATIENCE_MS);
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, code, "Kafka does not say where a partition ends", err);
    *ret = (struct kafka_bound){first, without_marker(topic, partition, first, end), end};
    return OK;
}

/* One question for all partitions: ListOffsets with a special "time", as rd_kafka_offsets_for_times passes it on. */
static rd_kafka_resp_err_t ask_once(struct kafka_log *log, enum topic topic, int64_t special, int64_t *offsets)
{
    int32_t count = log->partitions[topic];
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(count);
    for (int32_t p = 0; p < count; p++)
        rd_kafka_topic_partition_list_add(list, topic_name(topic), p)->offset = special;
    rd_kafka_resp_err_t code = rd_kafka_offsets_for_times(log->client, list, KAFKA_PATIENCE_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < list->cnt; i++) {
        code = list->elems[i].err;
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR && list->elems[i].offset < 0)
            code = RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE;
        offsets[list->elems[i].partition] = list->elems[i].offset;
    }
    rd_kafka_topic_partition_list_destroy(list);
    return code;
}

/* Leaders may have moved: librdkafka asks where they are now, after it was told so. */
static enum result ask_all(struct kafka_log *log, enum topic topic, int64_t special, int64_t *offsets,
                           struct error *err)
{
    int64_t deadline = time_monotonic_ms() + KAFKA_PATIENCE_MS;
    rd_kafka_resp_err_t code = ask_once(log, topic, special, offsets);
    while (kafka_result(code) == AGAIN && time_monotonic_ms() < deadline) {
        nanosleep(&(struct timespec){.tv_nsec = 50 * 1000 * 1000}, NULL);
        code = ask_once(log, topic, special, offsets);
    }
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, code, "Kafka does not say where the partitions end", err);
    return OK;
}

enum result kafka_bounds_all(struct kafka_log *log, enum topic topic, struct kafka_bound *bounds, struct error *err)
{
    size_t count = (size_t)log->partitions[topic];
    int64_t *first = memory_array(count, sizeof *first);
    int64_t *end = memory_array(count, sizeof *end);
    enum result result = kafka_answers_check(log, err);
    if (result == OK)
        result = ask_all(log, topic, RD_KAFKA_OFFSET_BEGINNING, first, err);
    if (result == OK)
        result = ask_all(log, topic, RD_KAFKA_OFFSET_END, end, err);
    for (size_t p = 0; result == OK && p < count; p++)
        bounds[p] = (struct kafka_bound){first[p], without_marker(topic, (int32_t)p, first[p], end[p]), end[p]};
    free(first);
    free(end);
    return result;
}
