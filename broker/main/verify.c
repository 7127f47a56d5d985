/* The whole log, read once: each record for itself, and the alerts as the fold of the events. */
#include "broker/main/verify.h"

#include "broker/main/verifying.h"

#include "consumers/match/match.h"

#include <stdio.h>
#include <stdlib.h>

enum { CACHED_KEYS = 8192, FEW_KEYS = 16, AT_ONCE = 500 };

/* What makes two tellings the same, whichever version of the schema they were written with. */
static void content_hash(const struct opened_record *opened, struct view key, uint8_t ret[HASH_SIZE])
{
    struct buffer header = {0};
    schema_encode(SCHEMA_TELLING, &opened->telling, &header);
    struct view parts[] = {key, buffer_view(&header), opened->sealed};
    vault_hash(parts, sizeof parts / sizeof parts[0], ret, HASH_SIZE);
    buffer_destroy(&header);
}

/* ---- The events, and what they give ---- */

static void output_take(void *context, const struct log_entry *output)
{
    struct verifying *verifying = context;
    struct opened_record opened;
    struct arena arena = {0};
    uint8_t content[HASH_SIZE];
    if (verifying->result == OK && output->topic == TOPIC_ALERTS) {
        verifying->result = record_open(output->value, &arena, &opened, verifying->difference);
        if (verifying->result == OK && opened.kind == SCHEMA_TELLING) {
            content_hash(&opened, output->key, content);
            verifying->result = tellings_expect(verifying->tellings, output->partition, &opened.telling.cause, content,
                                                verifying->difference);
        }
    }
    arena_destroy(&arena);
}

static enum result event_take(void *context, const struct log_record *record, struct error *err)
{
    struct verifying *verifying = context;
    struct opened_record opened;
    bool erased = false;
    arena_reset(&verifying->arena);
    enum result result = verify_open(verifying, record, &opened, err);
    if (result == OK)
        result = verify_sealed(verifying, record, &opened, &erased, err);
    if (result != OK)
        return result;
    verifying->counts.events += opened.kind == SCHEMA_EVENT_HEADER;
    verifying->counts.erased += erased;
    if (erased)
        return OK; /* what it said to whom is known to nobody any more */
    verifying->result = OK;
    verifying->difference = err;
    result = runner_replay(verifying->match, record, output_take, verifying, err);
    return result == OK ? verifying->result : result;
}

/* ---- The alerts, and what stands in them ---- */

static void nothing_take(void *context, const struct log_entry *output)
{
    (void)context;
    (void)output;
}

static void numbered_count(void *context, const struct fold_input *input, bool live)
{
    struct verifying *verifying = context;
    size_t count;
    (void)input;
    (void)live;
    (void)number_just_numbered(verifying->number, &count);
    if (input->opened->kind == SCHEMA_TELLING)
        verifying->counts.numbered += (int64_t)count;
}

static enum result telling_take(struct verifying *verifying, const struct log_record *record,
                                const struct opened_record *opened, bool erased, struct error *err)
{
    const struct cause *cause = &opened->telling.cause;
    uint8_t content[HASH_SIZE];
    if (cause->topic != TOPIC_EVENTS || cause->partition < 0 || cause->partition >= verifying->events.partitions)
        return verify_differs(record, "its cause is no record of tidings.events", err);
    if (tellings_is_duplicate(verifying->tellings, record->partition, cause)) {
        verifying->counts.duplicates++;
        return OK;
    }
    verifying->counts.tellings++;
    if (cause->offset >= verifying->events.ends[cause->partition])
        return OK; /* of an event that came after the start */
    if (cause->offset > verifying->settled[cause->partition] && verifying->options->one_stream)
        verifying->settled[cause->partition] = cause->offset;
    if (erased)
        return OK;
    content_hash(opened, record->key, content);
    return tellings_find(verifying->tellings, record->partition, record->offset, cause, content, err);
}

static enum result alert_take(void *context, const struct log_record *record, struct error *err)
{
    struct verifying *verifying = context;
    struct opened_record opened;
    bool erased = false;
    arena_reset(&verifying->arena);
    enum result result = verify_open(verifying, record, &opened, err);
    if (result == OK)
        result = verify_sealed(verifying, record, &opened, &erased, err);
    if (result == OK && opened.kind == SCHEMA_TELLING)
        result = telling_take(verifying, record, &opened, erased, err);
    verifying->counts.erased += result == OK && erased;
    return result == OK ? runner_replay(verifying->numbers, record, nothing_take, NULL, err) : result;
}

/* ---- All of it ---- */

/* How far matching has come: its outputs are durable before its store says so. Before the ends of the topics are
 * taken. */
static void settled_read(struct verifying *verifying)
{
    char path[512];
    struct store *store = NULL;
    struct store_position position;
    int32_t partitions = log_partitions(verifying->options->log, TOPIC_EVENTS);
    verifying->settled = memory_array((size_t)partitions, sizeof *verifying->settled);
    (void)snprintf(path, sizeof path, "%s/match.store", verifying->options->data_folder);
    if (store_open_read_only(path, &store, NULL) != OK)
        return;
    for (int32_t i = 0; i < partitions; i++)
        if (store_position_find(store, TOPIC_EVENTS, i, &position) == OK && position.next_offset > 0)
            verifying->settled[i] = position.next_offset;
    store_close(store);
}

static enum result folds_open(struct verifying *verifying, struct error *err)
{
    struct runner_options options = {.log = verifying->options->log,
                                     .vault = verifying->options->vault,
                                     .data_folder = verifying->options->scratch,
                                     .region = ""};
    struct fold match = match_fold();
    verifying->number = number_create();
    struct fold numbers = number_fold("numbers", false, verifying->number, numbered_count);
    numbers.applied_context = verifying;
    enum result result = runner_open_replay(&match, &options, &verifying->match, err);
    return result == OK ? runner_open_replay(&numbers, &options, &verifying->numbers, err) : result;
}

static enum result verifying_open(struct verifying *verifying, struct error *err)
{
    struct log *log = verifying->options->log;
    settled_read(verifying);
    enum result result = log_fetcher_open(log, &verifying->fetcher, err);
    if (result == OK)
        result = bounded_open(log, verifying->fetcher, TOPIC_ALERTS, &verifying->alerts, err);
    if (result == OK) /* after the alerts: so it holds what they tell of */
        result = bounded_open(log, verifying->fetcher, TOPIC_EVENTS, &verifying->events, err);
    if (result == OK)
        result = keyring_open(log, verifying->options->vault, CACHED_KEYS, &verifying->keyring, err);
    if (result == OK)
        result = folds_open(verifying, err);
    if (result != OK)
        return result;
    verifying->unwrapped = key_cache_create(verifying->options->vault, FEW_KEYS);
    verifying->tellings = tellings_create(verifying->alerts.partitions, verifying->events.partitions);
    return OK;
}

static void verifying_close(struct verifying *verifying)
{
    runner_close(verifying->match);
    runner_close(verifying->numbers);
    number_destroy(verifying->number);
    tellings_destroy(verifying->tellings);
    key_cache_destroy(verifying->unwrapped);
    keyring_close(verifying->keyring);
    bounded_close(&verifying->events);
    bounded_close(&verifying->alerts);
    log_fetcher_close(verifying->fetcher);
    arena_destroy(&verifying->arena);
    free(verifying->settled);
}

static enum result still_wanted(const struct verifying *verifying, int64_t records, struct error *err)
{
    const struct verify_options *options = verifying->options;
    if (options->progress != NULL)
        options->progress(options->context, records, verifying->total);
    return atomic_load(options->stop) ? error_set(err, AGAIN, "stopped before the end") : OK;
}

static enum result topic_verify(struct verifying *verifying, enum topic topic,
                                enum result (*each)(void *context, const struct log_record *record, struct error *err),
                                struct error *err)
{
    struct bounded bounded = {0};
    enum result result = bounded_open(verifying->options->log, verifying->fetcher, topic, &bounded, err);
    while (result == OK) {
        result = bounded_read(&bounded, AT_ONCE, each, verifying, err);
        if (result == OK)
            result = still_wanted(verifying, verifying->counts.records + bounded.records, err);
    }
    verifying->counts.records += bounded.records;
    bounded_close(&bounded);
    return result == NOTHING ? OK : result;
}

/* Positions of the embedded log are addresses: there the reader counts. */
static int64_t records_ahead(const struct verifying *verifying, const struct bounded *bounded)
{
    int64_t count = 0;
    if (verifying->options->one_stream)
        return log_reader_lag(bounded->reader);
    for (int32_t i = 0; i < bounded->partitions; i++)
        count += bounded->ends[i] - bounded->next[i];
    return count;
}

/* Both at one pace, so that little waits for its other half. */
static enum result events_and_alerts_verify(struct verifying *verifying, struct error *err)
{
    enum result events = OK, alerts = OK;
    int64_t before = verifying->counts.records;
    verifying->total =
        before + records_ahead(verifying, &verifying->events) + records_ahead(verifying, &verifying->alerts);
    while ((events == OK || alerts == OK) && (events == OK || events == NOTHING)) {
        if (events == OK)
            events = bounded_read(&verifying->events, AT_ONCE, event_take, verifying, err);
        if (events != OK && events != NOTHING)
            break;
        if (alerts == OK)
            alerts = bounded_read(&verifying->alerts, AT_ONCE, alert_take, verifying, err);
        if (alerts != OK && alerts != NOTHING)
            break;
        verifying->counts.records = before + verifying->events.records + verifying->alerts.records;
        if (still_wanted(verifying, verifying->counts.records, err) != OK)
            return AGAIN;
    }
    if (events != NOTHING || alerts != NOTHING)
        return events != NOTHING && events != OK ? events : alerts;
    return tellings_end(verifying->tellings, verifying->settled, &verifying->counts.untold, err);
}

enum result verify_log(const struct verify_options *options, struct verify_counts *ret, struct error *err)
{
    struct verifying verifying = {.options = options};
    enum result result = verifying_open(&verifying, err);
    if (result == OK)
        result = topic_verify(&verifying, TOPIC_KEYS, verify_key, err);
    if (result == OK)
        result = topic_verify(&verifying, TOPIC_DIRECTORY, verify_directory, err);
    if (result == OK)
        result = topic_verify(&verifying, TOPIC_QUARANTINE, verify_quarantine, err);
    if (result == OK)
        result = events_and_alerts_verify(&verifying, err);
    *ret = verifying.counts;
    verifying_close(&verifying);
    return result;
}
