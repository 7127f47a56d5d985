/* Items for the work list that belong to no event: appended until they are durable. */
#include "broker/publisher/inside.h"

#include "broker/base/time.h"

#include <stdlib.h>

enum { REPORTS_LIMIT = 10000 };

void publisher_report(struct publisher *publisher, const struct work_item *items, size_t count)
{
    for (size_t i = 0; i < count && publisher->report_count < REPORTS_LIMIT; i++) {
        struct report *report = memory_take(sizeof *report);
        struct work_item item = items[i];
        if (item.recorded_at_ms == 0)
            item.recorded_at_ms = time_now_ms();
        item.source_partition = -1;
        buffer_add_view(&report->key, item.organisation);
        record_write_plain(SCHEMA_WORK_ITEM, &item, &report->value);
        struct report **last = &publisher->reports;
        while (*last != NULL)
            last = &(*last)->next;
        *last = report;
        publisher->report_count++;
    }
    reports_append(publisher);
}

void reports_append(struct publisher *publisher)
{
    for (struct report *report = publisher->reports; report != NULL; report = report->next) {
        struct log_entry entry = {
            .topic = TOPIC_QUARANTINE, .key = buffer_view(&report->key), .value = buffer_view(&report->value)};
        struct error err;
        if (report->ticket != 0)
            continue;
        uint64_t ticket = ++publisher->next_ticket;
        if (log_append(publisher->reporter, &entry, 1, ticket, &err) != OK)
            break; /* the next turn tries again */
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
        report_finish(publisher, 1, true);
    }
}
