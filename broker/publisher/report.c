/* Items for the work list that belong to no event: appended until they are durable. */
#include "broker/publisher/inside.h"

#include "broker/base/time.h"
#include "broker/event/limits.h"

#include <stdlib.h>

enum { REPORTS_LIMIT = 10000 };

enum result report_add(struct publisher *publisher, const struct work_item *item,
                       const struct publication_answer *answer)
{
    if (publisher->report_count >= REPORTS_LIMIT)
        return AGAIN;
    struct report *report = memory_take(sizeof *report);
    struct work_item own = *item;
    if (own.recorded_at_ms == 0)
        own.recorded_at_ms = time_now_ms();
    own.source_partition = -1;
    buffer_add_view(&report->key, own.organisation);
    record_write_plain(SCHEMA_WORK_ITEM, &own, &report->value);
    report->added_at_ms = time_monotonic_ms();
    report->awaited = answer != NULL;
    if (answer != NULL)
        report->answer = *answer;
    struct report **last = &publisher->reports;
    while (*last != NULL)
        last = &(*last)->next;
    *last = report;
    publisher->report_count++;
    return OK;
}

enum result publisher_refuse(struct publisher *publisher, const struct work_item *item, uint64_t token)
{
    struct publication_answer answer = {.token = token, .outcome = PUBLICATION_REFUSED, .position = {.partition = -1}};
    enum result result = report_add(publisher, item, &answer);
    reports_append(publisher);
    return result;
}

void publisher_report(struct publisher *publisher, const struct work_item *items, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (report_add(publisher, &items[i], NULL) != OK)
            break; /* so many that nobody will read them */
    reports_append(publisher);
}

static void report_answer(struct publisher *publisher, struct report *report, bool durable)
{
    if (!report->awaited)
        return;
    report->awaited = false;
    if (!durable)
        report->answer.outcome = PUBLICATION_UNCERTAIN;
    answer_add(publisher, &report->answer);
}

void reports_append(struct publisher *publisher)
{
    int64_t now_ms = time_monotonic_ms();
    bool full = false;
    for (struct report *report = publisher->reports; report != NULL; report = report->next) {
        struct log_entry entry = {
            .topic = TOPIC_QUARANTINE, .key = buffer_view(&report->key), .value = buffer_view(&report->value)};
        struct error err;
        if (now_ms - report->added_at_ms >= LIMIT_PUBLISH_WAIT_MS)
            report_answer(publisher, report, false);
        if (report->ticket != 0 || full)
            continue;
        uint64_t ticket = ++publisher->next_ticket;
        full = log_append(publisher->reporter, &entry, 1, ticket, &err) != OK; /* the next turn tries again */
        if (!full)
            report->ticket = ticket;
    }
}

static void report_finish(struct publisher *publisher, uint64_t ticket, bool durable)
{
    for (struct report **at = &publisher->reports; *at != NULL; at = &(*at)->next) {
        struct report *report = *at;
        if (report->ticket != ticket)
            continue;
        report->ticket = 0;
        if (!durable)
            return;
        report_answer(publisher, report, true);
        *at = report->next;
        buffer_destroy(&report->key);
        buffer_destroy(&report->value);
        free(report);
        publisher->report_count--;
        return;
    }
}

void reports_collect(struct publisher *publisher)
{
    struct log_answer answer;
    while (log_collect(publisher->reporter, 0, &answer) == OK) {
        if (answer.result == OK)
            publisher_at_point(publisher, "report-durable");
        report_finish(publisher, answer.token, answer.result == OK);
    }
}

void reports_destroy(struct publisher *publisher)
{
    while (publisher->reports != NULL) {
        publisher->reports->ticket = 1;
        publisher->reports->awaited = false;
        report_finish(publisher, 1, true);
    }
}
