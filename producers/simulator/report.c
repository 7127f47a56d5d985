/* Counts as lines, or as one object. */
#include "producers/simulator/report.h"

#include "broker/base/json.h"

#include <stdio.h>

struct line {
    const char *name, *words;
    uint64_t count;
};

enum { LINES = 12 };

static void lines_write(const struct report *report, struct line ret[LINES])
{
    const struct traffic_counts *traffic = &report->traffic;
    const struct tally_counts *tally = &report->tally;
    const struct line lines[LINES] = {
        {"sent", "messages sent", traffic->sent},
        {"acknowledged", "acknowledged", traffic->acknowledged},
        {"rejected", "rejected", traffic->rejected},
        {"resent", "sent again", traffic->resent},
        {"alertsExpected", "alerts expected", tally->expected},
        {"alertsSeen", "alerts seen", tally->seen},
        {"missed", "missed", tally->missed},
        {"doubled", "doubled", tally->doubled},
        {"unexpected", "told without a right", tally->unexpected},
        {"gaps", "gaps in numbers", tally->gaps},
        {"outOfOrder", "out of order", tally->out_of_order},
        {"baseless", "took back what was never told", tally->baseless},
    };
    for (int i = 0; i < LINES; i++)
        ret[i] = lines[i];
}

static void print_json(const struct report *report, const struct line lines[LINES], const char *start)
{
    struct buffer text = {0};
    struct json json = json_start(&text);
    json_open_object(&json);
    json_member_text(&json, "start", view_of_text(start));
    json_member_number(&json, "seed", (int64_t)report->options->seed);
    for (int i = 0; i < LINES; i++)
        json_member_number(&json, lines[i].name, (int64_t)lines[i].count);
    json_name(&json, "latencyMs");
    json_open_object(&json);
    json_name(&json, "p50");
    json_double(&json, report->tally.p50_ms);
    json_name(&json, "p99");
    json_double(&json, report->tally.p99_ms);
    json_close_object(&json);
    if (report->traffic.rejected > 0)
        json_member_text(&json, "rejection", view_of_text(report->traffic.rejection.text));
    json_close_object(&json);
    (void)printf("%.*s\n", VIEW_ARGS(buffer_view(&text)));
    buffer_destroy(&text);
}

void report_print(const struct report *report)
{
    struct line lines[LINES];
    char start[TIME_TEXT_SIZE];
    lines_write(report, lines);
    (void)time_to_rfc3339(report->start_ms, start);
    if (report->options->json) {
        print_json(report, lines, start);
    } else {
        for (int i = 0; i < LINES; i++)
            (void)printf("%-30s %10llu\n", lines[i].words, (unsigned long long)lines[i].count);
        (void)printf("%-30s %10.1f ms p50, %.1f ms p99\n", "from sent to seen", report->tally.p50_ms,
                     report->tally.p99_ms);
        (void)printf("%-30s --hospitals %d --patients %d --rate %.15g --seed %llu --start %s\n", "the same again",
                     report->options->hospitals, report->options->patients, report->options->rate,
                     (unsigned long long)report->options->seed, start);
        if (report->traffic.rejected > 0)
            (void)printf("%-30s %s\n", "the first rejected", report->traffic.rejection.text);
    }
    (void)fflush(stdout);
}

enum result report_judge(const struct report *report, struct error *err)
{
    const struct tally_counts *tally = &report->tally;
    uint64_t wrong =
        tally->missed + tally->doubled + tally->unexpected + tally->gaps + tally->out_of_order + tally->baseless;
    if (wrong == 0)
        return OK;
    const char *trouble = report->trouble.text;
    return error_set(err, REJECTED,
                     "of %llu alerts expected %llu were missed, %llu doubled, %llu told without a right, %llu out of "
                     "order%s%s",
                     (unsigned long long)tally->expected, (unsigned long long)tally->missed,
                     (unsigned long long)tally->doubled, (unsigned long long)tally->unexpected,
                     (unsigned long long)(tally->gaps + tally->out_of_order + tally->baseless),
                     trouble[0] == '\0' ? "" : "; a listener said: ", trouble);
}
