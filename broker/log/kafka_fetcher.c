/* Single records of Kafka by their position, bounds, and the newest values of compacted topics; for one thread. */
#include "broker/log/kafka.h"

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/compacted.h"

#include <stdlib.h>

enum {
    RECENT = 128, /* messages kept: a pull reads a subscriber's tellings one after the other, and again */
    AHEAD = 100,  /* so far ahead the stream is read on; beyond, it is begun anew */
    /* librdkafka 2.0 now and then sleeps over the start of a stream for a second: it is started again, at growing
       pauses. */
    FIRST_PATIENCE_MS = 25,
};

static const struct kafka_setting settings[] = {
    {"enable.partition.eof", "true"},
    {"auto.offset.reset", "error"},
    {"check.crcs", "true"},
    {"fetch.wait.max.ms",
     "10"}, /* one question at a time goes to a broker: a wait at the end holds up the next fetch */
    {"fetch.message.max.bytes", "65536"},
    {"fetch.error.backoff.ms", "50"},
    {"queued.min.messages", "50"}, /* reads ahead by about one answer */
    {"queued.max.messages.kbytes", "2048"},
    {NULL, NULL},
};

struct kafka_fetcher {
    struct log_fetcher base;
    struct kafka_owner owner; /* of client */
    rd_kafka_t *client;       /* made for the first fetch */
    rd_kafka_topic_t *topics[TOPIC_COUNT];
    rd_kafka_queue_t *queue;

    bool streaming; /* topic and partition are being read, from next on */
    bool fresh;     /* begun for the fetch under way: what was the end before may not be it now */
    enum topic topic;
    int32_t partition;
    int64_t next;

    struct recent {
        enum topic topic;
        rd_kafka_message_t *message;
    } recent[RECENT];
    size_t newest;

    struct compacted_view *views[TOPIC_COUNT];
};

static struct kafka_fetcher *fetcher_of(struct log_fetcher *fetcher)
{
    return (struct kafka_fetcher *)(void *)fetcher;
}

enum result kafka_fetcher_open(struct log *log, struct log_fetcher **ret, struct error *err)
{
    (void)err;
    struct kafka_fetcher *fetcher = memory_take(sizeof *fetcher);
    fetcher->base.operations = log->operations;
    fetcher->owner.log = kafka_log_of(log);
    *ret = &fetcher->base;
    return OK;
}

static void stream_stop(struct kafka_fetcher *fetcher)
{
    if (fetcher->streaming)
        rd_kafka_consume_stop(fetcher->topics[fetcher->topic], fetcher->partition);
    fetcher->streaming = false;
}

void kafka_fetcher_close(struct log_fetcher *base)
{
    struct kafka_fetcher *fetcher = fetcher_of(base);
    stream_stop(fetcher);
    for (size_t i = 0; i < RECENT; i++)
        if (fetcher->recent[i].message != NULL)
            rd_kafka_message_destroy(fetcher->recent[i].message);
    if (fetcher->queue != NULL)
        rd_kafka_queue_destroy(fetcher->queue);
    for (enum topic topic = 0; topic < TOPIC_COUNT; topic++) {
        if (fetcher->topics[topic] != NULL)
            rd_kafka_topic_destroy(fetcher->topics[topic]);
        compacted_view_close(fetcher->views[topic]);
    }
    if (fetcher->client != NULL)
        rd_kafka_destroy(fetcher->client);
    free(fetcher);
}

/* ---- one record ---- */

static enum result stream_start(struct kafka_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset,
                                struct error *err)
{
    if (fetcher->client == NULL) {
        enum result result = kafka_client_open(&fetcher->owner, RD_KAFKA_CONSUMER, settings, &fetcher->client, err);
        if (result != OK)
            return result;
        fetcher->queue = rd_kafka_queue_new(fetcher->client);
    }
    stream_stop(fetcher);
    if (fetcher->topics[topic] == NULL)
        fetcher->topics[topic] = rd_kafka_topic_new(fetcher->client, topic_name(topic), NULL);
    if (rd_kafka_consume_start_queue(fetcher->topics[topic], partition, offset, fetcher->queue) != 0)
        return kafka_error(fetcher->owner.log, rd_kafka_last_error(), "a record cannot be fetched", err);
    fetcher->streaming = fetcher->fresh = true;
    fetcher->topic = topic;
    fetcher->partition = partition;
    fetcher->next = offset;
    return OK;
}

static const rd_kafka_message_t *recent_find(const struct kafka_fetcher *fetcher, enum topic topic, int32_t partition,
                                             int64_t offset)
{
    for (size_t i = 0; i < RECENT; i++) {
        const rd_kafka_message_t *message = fetcher->recent[i].message;
        if (message != NULL && fetcher->recent[i].topic == topic && message->partition == partition &&
            message->offset == offset)
            return message;
    }
    return NULL;
}

static void recent_keep(struct kafka_fetcher *fetcher, rd_kafka_message_t *message)
{
    fetcher->newest = (fetcher->newest + 1) % RECENT;
    struct recent *place = &fetcher->recent[fetcher->newest];
    if (place->message != NULL)
        rd_kafka_message_destroy(place->message);
    *place = (struct recent){fetcher->topic, message};
}

/* The stream's next message is kept. NOTHING: no record begins at offset. AGAIN with no reason in err: read on. */
static enum result stream_take(struct kafka_fetcher *fetcher, rd_kafka_message_t *message, int64_t offset,
                               bool *ret_over, struct error *err)
{
    rd_kafka_resp_err_t code = message->err;
    *ret_over = true;
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR) {
        int64_t at = message->offset;
        if (message->partition != fetcher->partition || at < fetcher->next) {
            rd_kafka_message_destroy(message); /* left over from a stream before */
            *ret_over = false;
            return NOTHING;
        }
        fetcher->next = at + 1;
        recent_keep(fetcher, message);
        *ret_over = at >= offset;
        return at == offset ? OK : NOTHING;
    }
    enum result result = NOTHING;
    if (code == RD_KAFKA_RESP_ERR__PARTITION_EOF) /* may be a stale one, of a stream before */
        *ret_over = fetcher->fresh && message->partition == fetcher->partition && message->offset >= fetcher->next;
    else if (code != RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET && code != RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        result = kafka_error(fetcher->owner.log, code, "a record cannot be fetched", err);
    rd_kafka_message_destroy(message);
    if (*ret_over)
        stream_stop(fetcher); /* at the end it would only keep the next fetch waiting */
    return result == REJECTED ? FATAL : result;
}

/* librdkafka reads on up to a second after its queue was full: what is not in the queue yet is asked for anew. */
static bool stream_leads_to(const struct kafka_fetcher *fetcher, enum topic topic, int32_t partition, int64_t offset)
{
    return fetcher->streaming && fetcher->topic == topic && fetcher->partition == partition &&
           offset >= fetcher->next && offset - fetcher->next <= AHEAD && rd_kafka_queue_length(fetcher->queue) > 0;
}

enum result kafka_fetch(struct log_fetcher *base, enum topic topic, int32_t partition, int64_t offset,
                        struct log_record *ret, struct error *err)
{
    struct kafka_fetcher *fetcher = fetcher_of(base);
    if (topic >= TOPIC_COUNT || partition < 0 || partition >= fetcher->owner.log->partitions[topic] || offset < 0)
        return NOTHING;
    const rd_kafka_message_t *found = recent_find(fetcher, topic, partition, offset);
    enum result result = found != NULL ? OK : kafka_answers_check(fetcher->owner.log, err);
    bool over = found != NULL;
    if (result != OK)
        return result;
    int patience_ms = 0; /* 0: not asked for yet */
    fetcher->fresh = false;
    int64_t deadline = time_monotonic_ms() + KAFKA_PATIENCE_MS;
    while (!over && time_monotonic_ms() < deadline) {
        if (patience_ms != 0 || !stream_leads_to(fetcher, topic, partition, offset)) {
            patience_ms = patience_ms == 0 ? FIRST_PATIENCE_MS : 2 * patience_ms;
            result = stream_start(fetcher, topic, partition, offset, err);
            if (result != OK)
                return result;
        }
        rd_kafka_message_t *message;
        while (!over && (message = rd_kafka_consume_queue(fetcher->queue, patience_ms)) != NULL)
            result = stream_take(fetcher, message, offset, &over, err);
        rd_kafka_poll(fetcher->client, 0);
    }
    if (!over)
        return kafka_error(fetcher->owner.log, RD_KAFKA_RESP_ERR__TIMED_OUT, "a record cannot be fetched", err);
    if (result != OK)
        return result;
    found = recent_find(fetcher, topic, partition, offset);
    if (found == NULL || kafka_is_marker(view_make(found->key, found->key_len)))
        return NOTHING;
    *ret = kafka_record(topic, found);
    return OK;
}

enum result kafka_bounds(struct log_fetcher *base, enum topic topic, int32_t partition, int64_t *ret_first,
                         int64_t *ret_end, struct error *err)
{
    struct kafka_bound bound;
    enum result result = kafka_bound_one(fetcher_of(base)->owner.log, topic, partition, &bound, err);
    if (result != OK)
        return result;
    *ret_first = bound.first;
    *ret_end = bound.end;
    return OK;
}

/* ---- compacted topics ---- */

static enum result look(struct kafka_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret_key,
                        struct buffer *ret_value, struct error *err)
{
    if (ret_key == NULL)
        return compacted_view_find(fetcher->views[topic], key, ret_value, err);
    return compacted_view_find_prefix(fetcher->views[topic], key, ret_key, ret_value, err);
}

/*
 * A key is written once, and then at most erased: one that the copy holds is the answer. That it is not there is
 * certain only at the end of the topic. Directory entries change, so there the end is always asked for.
 */
static enum result find(struct kafka_fetcher *fetcher, enum topic topic, struct view key, struct buffer *ret_key,
                        struct buffer *ret_value, struct error *err)
{
    struct kafka_log *log = fetcher->owner.log;
    struct kafka_copy *copy = NULL;
    if (!topic_is_compacted(topic))
        return error_set(err, REJECTED, "%s is not a compacted topic", topic_name(topic));
    enum result result = kafka_copy_find(log, topic, &copy, err);
    if (result == OK && fetcher->views[topic] == NULL)
        result = kafka_copy_view(copy, &fetcher->views[topic], err);
    if (result == OK && topic == TOPIC_KEYS) {
        result = kafka_copy_reach(copy, atomic_load(log->own_end[topic]), err);
        if (result == OK)
            result = look(fetcher, topic, key, ret_key, ret_value, err);
        if (result != NOTHING)
            return result;
    } else if (result != OK) {
        return result;
    }
    struct kafka_bound bound;
    result = kafka_bound_one(log, topic, 0, &bound, err);
    if (result == OK)
        result = kafka_copy_reach(copy, bound.end, err);
    if (result == OK)
        result = look(fetcher, topic, key, ret_key, ret_value, err);
    return result;
}

enum result kafka_find(struct log_fetcher *base, enum topic topic, struct view key, struct buffer *ret,
                       struct error *err)
{
    return find(fetcher_of(base), topic, key, NULL, ret, err);
}

enum result kafka_find_prefix(struct log_fetcher *base, enum topic topic, struct view prefix, struct buffer *ret_key,
                              struct buffer *ret_value, struct error *err)
{
    return find(fetcher_of(base), topic, prefix, ret_key, ret_value, err);
}
