/* Time passes in the log: ticks are appended by a partition's owner, and wake the keys whose deadline they pass. */
#include "broker/fold/inside.h"

#include "broker/base/bytes.h"
#include "broker/base/note.h"
#include "broker/base/time.h"

#include <stdlib.h>
#include <sys/timex.h>

enum { WAKES_AT_ONCE = 1000, CHECK_MS = 1000, DEADLINE_HEAD_SIZE = 4 + 8 };

struct view deadline_key(int32_t partition, int64_t deadline_ms, struct view key, struct buffer *to)
{
    uint8_t head[DEADLINE_HEAD_SIZE];
    bytes_put_u32(head, (uint32_t)partition);
    bytes_put_u64(head + 4, (uint64_t)deadline_ms);
    buffer_clear(to);
    buffer_add(to, head, sizeof head);
    buffer_add_view(to, key);
    return buffer_view(to);
}

static bool first_only(void *context, struct view key, struct view value)
{
    (void)value;
    if (key.size >= DEADLINE_HEAD_SIZE)
        *(int64_t *)context = (int64_t)bytes_get_u64((const uint8_t *)key.data + 4);
    return false;
}

int64_t deadline_earliest(struct runner *runner, int32_t partition)
{
    uint8_t from[4], to[4];
    int64_t earliest = INT64_MAX;
    bytes_put_u32(from, (uint32_t)partition);
    bytes_put_u32(to, (uint32_t)partition + 1);
    if (store_scan(runner->store, DEADLINE_SPACE, VIEW_OF(from), VIEW_OF(to), first_only, &earliest) != OK)
        return INT64_MAX;
    return earliest;
}

/* A clock far ahead of everything in the log is believed only when the system says that it is set by others. */
static bool clock_is_believable(const struct runner *runner, int64_t now_ms)
{
    if (runner->newest_record_ms == 0 || now_ms - runner->newest_record_ms <= DAY_MS)
        return true;
    struct timex state = {0};
    return adjtimex(&state) != TIME_ERROR;
}

static bool tick_is_due(const struct part *part, int64_t now_ms)
{
    if (!part->mine || now_ms <= part->last_tick_ms)
        return false;
    if (now_ms / DAY_MS != part->last_tick_ms / DAY_MS && part->last_tick_ms != 0)
        return true;
    return part->earliest_deadline_ms <= now_ms && now_ms - part->last_tick_ms >= TICK_MS;
}

enum result ticks_append(struct runner *runner, struct error *err)
{
    int64_t now_ms = time_now_ms();
    if (!runner->fold.owner || time_monotonic_ms() - runner->last_tick_check_ms < CHECK_MS)
        return OK;
    runner->last_tick_check_ms = time_monotonic_ms();
    if (!clock_is_believable(runner, now_ms)) {
        note(NOTE_WARNING, "tick-withheld",
             "role=%s why=\"the clock is more than a day ahead of the log and not synchronised\"", runner->fold.name);
        return OK;
    }
    struct buffer value = {0};
    for (int32_t i = 0; i < runner->part_count; i++) {
        struct part *part = &runner->parts[i];
        if (part->last_tick_ms == 0)
            part->last_tick_ms = now_ms - TICK_MS; /* the day is counted from the start */
        if (!tick_is_due(part, now_ms))
            continue;
        struct tick tick = {.utc_ms = now_ms};
        if (runner->options.local_offset_s != NULL)
            tick.local_offset_s = runner->options.local_offset_s(runner->options.context, now_ms);
        buffer_clear(&value);
        record_write_plain(SCHEMA_TICK, &tick, &value);
        batch_add(runner, runner->fold.source, i, VIEW("tick"), buffer_view(&value), NULL);
        part->last_tick_ms = now_ms;
        runner->outstanding = true;
    }
    buffer_destroy(&value);
    return runner->outstanding ? batch_flush(runner, err) : OK;
}

struct due {
    struct arena arena;
    struct view rows[WAKES_AT_ONCE]; /* deadline_key: partition and deadline, then the key */
    size_t count;
};

static bool due_add(void *context, struct view key, struct view value)
{
    struct due *due = context;
    (void)value;
    due->rows[due->count++] = arena_copy(&due->arena, key);
    return due->count < WAKES_AT_ONCE;
}

static void due_find(struct runner *runner, int32_t partition, int64_t now_ms, struct due *due)
{
    uint8_t from[4], to[DEADLINE_HEAD_SIZE];
    bytes_put_u32(from, (uint32_t)partition);
    bytes_put_u32(to, (uint32_t)partition);
    bytes_put_u64(to + 4, (uint64_t)now_ms + 1);
    arena_reset(&due->arena);
    due->count = 0;
    if (store_scan(runner->store, DEADLINE_SPACE, VIEW_OF(from), VIEW_OF(to), due_add, due) != OK)
        due->count = 0;
}

/* A wake that can never succeed is put before a person, and loses its deadline: others must not wait behind it. */
static enum result key_wake(struct runner *runner, struct part *part, const struct log_record *record, struct view row,
                            int64_t now_ms, struct error *err)
{
    struct fold_input input = {.rules = part->position.rules,
                               .key = view_after(row, DEADLINE_HEAD_SIZE),
                               .record = record,
                               .opened = runner->output.opened,
                               .now_ms = now_ms,
                               .wake = true};
    enum result result = state_apply(runner, &input, err);
    if (result == REJECTED) {
        quarantine(runner, record, err->text);
        store_remove(runner->store, DEADLINE_SPACE, row);
        return OK;
    }
    if (result == OK && runner->output.deadline_ms != 0 && runner->output.deadline_ms <= now_ms &&
        !runner->output.deadline_put)
        return error_set(err, FATAL, "%s: a wake left its deadline where it was", runner->fold.name);
    return result;
}

/* In order of (deadline, key), until none is due: what a wake sets anew and is due already is woken too. */
enum result tick_wake(struct runner *runner, struct part *part, const struct log_record *record, int64_t now_ms,
                      struct error *err)
{
    struct due *due = memory_take(sizeof *due);
    enum result result = OK;
    if (now_ms > part->last_tick_ms)
        part->last_tick_ms = now_ms;
    for (due_find(runner, record->partition, now_ms, due); due->count > 0 && result == OK;
         due_find(runner, record->partition, now_ms, due)) {
        for (size_t i = 0; i < due->count && result == OK; i++)
            result = key_wake(runner, part, record, due->rows[i], now_ms, err);
    }
    part->earliest_deadline_ms = deadline_earliest(runner, record->partition);
    arena_destroy(&due->arena);
    free(due);
    return result;
}
