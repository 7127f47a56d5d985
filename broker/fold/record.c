/* One record of the source: what it is, whether it was seen before, and what the fold makes of it. */
#include "broker/fold/inside.h"

#include "broker/base/metrics.h"
#include "broker/base/note.h"

#include <inttypes.h>

/* A record that can never succeed is kept where it is, and put before a person with the reason. */
void quarantine(struct runner *runner, const struct log_record *record, const char *why)
{
    note(NOTE_ERROR, "quarantined", "role=%s topic=%s partition=%" PRId32 " offset=%" PRId64 " why=\"%s\"",
         runner->fold.name, topic_name(record->topic), record->partition, record->offset, why);
    if (!runner->fold.owner || !runner->output.emit)
        return; /* a reader that owns nothing only notes it; the owner has put it on the list */
    metrics_quarantined();
    struct work_item item = {
        .organisation = runner->output.opened != NULL && runner->output.opened->kind == SCHEMA_EVENT_HEADER
                            ? runner->output.opened->event.publisher
                            : VIEW(""),
        .kind = VIEW("quarantined"),
        .why = view_of_text(why),
        .recorded_at_ms = record->timestamp_ms,
    };
    fold_emit_work_item(&runner->output, &item);
}

static const struct cause *cause_of(const struct opened_record *opened)
{
    if (opened->kind == SCHEMA_TELLING)
        return &opened->telling.cause;
    return opened->kind == SCHEMA_EVENT_HEADER && opened->event.has_cause ? &opened->event.cause : NULL;
}

/* The time at which the fold decides: when ingest took the event; of other records, when they were appended. */
static int64_t time_of(const struct opened_record *opened, const struct log_record *record)
{
    if (opened->kind == SCHEMA_EVENT_HEADER)
        return opened->event.recorded_at_ms;
    return opened->kind == SCHEMA_TELLING ? opened->told.recorded_at_ms : record->timestamp_ms;
}

static enum result body_unseal(struct runner *runner, const struct opened_record *opened, struct event_body *body,
                               const struct event_body **ret, struct error *err)
{
    *ret = NULL;
    if (!runner->fold.unseal || (opened->kind != SCHEMA_EVENT_HEADER && opened->kind != SCHEMA_TELLING))
        return OK;
    enum result result = record_unseal_body(runner->keyring, opened, &runner->arena, body, err);
    if (result == OK)
        *ret = body;
    return result == NOTHING ? OK : result;
}

/* A whole record copied under another key would tell one patient's people of another. */
static bool key_is_its_own(struct view key, const struct opened_record *opened)
{
    if (opened->kind == SCHEMA_EVENT_HEADER)
        return view_is(key, opened->event.patient);
    if (opened->kind == SCHEMA_TELLING)
        return view_is(key, opened->telling.subscriber);
    return opened->kind != SCHEMA_SUBSCRIPTION || view_is(key, opened->subscription.subscriber);
}

static bool cause_is_possible(const struct runner *runner, const struct cause *cause)
{
    return cause->topic >= 0 && cause->topic < TOPIC_COUNT && cause->partition >= 0 &&
           cause->partition < log_partitions(runner->options.log, (enum topic)cause->topic) && cause->offset >= 0 &&
           cause->index >= 0;
}

static enum result key_apply(struct runner *runner, struct part *part, const struct log_record *record,
                             const struct opened_record *opened, struct error *err)
{
    struct event_body body;
    struct fold_input input = {.rules = part->position.rules,
                               .key = record->key,
                               .record = record,
                               .opened = opened,
                               .now_ms = time_of(opened, record)};
    const struct cause *cause = cause_of(opened);
    if (!key_is_its_own(record->key, opened))
        return error_set(err, REJECTED, "a record under a key that is not its own");
    if (cause != NULL && !cause_is_possible(runner, cause))
        return error_set(err, REJECTED, "a record with a cause that this log cannot have");
    if (cause != NULL && watermark_has_passed(runner, record->partition, cause, record->key))
        return OK;
    enum result result = body_unseal(runner, opened, &body, &input.body, err);
    if (result == OK)
        result = state_apply(runner, &input, err);
    if (cause != NULL && (result == OK || result == REJECTED)) /* anything else is tried again */
        watermark_move(runner, record->partition, cause, record->key);
    if (result == OK && runner->fold.applied != NULL)
        runner->fold.applied(runner->fold.applied_context, &input, runner->output.emit);
    return result;
}

static enum result kind_apply(struct runner *runner, struct part *part, const struct log_record *record,
                              const struct opened_record *opened, struct error *err)
{
    if (opened->kind == SCHEMA_TICK)
        return tick_wake(runner, part, record, opened->tick.utc_ms, err);
    if (opened->kind != SCHEMA_RULES)
        return key_apply(runner, part, record, opened, err);
    if (opened->rules.version > runner->fold.rules_newest)
        return error_set(err, FATAL,
                         "%s: the log is decided by rules %d, and this program knows only up to %d: upgrade it",
                         runner->fold.name, opened->rules.version, runner->fold.rules_newest);
    if (opened->rules.version > part->position.rules)
        part->position.rules = opened->rules.version;
    return OK;
}

enum result record_apply(struct runner *runner, const struct log_record *record, struct error *err)
{
    struct part *part = &runner->parts[record->partition];
    struct opened_record opened;
    bool emit = record->offset >= part->emit_from;
    arena_reset(&runner->arena);
    output_start(&runner->output, part, record, NULL, emit);
    enum result result = record_open(record->value, &runner->arena, &opened, err);
    if (result == OK) {
        runner->output.opened = &opened;
        result = kind_apply(runner, part, record, &opened, err);
    }
    if (result == REJECTED) {
        quarantine(runner, record, err->text);
        result = OK;
    }
    runner->output.opened = NULL;
    runner->half_applied = result != OK;
    if (result != OK)
        return result;
    if (record->timestamp_ms > runner->newest_record_ms)
        runner->newest_record_ms = record->timestamp_ms;
    part->position.next_offset = record->offset + 1;
    part->position.last_offset = record->offset;
    part->dirty = true;
    return OK;
}
