/* Where folding starts in a partition, and how far it is committed: outputs, then the store, then the group's offset.
 */
#include "broker/fold/inside.h"

#include "broker/base/time.h"

#include <inttypes.h>
#include <poll.h>

enum { PATIENCE_MS = 30 * 1000, PAUSE_MS = 50 };

static struct store_position position_none(const struct runner *runner, int32_t partition)
{
    return (struct store_position){.topic = (int32_t)runner->fold.source,
                                   .partition = partition,
                                   .next_offset = -1,
                                   .last_offset = -1,
                                   .rules = 1};
}

void parts_load(struct runner *runner)
{
    for (int32_t i = 0; i < runner->part_count; i++) {
        struct part *part = &runner->parts[i];
        struct store_position found;
        *part = (struct part){.position = position_none(runner, i), .offset_committed = -1, .emit_from = INT64_MAX};
        if (store_position_find(runner->store, (int32_t)runner->fold.source, i, &found) == OK) {
            part->position = found;
            part->known = true;
        }
        part->earliest_deadline_ms = deadline_earliest(runner, i);
    }
}

static int64_t start_at_the_beginning(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

static void told_from_note(void *context, const struct log_record *record)
{
    struct runner *runner = context;
    struct opened_record opened;
    arena_reset(&runner->arena);
    if (record_open(record->value, &runner->arena, &opened, NULL) == OK && opened.kind == SCHEMA_TELLING &&
        opened.telling.cause.partition >= 0 && opened.telling.cause.partition < runner->part_count)
        runner->told_from[opened.telling.cause.partition] = true;
}

/* Which source partitions has anybody been told from? Only those cannot be started anew without telling twice. */
static enum result told_from_read(struct runner *runner, struct error *err)
{
    struct log_reader_options options = {.topic = TOPIC_ALERTS, .start = start_at_the_beginning};
    struct log_reader *reader;
    enum result result = log_reader_open(runner->options.log, &options, &reader, err);
    if (result != OK)
        return result;
    runner->told_from = memory_array((size_t)runner->part_count, sizeof *runner->told_from);
    result = log_read_to_end(reader, PATIENCE_MS, told_from_note, runner, err);
    log_reader_close(reader);
    return result;
}

/* A log that is not reachable for a moment is no incident. */
static enum result fetch_patiently(struct runner *runner, int32_t partition, int64_t offset, struct log_record *ret,
                                   struct error *err)
{
    int64_t give_up_ms = time_monotonic_ms() + PATIENCE_MS;
    enum result result;
    while ((result = log_fetch(runner->fetcher, runner->fold.source, partition, offset, ret, err)) == AGAIN &&
           time_monotonic_ms() < give_up_ms)
        (void)poll(NULL, 0, PAUSE_MS);
    return result;
}

/* The last record that was applied is read back: a restored or truncated log is an incident, not a start. */
static bool last_record_is_the_same(struct runner *runner, const struct store_position *position)
{
    struct log_record record;
    struct error err = {0};
    if (position->last_offset < 0 || runner->options.sabotage == SABOTAGE_NO_READ_BACK)
        return true;
    enum result result = fetch_patiently(runner, position->partition, position->last_offset, &record, &err);
    if (result == OK) {
        uint8_t hash[HASH_SIZE];
        struct view parts[] = {record.key, record.value};
        vault_hash(parts, 2, hash, sizeof hash);
        if (memcmp(hash, position->last_hash, sizeof hash) == 0)
            return true;
    }
    if (result != OK && result != NOTHING) {
        (void)error_set(&runner->incident, FATAL, "%s: where folding stopped last cannot be read back: %.150s",
                        runner->fold.name, err.text);
        return false;
    }
    (void)error_set(&runner->incident, FATAL,
                    "%s: record %" PRId32 "/%" PRId64 " of %s is not the one that was folded: the log was restored or "
                    "truncated; put the right log back, or remove the store %s.store and use `tidings recover`",
                    runner->fold.name, position->partition, position->last_offset, topic_name(runner->fold.source),
                    runner->fold.name);
    return false;
}

/* A group's offset beyond the end was given by a log that is no more: up to it everything new would be passed over. */
static bool offset_is_in_the_log(struct runner *runner, int32_t partition, int64_t committed)
{
    int64_t give_up_ms = time_monotonic_ms() + PATIENCE_MS, first = 0, end = 0;
    struct error err = {0};
    enum result result;
    if (committed <= 0 || runner->options.sabotage == SABOTAGE_NO_READ_BACK)
        return true;
    while ((result = log_bounds(runner->fetcher, runner->fold.source, partition, &first, &end, &err)) == AGAIN &&
           time_monotonic_ms() < give_up_ms)
        (void)poll(NULL, 0, PAUSE_MS);
    if (result != OK)
        (void)error_set(&runner->incident, FATAL, "%s: %.200s", runner->fold.name, err.text);
    else if (committed > end)
        (void)error_set(&runner->incident, FATAL,
                        "%s: the group's offset %" PRId64 " is beyond the end of %s, partition %" PRId32
                        ": the log was restored or truncated; put the right log back, or use `tidings recover`",
                        runner->fold.name, committed, topic_name(runner->fold.source), partition);
    return result == OK && committed <= end;
}

/* Neither store nor offset: only a partition from which nobody was told of anything may be started from its beginning.
 */
static bool may_start_anew(struct runner *runner, int32_t partition)
{
    struct error err = {0};
    if (!runner->fold.owner || runner->fold.source != TOPIC_EVENTS)
        return true;
    if (runner->told_from == NULL && told_from_read(runner, &err) != OK) {
        (void)error_set(&runner->incident, FATAL, "%s: %.200s", runner->fold.name, err.text);
        return false;
    }
    if (runner->told_from[partition])
        (void)error_set(&runner->incident, FATAL,
                        "%s: the store and the group's offset are gone, and people were told already; run `tidings "
                        "recover` to say from where to go on",
                        runner->fold.name);
    return !runner->told_from[partition];
}

int64_t part_start(void *context, int32_t partition, int64_t committed)
{
    struct runner *runner = context;
    if (partition < 0 || partition >= runner->part_count) {
        (void)error_set(&runner->incident, FATAL, "%s: partition %d is beyond the %d of this log", runner->fold.name,
                        partition, runner->part_count);
        return LOG_NOT_MINE;
    }
    struct part *part = &runner->parts[partition];
    if (!last_record_is_the_same(runner, &part->position) || !offset_is_in_the_log(runner, partition, committed))
        return LOG_NOT_MINE;
    if (!part->known && committed < 0) {
        if (!may_start_anew(runner, partition))
            return LOG_NOT_MINE;
        part->position.next_offset = 0; /* committed before anything is emitted */
        runner->started_anew = true;
    }
    int64_t stored = part->position.next_offset;
    part->mine = true;
    part->known = true;
    part->emit_from = committed > stored ? committed : stored;
    part->offset_committed = committed;
    part->dirty = true;
    return stored < 0 ? LOG_START : stored;
}

void part_revoked(void *context, int32_t partition)
{
    struct runner *runner = context;
    struct error err;
    if (partition < 0 || partition >= runner->part_count)
        return;
    if (!runner->outstanding && !runner->half_applied && commit_store(runner, &err) == OK)
        commit_offsets(runner);
    runner->parts[partition].mine = false;
}

enum result commit_store(struct runner *runner, struct error *err)
{
    watermarks_store(runner);
    for (int32_t i = 0; i < runner->part_count; i++)
        if (runner->parts[i].dirty)
            store_position_put(runner->store, &runner->parts[i].position);
    enum result result = store_commit(runner->store, err);
    if (result != OK)
        return result;
    for (int32_t i = 0; i < runner->part_count; i++)
        runner->parts[i].dirty = false;
    runner->events_since_commit = 0;
    runner->last_commit_ms = time_monotonic_ms();
    runner_at_point(runner, "store-committed");
    return OK;
}

void commit_offsets(struct runner *runner)
{
    struct error err;
    bool any = false;
    if (!runner->fold.owner)
        return;
    for (int32_t i = 0; i < runner->part_count; i++) {
        struct part *part = &runner->parts[i];
        if (!part->mine || part->position.next_offset <= part->offset_committed)
            continue;
        /* Lost is only late: what comes again is recognised. */
        if (log_reader_commit(runner->reader, i, part->position.next_offset, &err) != OK)
            continue;
        part->offset_committed = part->position.next_offset;
        any = true;
    }
    runner->last_offset_commit_ms = time_monotonic_ms();
    if (any)
        runner_at_point(runner, "offset-committed");
}
