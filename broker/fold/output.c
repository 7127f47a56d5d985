/* What a fold decided, turned into log entries at once: the batch holds bytes, never the fold's views. */
#include "broker/fold/inside.h"

#include <stdlib.h>

void batch_clear(struct batch *batch)
{
    buffer_clear(&batch->bytes);
    arena_reset(&batch->arena);
    batch->count = batch->acknowledged = batch->queued = batch->header_count = 0;
}

void batch_destroy(struct batch *batch)
{
    buffer_destroy(&batch->bytes);
    arena_destroy(&batch->arena);
    free(batch->pending);
    free(batch->headers);
    *batch = (struct batch){0};
}

static void headers_add(struct runner *runner, struct pending *pending, const struct event_header *event)
{
    struct batch *batch = &runner->batch;
    struct log_header headers[RECORD_HEADERS];
    struct event_header lasting = *event; /* the header's texts must outlive the record at hand */
    lasting.type = arena_copy(&batch->arena, event->type);
    lasting.patient = arena_copy(&batch->arena, event->patient);
    lasting.traceparent = arena_copy(&batch->arena, event->traceparent);
    size_t count = record_headers(&lasting, view_of_text(runner->options.region), &batch->arena, headers);
    if (batch->header_count + count > batch->header_capacity) {
        batch->header_capacity = (batch->header_capacity + RECORD_HEADERS) * 2;
        batch->headers = memory_grow(batch->headers, batch->header_capacity * sizeof *batch->headers);
    }
    memcpy(batch->headers + batch->header_count, headers, count * sizeof *headers);
    pending->headers_at = batch->header_count;
    pending->header_count = count;
    batch->header_count += count;
}

void batch_add(struct runner *runner, enum topic topic, int32_t partition, struct view key, struct view value,
               const struct event_header *event)
{
    struct batch *batch = &runner->batch;
    if (batch->count == batch->capacity) {
        batch->capacity = batch->capacity == 0 ? 1024 : batch->capacity * 2;
        batch->pending = memory_grow(batch->pending, batch->capacity * sizeof *batch->pending);
    }
    struct pending *pending = &batch->pending[batch->count++];
    *pending = (struct pending){.topic = topic, .partition = partition};
    pending->key_at = batch->bytes.size;
    pending->key_size = key.size;
    buffer_add_view(&batch->bytes, key);
    pending->value_at = batch->bytes.size;
    pending->value_size = value.size;
    buffer_add_view(&batch->bytes, value);
    if (runner->options.kafka_headers && event != NULL)
        headers_add(runner, pending, event);
}

void output_start(struct fold_output *output, struct part *part, const struct log_record *record,
                  const struct opened_record *opened, bool emit)
{
    output->part = part;
    output->opened = opened;
    output->topic = (int32_t)record->topic;
    output->partition = record->partition;
    output->offset = record->offset;
    if (!output->runner->half_applied)
        output->index = 0;
    output->emit = emit;
}

static struct cause cause_next(struct fold_output *output)
{
    return (struct cause){output->topic, output->partition, output->offset, output->index++};
}

void fold_put_state(struct fold_output *output, struct view state)
{
    buffer_clear(&output->state);
    buffer_add_view(&output->state, state);
    output->state_put = true;
    output->state_removed = false;
}

void fold_remove_state(struct fold_output *output)
{
    output->state_put = false;
    output->state_removed = true;
}

void fold_put_deadline(struct fold_output *output, int64_t deadline_ms)
{
    output->deadline_put = true;
    output->deadline_ms = deadline_ms;
}

static void telling_add(struct fold_output *output, const struct telling *telling, struct view sealed,
                        const struct event_header *event)
{
    struct log *log = output->runner->options.log;
    buffer_clear(&output->scratch);
    record_write_telling(telling, sealed, &output->scratch);
    batch_add(output->runner, TOPIC_ALERTS, log_partition_of(log, TOPIC_ALERTS, telling->subscriber),
              telling->subscriber, buffer_view(&output->scratch), event);
}

void fold_tell(struct fold_output *output, const struct telling *telling)
{
    struct telling told = *telling;
    told.cause = cause_next(output);
    if (!output->emit)
        return;
    told.event_header = output->opened->header;
    telling_add(output, &told, output->opened->sealed, &output->opened->event);
}

/* Seals an event of the fold's own under the patient's key at hand. False: it could not be; the apply is then rejected.
 */
static bool event_seal(struct fold_output *output, const struct event_header *header, const struct event_body *body,
                       struct buffer *to)
{
    struct event_header own = *header;
    own.key_id = output->key_id;
    enum result result = record_seal_event(output->runner->keyring, &own, body, to, &output->error);
    if (result != OK)
        output->result = result;
    return result == OK;
}

void fold_tell_sealed(struct fold_output *output, const struct telling *telling, const struct event_header *header,
                      const struct event_body *body)
{
    struct telling told = *telling;
    struct buffer record = {0};
    struct arena arena = {0};
    struct record_value pair;
    told.cause = cause_next(output);
    if (output->emit && event_seal(output, header, body, &record)) {
        if (schema_decode(SCHEMA_RECORD, buffer_view(&record), &arena, &pair, &output->error) == OK) {
            told.event_header = pair.header;
            telling_add(output, &told, pair.sealed, header);
        } else {
            output->result = REJECTED;
        }
    }
    arena_destroy(&arena);
    buffer_destroy(&record);
}

void fold_emit_event(struct fold_output *output, const struct event_header *header, const struct event_body *body)
{
    struct event_header own = *header;
    struct log *log = output->runner->options.log;
    own.has_cause = true;
    own.cause = cause_next(output);
    if (!output->emit)
        return;
    buffer_clear(&output->scratch);
    if (event_seal(output, &own, body, &output->scratch))
        batch_add(output->runner, TOPIC_EVENTS, log_partition_of(log, TOPIC_EVENTS, own.patient), own.patient,
                  buffer_view(&output->scratch), &own);
}

void fold_emit_work_item(struct fold_output *output, const struct work_item *item)
{
    struct cause cause = cause_next(output);
    struct work_item own = *item;
    own.source_topic = cause.topic;
    own.source_partition = cause.partition;
    own.source_offset = cause.offset;
    own.source_index = cause.index;
    if (!output->emit)
        return;
    buffer_clear(&output->scratch);
    record_write_plain(SCHEMA_WORK_ITEM, &own, &output->scratch);
    batch_add(output->runner, TOPIC_QUARANTINE, 0, own.organisation, buffer_view(&output->scratch), NULL);
}

void fold_put_row(struct fold_output *output, char space, struct view key, struct view value)
{
    store_put(output->runner->store, space, key, value);
}

enum result fold_find_row(struct fold_output *output, char space, struct view key, struct buffer *ret)
{
    enum result result = store_find(output->runner->store, space, key, ret);
    if (result != OK && result != NOTHING) /* whatever the fold makes of it, it is not kept */
        output->result = error_set(&output->error, result, "%.200s", store_why(output->runner->store));
    return result;
}
