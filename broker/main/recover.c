/* Where matching goes on, read from the alerts. */
#include "broker/main/recover.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/main/bounded.h"
#include "broker/record/record.h"

#include <inttypes.h>
#include <stdlib.h>

/* On Kafka the tellings of one batch may stand in some partitions and be lost in others: a runner's batch is at most so
 * many records, and they are decided again. */
enum { BATCH_RECORDS = 2000, AT_ONCE = 1000, TURN_MS = 200, JOIN_MS = 30 * 1000 };

/* ---- The last cause in the alerts ---- */

struct looking {
    struct recovered *found;
    int32_t count;
    struct arena arena;
};

static enum result cause_take(void *context, const struct log_record *record, struct error *err)
{
    struct looking *looking = context;
    struct opened_record opened;
    char where[POSITION_WORDS_SIZE];
    struct error why = {0};
    arena_reset(&looking->arena);
    enum result result = record_open(record->value, &looking->arena, &opened, &why);
    const struct cause *cause = &opened.telling.cause;
    if (result != OK)
        return error_set(err, result, "%s: %.150s",
                         position_words(record->topic, record->partition, record->offset, where), why.text);
    if (opened.kind != SCHEMA_TELLING)
        return OK;
    if (cause->topic != TOPIC_EVENTS || cause->partition < 0 || cause->partition >= looking->count)
        return error_set(err, REJECTED, "%s: its cause is no record of tidings.events",
                         position_words(record->topic, record->partition, record->offset, where));
    if (cause->offset > looking->found[cause->partition].last_told)
        looking->found[cause->partition].last_told = cause->offset;
    return OK;
}

static enum result causes_find(const struct recover_options *options, struct log_fetcher *fetcher,
                               struct looking *looking, struct error *err)
{
    struct bounded alerts = {0};
    enum result result = bounded_open(options->log, fetcher, TOPIC_ALERTS, &alerts, err);
    while (result == OK) {
        result = bounded_read(&alerts, AT_ONCE, cause_take, looking, err);
        if (result == OK && atomic_load(options->stop))
            result = error_set(err, AGAIN, "stopped before the end");
    }
    bounded_close(&alerts);
    return result == NOTHING ? OK : result;
}

/* Alerts that tell of records which are not there: positions would be used twice, and what is told because of them
 * dropped as known. */
static enum result next_choose(const struct recover_options *options, struct log_fetcher *fetcher, int32_t partition,
                               struct recovered *ret, struct error *err)
{
    char where[POSITION_WORDS_SIZE];
    int64_t first, end;
    ret->next = -1;
    if (ret->last_told < 0)
        return OK;
    enum result result = log_bounds(fetcher, TOPIC_EVENTS, partition, &first, &end, err);
    if (result != OK)
        return result;
    if (ret->last_told >= end)
        return error_set(err, REJECTED,
                         "the alerts tell of %s, which is not there: the events were restored to an earlier time than "
                         "the alerts; restore both from one backup",
                         position_words(TOPIC_EVENTS, partition, ret->last_told, where));
    int64_t back = options->one_stream ? 0 : BATCH_RECORDS;
    ret->next = ret->last_told - back > first ? ret->last_told - back : first;
    return OK;
}

/* ---- The group's offsets ---- */

struct joining {
    const struct recovered *wanted;
    bool *given; /* partitions that this member was given */
    int32_t given_count;
    bool right; /* all committed offsets are those wanted */
};

static int64_t start(void *context, int32_t partition, int64_t committed)
{
    struct joining *joining = context;
    int64_t wanted = joining->wanted[partition].next;
    if (!joining->given[partition])
        joining->given_count++;
    joining->given[partition] = true;
    joining->right = joining->right && (wanted < 0 || committed == wanted);
    return LOG_END;
}

static void revoked(void *context, int32_t partition)
{
    struct joining *joining = context;
    if (joining->given[partition])
        joining->given_count--;
    joining->given[partition] = false;
}

/* Waits until this member has every partition: then nobody else is in the group. */
static enum result join(struct log_reader *reader, const struct joining *joining, int32_t count, struct error *err)
{
    const struct log_record *records;
    size_t read;
    int64_t until_ms = time_monotonic_ms() + JOIN_MS;
    while (joining->given_count < count) {
        enum result result = log_read(reader, 1, TURN_MS, &records, &read, err);
        if (result == FATAL || result == REJECTED)
            return result;
        if (joining->given_count < count && time_monotonic_ms() > until_ms)
            return error_set(err, REJECTED,
                             "another broker shares the group `match`: stop every `tidings serve` first");
    }
    return OK;
}

/* Joins the group and sets its offsets, or only looks whether they are set. */
static enum result group_visit(const struct recover_options *options, const struct recovered *wanted, int32_t count,
                               bool set, bool *ret_right, struct error *err)
{
    struct joining joining = {.wanted = wanted, .given = memory_array((size_t)count, sizeof(bool)), .right = true};
    struct log_reader_options reading = {
        .topic = TOPIC_EVENTS, .group = "match", .start = start, .revoked = revoked, .context = &joining};
    struct log_reader *reader = NULL;
    enum result result = log_reader_open(options->log, &reading, &reader, err);
    if (result == OK)
        result = join(reader, &joining, count, err);
    for (int32_t i = 0; i < count && set && result == OK; i++)
        if (wanted[i].next >= 0)
            result = log_reader_commit(reader, i, wanted[i].next, err);
    log_reader_close(reader);
    free(joining.given);
    *ret_right = joining.right;
    return result;
}

static enum result offsets_set(const struct recover_options *options, const struct recovered *wanted, int32_t count,
                               struct error *err)
{
    bool right = false;
    enum result result = group_visit(options, wanted, count, true, &right, err);
    if (result == OK) /* a commit is not waited for: so they are read back */
        result = group_visit(options, wanted, count, false, &right, err);
    if (result == OK && !right)
        return error_set(err, AGAIN, "the group's offsets were not kept; run this again");
    return result;
}

enum result recover_log(const struct recover_options *options, struct recovered **ret, int32_t *ret_count,
                        struct error *err)
{
    struct log_fetcher *fetcher = NULL;
    struct looking looking = {.count = log_partitions(options->log, TOPIC_EVENTS)};
    looking.found = memory_array((size_t)looking.count, sizeof *looking.found);
    for (int32_t i = 0; i < looking.count; i++)
        looking.found[i].last_told = -1;
    enum result result = log_fetcher_open(options->log, &fetcher, err);
    if (result == OK)
        result = causes_find(options, fetcher, &looking, err);
    for (int32_t i = 0; i < looking.count && result == OK; i++)
        result = next_choose(options, fetcher, i, &looking.found[i], err);
    if (result == OK)
        result = offsets_set(options, looking.found, looking.count, err);
    log_fetcher_close(fetcher);
    arena_destroy(&looking.arena);
    if (result == OK) {
        *ret = looking.found;
        *ret_count = looking.count;
    } else {
        free(looking.found);
    }
    return result;
}
