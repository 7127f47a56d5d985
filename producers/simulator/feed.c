/* Whose turn it is, and what happens to them. */
#include "producers/simulator/feed.h"

#include "broker/base/memory.h"
#include "producers/simulator/adt_message.h"
#include "producers/simulator/care_plan.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    CARE_PLAN_CHANGES = 80,
    DUPLICATES = 10,
    REST_ATTEMPTS = 20,
    FIND_ATTEMPTS = 1000
}; /* the first two of a thousand messages */

struct sent_last {
    struct buffer bytes;
    char id[MESSAGE_ID_SIZE];
    int patient;
};

struct feed {
    struct feed_options options;
    struct time_zone *zone;
    struct dice dice;
    struct ward_book book;
    struct stay *stays;          /* of each patient */
    struct sent_last *sent_last; /* of each hospital */
    uint64_t number;
    char tag[RUN_TAG_SIZE];
};

/* Nine letters and digits of all that the bytes depend on. */
static void tag_make(const struct feed_options *options, char ret[RUN_TAG_SIZE])
{
    static const char letters[] = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
    uint64_t rate;
    memcpy(&rate, &options->rate, sizeof rate);
    uint64_t mixed = dice_mix(options->seed + 1);
    mixed = dice_mix(mixed ^ (uint64_t)options->start_ms);
    mixed = dice_mix(mixed ^ rate);
    mixed = dice_mix(mixed ^ ((uint64_t)options->hospitals << 32 | (uint64_t)options->patients));
    for (int i = 0; i < RUN_TAG_SIZE - 1; i++)
        ret[i] = letters[mixed >> (5 * i) & 31];
    ret[RUN_TAG_SIZE - 1] = '\0';
}

enum result feed_open(const struct feed_options *options, struct feed **ret, struct error *err)
{
    struct time_zone *zone = time_zone_open("Europe/London");
    if (zone == NULL)
        return error_set(err, REJECTED, "the time zone Europe/London is not on this machine: install tzdata");
    struct feed *feed = memory_take(sizeof *feed);
    feed->options = *options;
    feed->zone = zone;
    feed->dice = dice_take(options->seed, 0x66656564U);
    feed->book = (struct ward_book){.hospitals = options->hospitals, .dead_most = options->patients / 10};
    feed->stays = memory_array((size_t)options->patients, sizeof *feed->stays);
    feed->sent_last = memory_array((size_t)options->hospitals, sizeof *feed->sent_last);
    tag_make(options, feed->tag);
    *ret = feed;
    return OK;
}

void feed_close(struct feed *feed)
{
    if (feed == NULL)
        return;
    for (int i = 0; i < feed->options.hospitals; i++)
        buffer_destroy(&feed->sent_last[i].bytes);
    time_zone_close(feed->zone);
    free(feed->sent_last);
    free(feed->stays);
    free(feed);
}

const char *feed_tag(const struct feed *feed)
{
    return feed->tag;
}

/* Somebody to whom something happens; ret_trigger says what. */
static struct stay *somebody_steps(struct feed *feed, struct outgoing *ret, const char **ret_trigger)
{
    for (int i = 0; i < FIND_ATTEMPTS; i++) { /* at most one in ten is dead and stays so */
        ret->patient = (int)dice_below(&feed->dice, (uint32_t)feed->options.patients);
        struct stay *stay = &feed->stays[ret->patient];
        if (i < REST_ATTEMPTS && stay->stepped_ms / 1000 == ret->time_ms / 1000)
            continue; /* times are written in whole seconds: no two things in one */
        *ret_trigger = stay_step(stay, &feed->book, &feed->dice, ret->time_ms);
        stay->stepped_ms = ret->time_ms;
        if (*ret_trigger != NULL)
            return stay;
    }
    abort(); /* a thousand dead in a row, of whom there are at most a tenth */
}

static void adt_take(struct feed *feed, struct outgoing *ret)
{
    struct person person;
    const char *trigger;
    const struct stay *stay = somebody_steps(feed, ret, &trigger);
    person_read(ret->patient, &person);
    struct adt_message message = {
        .trigger = trigger, .id = ret->id, .tag = feed->tag, .time_ms = ret->time_ms, .person = &person, .stay = stay};
    adt_message_write(&message, feed->zone, &ret->bytes);
    ret->hospital = stay->hospital;
    struct sent_last *last = &feed->sent_last[stay->hospital];
    buffer_clear(&last->bytes);
    buffer_add_view(&last->bytes, buffer_view(&ret->bytes));
    memcpy(last->id, ret->id, sizeof last->id);
    last->patient = ret->patient;
}

/* Engines send again what they think was lost. */
static bool duplicate_take(struct feed *feed, struct outgoing *ret)
{
    const struct sent_last *last = &feed->sent_last[dice_below(&feed->dice, (uint32_t)feed->options.hospitals)];
    if (last->bytes.size == 0)
        return false;
    ret->duplicate = true;
    ret->hospital = (int)(last - feed->sent_last);
    ret->patient = last->patient;
    memcpy(ret->id, last->id, sizeof ret->id);
    buffer_add_view(&ret->bytes, buffer_view(&last->bytes));
    return true;
}

/* By the patient's community team where there is one, else by the practice. */
static bool care_plan_take(struct feed *feed, struct outgoing *ret)
{
    struct person person;
    ret->patient = (int)dice_below(&feed->dice, (uint32_t)feed->options.patients);
    if (feed->stays[ret->patient].whereabouts == DIED)
        return false;
    person_read(ret->patient, &person);
    struct care_plan_change change = {
        .id = ret->id,
        .time_ms = ret->time_ms,
        .person = &person,
        .publisher =
            person.subscribers[COMMUNITY] != NOBODY ? person.subscribers[COMMUNITY] : person.subscribers[PRACTICE],
        .what = dice_below(&feed->dice, 1000),
    };
    ret->hospital = OVER_HTTP;
    care_plan_write(&change, &ret->bytes);
    return true;
}

void feed_take(struct feed *feed, struct outgoing *ret)
{
    *ret = (struct outgoing){.number = feed->number++};
    ret->time_ms = feed->options.start_ms + (int64_t)((double)ret->number * 1000.0 / feed->options.rate);
    (void)snprintf(ret->id, sizeof ret->id, "%s%09llu", feed->tag, (unsigned long long)ret->number);
    uint32_t what = dice_below(&feed->dice, 1000);
    if (what < CARE_PLAN_CHANGES && care_plan_take(feed, ret))
        return;
    if (what >= CARE_PLAN_CHANGES && what < CARE_PLAN_CHANGES + DUPLICATES && duplicate_take(feed, ret))
        return;
    adt_take(feed, ret);
}
