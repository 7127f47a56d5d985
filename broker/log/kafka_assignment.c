/*
 * How a reader comes by its partitions, and where it starts in each.
 *
 *   given --committed offsets and bounds are known, options.start said--> assigned --taken away--> none
 *
 * The position stands in the assignment itself, never in a seek after it. librdkafka's callback only takes a note of
 * what was given: the questions that must be asked first need the cluster, and are asked again when it does not answer.
 */
#include "broker/log/kafka_reader.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <inttypes.h>
#include <stdlib.h>

enum { BEYOND_MS = 10 * 1000 }; /* a new leader may not know the end for a moment: no incident yet */

static void given_forget(struct kafka_reader *reader)
{
    if (reader->given != NULL)
        rd_kafka_topic_partition_list_destroy(reader->given);
    reader->given = NULL;
    reader->asked = false;
    reader->beyond_since_ms = 0;
}

void kafka_assignment_all(struct kafka_reader *reader)
{
    reader->given = rd_kafka_topic_partition_list_new(reader->count);
    for (int32_t p = 0; p < reader->count; p++)
        rd_kafka_topic_partition_list_add(reader->given, topic_name(reader->options.topic), p)->offset =
            RD_KAFKA_OFFSET_INVALID;
}

void kafka_assignment_lose(struct kafka_reader *reader)
{
    given_forget(reader);
    for (int32_t p = 0; p < reader->count; p++) {
        if (!reader->parts[p].assigned)
            continue;
        reader->lost = true;
        reader->parts[p].assigned = false; /* first: a commit of a member that the group has given up fences it */
        if (reader->options.revoked != NULL && !reader->closing)
            reader->options.revoked(reader->options.context, p);
    }
}

static void take_away(struct kafka_reader *reader)
{
    if (rd_kafka_assignment_lost(reader->client)) {
        kafka_assignment_lose(reader);
        return;
    }
    for (int32_t p = 0; p < reader->count; p++)
        if (reader->parts[p].assigned && reader->options.revoked != NULL && !reader->closing)
            reader->options.revoked(reader->options.context, p);
    kafka_commits_finish(reader);
    for (int32_t p = 0; p < reader->count; p++) {
        reader->lost = reader->lost || reader->parts[p].assigned;
        reader->parts[p].assigned = false;
    }
}

void kafka_assignment_changed(struct kafka_owner *owner, rd_kafka_resp_err_t code,
                              rd_kafka_topic_partition_list_t *list)
{
    struct kafka_reader *reader = (struct kafka_reader *)(void *)((char *)owner - offsetof(struct kafka_reader, owner));
    given_forget(reader);
    if (code == RD_KAFKA_RESP_ERR__ASSIGN_PARTITIONS) {
        reader->given = rd_kafka_topic_partition_list_copy(list);
    } else {
        take_away(reader);
        rd_kafka_assign(reader->client, NULL);
    }
    rd_kafka_yield(reader->client); /* so that log_read comes back and begins what was given */
}

/* ---- beginning ---- */

static enum result committed_ask(struct kafka_reader *reader, struct error *err)
{
    struct kafka_log *log = reader->owner.log;
    if (reader->options.group == NULL)
        return OK;
    rd_kafka_resp_err_t code = rd_kafka_committed(reader->client, reader->given, KAFKA_PATIENCE_MS);
    for (int i = 0; code == RD_KAFKA_RESP_ERR_NO_ERROR && i < reader->given->cnt; i++)
        code = reader->given->elems[i].err;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR)
        return kafka_error(log, code, "Kafka does not give the group's offsets", err);
    return OK;
}

/* Asks the owner of the reader, once for each partition that was given. */
static enum result starts_ask(struct kafka_reader *reader, const struct kafka_bound *bounds, struct error *err)
{
    for (int i = 0; i < reader->given->cnt; i++) {
        rd_kafka_topic_partition_t *one = &reader->given->elems[i];
        int64_t committed = one->offset >= 0 ? one->offset : -1;
        int64_t start = reader->options.start(reader->options.context, one->partition, committed);
        if (start == LOG_NOT_MINE)
            return error_set(err, FATAL,
                             "%s, partition %" PRId32 ", is not to be read from where the group stands (%" PRId64 ")",
                             topic_name(reader->options.topic), one->partition, committed);
        one->offset = start == LOG_START ? bounds[one->partition].first
                      : start == LOG_END ? bounds[one->partition].end
                                         : start;
    }
    reader->asked = true;
    return OK;
}

static enum result starts_check(struct kafka_reader *reader, const struct kafka_bound *bounds, struct error *err)
{
    for (int i = 0; i < reader->given->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &reader->given->elems[i];
        const struct kafka_bound *bound = &bounds[one->partition];
        if (one->offset >= bound->low && one->offset <= bound->end)
            continue;
        (void)error_set(err, FATAL,
                        "%s, partition %" PRId32 ": position %" PRId64 " is out of range, the log has %" PRId64
                        " to %" PRId64 ": was it restored or truncated?",
                        topic_name(reader->options.topic), one->partition, one->offset, bound->low, bound->end);
        if (one->offset < bound->low)
            return FATAL;
        int64_t now_ms = time_monotonic_ms();
        if (reader->beyond_since_ms == 0)
            reader->beyond_since_ms = now_ms;
        return !reader->owner.log->replicated || now_ms - reader->beyond_since_ms > BEYOND_MS ? FATAL : AGAIN;
    }
    return OK;
}

static enum result begin(struct kafka_reader *reader, const struct kafka_bound *bounds, struct error *err)
{
    struct kafka_log *log = reader->owner.log;
    for (int i = 0; i < reader->given->cnt; i++) {
        const rd_kafka_topic_partition_t *one = &reader->given->elems[i];
        struct kafka_part *part = &reader->parts[one->partition];
        *part = (struct kafka_part){
            .assigned = true, .position = one->offset, .end_seen = bounds[one->partition].end, .commit = -1};
        if (reader->options.group == NULL &&
            rd_kafka_consume_start_queue(reader->topic, one->partition, one->offset, reader->queue) != 0)
            return kafka_error(log, rd_kafka_last_error(), "a partition cannot be read", err);
    }
    if (reader->options.group == NULL)
        return OK;
    rd_kafka_resp_err_t code = rd_kafka_assign(reader->client, reader->given);
    if (code == RD_KAFKA_RESP_ERR_NO_ERROR)
        return OK;
    for (int32_t p = 0; p < reader->count; p++)
        reader->parts[p].assigned = false;
    return kafka_error(log, code, "the group's partitions cannot be read", err);
}

enum result kafka_assignment_begin(struct kafka_reader *reader, struct error *err)
{
    struct kafka_bound *bounds = memory_array((size_t)reader->count, sizeof *bounds);
    enum result result = kafka_bounds_all(reader->owner.log, reader->options.topic, bounds, err);
    if (result == OK && !reader->asked)
        result = committed_ask(reader, err);
    if (result == OK && !reader->asked)
        result = starts_ask(reader, bounds, err);
    if (result == OK)
        result = starts_check(reader, bounds, err);
    if (result == OK) {
        result = begin(reader, bounds, err);
        given_forget(reader);
    }
    free(bounds);
    return result;
}

void kafka_assignment_end(struct kafka_reader *reader)
{
    given_forget(reader);
    if (reader->options.group != NULL)
        return;
    for (int32_t p = 0; p < reader->count; p++)
        if (reader->parts[p].assigned)
            rd_kafka_consume_stop(reader->topic, p);
}

/* ---- the group's offsets ---- */

/* Whatever becomes of a commit: what a lost one covers is folded again (design, section 3, item 3). */
static void commit(struct kafka_reader *reader, rd_kafka_topic_partition_list_t *list, bool wait)
{
    if (list->cnt > 0)
        (void)rd_kafka_commit(reader->client, list, !wait);
    rd_kafka_topic_partition_list_destroy(list);
}

void kafka_commit_send(struct kafka_reader *reader, int32_t partition, int64_t next_offset)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    reader->parts[partition].commit = next_offset;
    rd_kafka_topic_partition_list_add(list, topic_name(reader->options.topic), partition)->offset = next_offset;
    commit(reader, list, false);
}

void kafka_commits_finish(struct kafka_reader *reader)
{
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(reader->count);
    for (int32_t p = 0; p < reader->count; p++)
        if (reader->parts[p].assigned && reader->parts[p].commit >= 0)
            rd_kafka_topic_partition_list_add(list, topic_name(reader->options.topic), p)->offset =
                reader->parts[p].commit;
    commit(reader, list, kafka_answers_reachable(reader->owner.log));
}
