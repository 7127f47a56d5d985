/* The run: everything made, everybody started, messages at their pace, stragglers waited for, the count. */
#include "producers/simulator/simulate.h"

#include "broker/base/memory.h"
#include "broker/base/note.h"
#include "broker/client/client.h"
#include "producers/simulator/care_team.h"
#include "producers/simulator/hospital.h"
#include "producers/simulator/pause.h"
#include "producers/simulator/report.h"
#include "producers/simulator/setup.h"

#include <stdlib.h>
#include <unistd.h>

enum {
    CARE_TEAM_CONNECTIONS = 4,
    ANSWERS_MS = 10 * 1000,    /* waited for after the last message */
    STRAGGLERS_MS = 10 * 1000, /* the same for alerts, from the last one heard */
    STRAGGLERS_MOST_MS = 300 * 1000,
    HURRY_MS = 3 * 1000,  /* both, when it was stopped */
    BEHIND_MS = 5 * 1000, /* the pace that was lost is not made up for beyond it */
    NOTE_MS = 5 * 1000,
};

struct region {
    const struct simulate_options *options;
    const atomic_bool *stop;
    int64_t start_ms;
    struct feed *feed;
    struct time_zone *zone;
    struct tally *tally;
    struct traffic traffic;
    struct credentials *publishers, *subscribers;
    struct subscribed *subscribed;
    int subscriber_count;
    struct listeners *listeners;
    struct outbox *outboxes; /* of each hospital, and the last of all who send over HTTP */
    struct hospital **hospitals;
    struct care_team *teams[CARE_TEAM_CONNECTIONS];
    int64_t noted_ms;
};

void simulate_options_default(struct simulate_options *options)
{
    *options = (struct simulate_options){.hospitals = 5, .patients = 1000, .rate = 20, .for_ms = 60 * 1000, .seed = 7};
}

static enum result options_check(const struct simulate_options *options, struct error *err)
{
    if (options->hospitals < 1 || options->hospitals > SIMULATE_HOSPITALS_MOST || options->patients < 1 ||
        options->patients > SIMULATE_PATIENTS_MOST)
        return error_set(err, REJECTED, "1 to %d hospitals, and 1 to %d patients", SIMULATE_HOSPITALS_MOST,
                         SIMULATE_PATIENTS_MOST);
    if (!(options->rate > 0) || options->rate > SIMULATE_RATE_MOST)
        return error_set(err, REJECTED, "the rate is over 0 and at most %.0f messages a second", SIMULATE_RATE_MOST);
    if (options->url == NULL || options->token == NULL || options->mllp == NULL)
        return error_set(err, REJECTED, "where the broker is, and an operator's token, must be known");
    return OK;
}

/* ---- everybody ---- */

static void region_start(struct region *region)
{
    const struct simulate_options *options = region->options;
    int hospitals = options->hospitals;
    region->subscriber_count = region_subscribers(options->patients);
    region->tally = tally_create(options->patients, region->subscriber_count, time_now_ms());
    traffic_open(&region->traffic, options->patients, region->tally);
    region->publishers =
        credentials_create(options->url, options->token, "publisher", options->patients, options->for_ms, region->stop);
    region->subscribers = credentials_create(options->url, options->token, "subscriber", options->patients,
                                             options->for_ms, region->stop);
    region->listeners = listeners_start(region->subscribed, region->subscriber_count, region->subscribers,
                                        feed_tag(region->feed), region->tally);
    region->outboxes = memory_array((size_t)hospitals + 1, sizeof *region->outboxes);
    region->hospitals = memory_array((size_t)hospitals, sizeof *region->hospitals);
    for (int i = 0; i <= hospitals; i++)
        outbox_open(&region->outboxes[i]);
    for (int i = 0; i < hospitals; i++)
        region->hospitals[i] = hospital_start(options->mllp, &region->outboxes[i], &region->traffic);
    for (int i = 0; i < CARE_TEAM_CONNECTIONS; i++)
        region->teams[i] = care_team_start(region->publishers, &region->outboxes[hospitals], &region->traffic);
}

/* Until all is seen, or nothing has been heard for so long: a listener may still be hearing what an earlier run told.
 */
static void stragglers_wait(struct region *region)
{
    const atomic_bool never = false;
    struct tally_counts counts = {0};
    uint64_t heard = 0;
    int64_t began_ms = time_monotonic_ms(), heard_ms = began_ms, now_ms = began_ms, end_ms = STRAGGLERS_MOST_MS;
    while (!tally_is_settled(region->tally) && now_ms < began_ms + end_ms && now_ms < heard_ms + STRAGGLERS_MS) {
        tally_count(region->tally, &counts);
        if (counts.heard != heard)
            heard_ms = now_ms;
        heard = counts.heard;
        pause_ms(20, &never);
        now_ms = time_monotonic_ms();
        if (atomic_load(region->stop) && end_ms == STRAGGLERS_MOST_MS)
            end_ms = now_ms - began_ms + HURRY_MS;
    }
}

/* Waits for answers, then for stragglers. */
static void region_wait(struct region *region)
{
    bool hurry = atomic_load(region->stop);
    for (int i = 0; i <= region->options->hospitals; i++)
        outbox_close(&region->outboxes[i]);
    (void)traffic_wait_for_end(&region->traffic, hurry ? HURRY_MS : ANSWERS_MS);
    atomic_store(&region->traffic.give_up, true);
    for (int i = 0; i < region->options->hospitals; i++)
        hospital_end(region->hospitals[i]);
    for (int i = 0; i < CARE_TEAM_CONNECTIONS; i++)
        care_team_end(region->teams[i]);
    stragglers_wait(region);
}

static void region_end(struct region *region)
{
    listeners_end(region->listeners);
    credentials_end(region->publishers);
    credentials_end(region->subscribers);
    for (int i = 0; i <= region->options->hospitals; i++)
        outbox_destroy(&region->outboxes[i]);
    traffic_close(&region->traffic);
    tally_destroy(region->tally);
    free(region->outboxes);
    free(region->hospitals);
}

/* ---- messages ---- */

static void expect(struct region *region, struct sending *sending)
{
    struct person person;
    const struct outgoing *message = &sending->message;
    if (message->duplicate)
        return;
    person_read(message->patient, &person);
    sending->alert_count = message->hospital == OVER_HTTP
                               ? expectation_of_care_plan(buffer_view(&message->bytes), &person, sending->alerts)
                               : expectation_of_adt(buffer_view(&message->bytes), &person, region->zone,
                                                    &region->traffic.standing[message->patient], sending->alerts);
}

static void progress_note(struct region *region)
{
    struct traffic_counts traffic;
    struct tally_counts tally;
    if (!isatty(STDERR_FILENO) || time_monotonic_ms() - region->noted_ms < NOTE_MS)
        return;
    region->noted_ms = time_monotonic_ms();
    traffic_count(&region->traffic, &traffic);
    tally_count(region->tally, &tally);
    note(NOTE_INFO, "simulate", "sent=%llu acknowledged=%llu rejected=%llu alerts=%llu p50_ms=%.1f p99_ms=%.1f",
         (unsigned long long)traffic.sent, (unsigned long long)traffic.acknowledged,
         (unsigned long long)traffic.rejected, (unsigned long long)tally.seen, tally.p50_ms, tally.p99_ms);
}

/* Waits until the message is due. What could not be kept up with is let go: late_ms is how much. */
static void pace(struct region *region, const struct outgoing *message, int64_t began_ms, int64_t *late_ms)
{
    int64_t due_ms = began_ms + (message->time_ms - region->start_ms) + *late_ms;
    int64_t now_ms = time_monotonic_ms();
    if (now_ms - due_ms > BEHIND_MS)
        *late_ms += now_ms - due_ms - BEHIND_MS;
    while (due_ms > time_monotonic_ms() && !atomic_load(region->stop)) {
        progress_note(region);
        int64_t left_ms = due_ms - time_monotonic_ms();
        pause_ms(left_ms < 1000 ? (int)left_ms : 1000, region->stop);
    }
    progress_note(region);
}

static bool is_over(const struct region *region, const struct outgoing *message)
{
    const struct simulate_options *options = region->options;
    return options->for_ms > 0 && message->time_ms - region->start_ms >= options->for_ms;
}

static void messages_send(struct region *region)
{
    int64_t began_ms = time_monotonic_ms(), late_ms = 0;
    for (;;) {
        struct outgoing message;
        feed_take(region->feed, &message);
        if (!is_over(region, &message))
            pace(region, &message, began_ms, &late_ms);
        if (is_over(region, &message) ||
            !traffic_wait_for_room(&region->traffic, message.patient, message.duplicate, region->stop)) {
            buffer_destroy(&message.bytes);
            return;
        }
        struct sending *sending = traffic_take(&region->traffic, &message);
        expect(region, sending);
        int place = message.hospital == OVER_HTTP ? region->options->hospitals : message.hospital;
        outbox_add(&region->outboxes[place], sending);
    }
}

static enum result region_report(struct region *region, struct error *err)
{
    struct report report = {.options = region->options, .start_ms = region->start_ms};
    traffic_count(&region->traffic, &report.traffic);
    tally_count(region->tally, &report.tally);
    listeners_trouble(region->listeners, &report.trouble);
    report_print(&report);
    return report_judge(&report, err);
}

enum result simulate_run(const struct simulate_options *options, const atomic_bool *stop, struct error *err)
{
    struct region region = {.options = options, .stop = stop};
    struct mllp_client *door = NULL;
    enum result result = options_check(options, err);
    if (result == OK)
        result = mllp_client_open(options->mllp, &door, err);
    mllp_client_close(door);
    if (result == OK)
        result = setup_region(options, stop, &region.subscribed, err);
    region.start_ms = options->start_ms != 0 ? options->start_ms : time_now_ms();
    struct feed_options feed = {.seed = options->seed,
                                .hospitals = options->hospitals,
                                .patients = options->patients,
                                .rate = options->rate,
                                .start_ms = region.start_ms};
    if (result == OK)
        result = feed_open(&feed, &region.feed, err);
    if (result == OK) {
        region.zone = time_zone_open("Europe/London"); /* the feed has opened it just now */
        region_start(&region);
        messages_send(&region);
        region_wait(&region);
        result = region_report(&region, err);
        region_end(&region);
    }
    time_zone_close(region.zone);
    feed_close(region.feed);
    setup_destroy(region.subscribed, region_subscribers(options->patients));
    return result;
}
