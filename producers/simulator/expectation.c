/* The rules of telling, as far as the simulator's messages go. */
#include "producers/simulator/expectation.h"

#include "broker/base/memory.h"
#include "broker/codec/cloudevent.h"
#include "broker/event/nhs_number.h"
#include "producers/simulator/dice.h"
#include "producers/simulator/field.h"

/* ---- keys ---- */

static uint64_t hash_add(uint64_t hash, struct view text)
{
    const unsigned char *at = text.data;
    for (size_t i = 0; i < text.size; i++)
        hash = (hash ^ at[i]) * 0x100000001B3U; /* FNV-1a */
    return (hash ^ 0x1F) * 0x100000001B3U;
}

uint64_t expectation_key(const struct told_things *things)
{
    uint64_t hash = 0xCBF29CE484222325U;
    hash = hash_add(hash, things->kind);
    hash = hash_add(hash, things->type);
    hash = hash_add(hash, things->about);
    hash = hash_add(hash, things->nhs_number);
    return dice_mix(dice_mix(hash ^ (uint64_t)things->time_ms) + (uint64_t)things->subscriber);
}

/* ---- whom ---- */

/* What is told to those who named nothing; and a community team, which names "encounter-*-1", transfers in full, and
 * care plans. */
struct news {
    const char *type;
    bool by_default, to_team;
};

static const struct news arrival = {"encounter-ed-arrived-1", true, true};
static const struct news clinic = {"encounter-registered-1", false, false};
static const struct news admission = {"encounter-admitted-1", true, true};
static const struct news move_to_a_site = {"encounter-transferred-1", true, true};
static const struct news move_of_ward = {"encounter-transferred-1", false, true};
static const struct news departure = {"encounter-discharged-1", true, true};
static const struct news death = {"patient-died-1", true, false};
static const struct news change_of_plan = {"care-plan-changed-1", true, true};

struct telling_of_message {
    struct told_things things;
    const struct person *person;
    int sender; /* a subscriber that is not told of what it sent itself; NOBODY */
    struct expected_alert *alerts;
    size_t count;
};

/* Tells, or takes back, one thing, to everybody who was or is to be told of it. */
static void tell(struct telling_of_message *telling, const struct news *news, bool take_back)
{
    for (enum subscriber_kind kind = PRACTICE; kind < SUBSCRIBER_KINDS; kind++) {
        int subscriber = telling->person->subscribers[kind];
        bool wanted = kind == COMMUNITY ? news->to_team : news->by_default;
        if (subscriber == NOBODY || subscriber == telling->sender || !wanted || telling->count == EXPECTED_MOST)
            continue;
        telling->things.subscriber = subscriber;
        telling->things.kind = take_back ? VIEW("retraction") : VIEW("new");
        telling->things.type = take_back ? VIEW("encounter-cancelled-1") : view_of_text(news->type);
        telling->alerts[telling->count++] =
            (struct expected_alert){subscriber, kind, expectation_key(&telling->things)};
    }
}

/* ---- what a message says ---- */

static int digits(const char *at, int count)
{
    int number = 0;
    for (int i = 0; i < count; i++)
        number = number * 10 + (at[i] - '0');
    return number;
}

static int64_t time_of(struct view message, const char *segment, int field, const struct time_zone *zone)
{
    struct view text = field_read(message, segment, field, 1, 1);
    const char *at = text.data;
    if (text.size != 14)
        return 0;
    struct time_fields fields = {digits(at, 4),
                                 digits(at + 4, 2),
                                 digits(at + 6, 2),
                                 digits(at + 8, 2),
                                 digits(at + 10, 2),
                                 digits(at + 12, 2),
                                 0};
    return time_from_local(zone, &fields);
}

/* The patient's number, where the message has it, right, and it is this person's. */
static bool names_person(struct view message, const struct person *person)
{
    char number[11];
    return nhs_number_read(field_read(message, "PID", 3, 1, 1), number) == NHS_NUMBER_TRUSTED &&
           strcmp(number, person->nhs_number) == 0;
}

static void starts(struct telling_of_message *telling, struct view message, const struct time_zone *zone,
                   struct standing *standing)
{
    bool admits = view_is_text(field_read(message, "EVN", 1, 1, 1), "A01");
    bool emergency = view_is_text(field_read(message, "PV1", 2, 1, 1), "E");
    bool *stands = admits ? &standing->admitted : &standing->arrived;
    telling->things.time_ms = time_of(message, "PV1", 44, zone);
    if (!admits && !emergency)
        tell(telling, &clinic, false);
    else if (!*stands) /* said again while the first stands: nothing new */
        tell(telling, admits ? &admission : &arrival, false);
    if (admits || emergency)
        *stands = true;
}

static void moves(struct telling_of_message *telling, struct view message, const struct time_zone *zone)
{
    struct view to = field_read(message, "PV1", 3, 1, 4), from = field_read(message, "PV1", 6, 1, 4);
    telling->things.time_ms = time_of(message, "EVN", 6, zone);
    tell(telling, view_is(to, from) ? &move_of_ward : &move_to_a_site, false);
}

static void leaves(struct telling_of_message *telling, struct view message, const struct time_zone *zone,
                   struct standing *standing)
{
    bool dead = view_is_text(field_read(message, "PV1", 36, 1, 1), "4");
    telling->things.time_ms = time_of(message, "PV1", 45, zone);
    if (!standing->discharged)
        tell(telling, &departure, false);
    standing->discharged = true;
    if (!dead)
        return;
    telling->things.time_ms = time_of(message, "PID", 29, zone);
    if (!standing->died)
        tell(telling, &death, false);
    standing->died = true;
}

static void taken_back(struct telling_of_message *telling, struct view message, const struct time_zone *zone,
                       struct standing *standing)
{
    telling->things.time_ms = time_of(message, "EVN", 6, zone);
    if (view_is_text(field_read(message, "EVN", 1, 1, 1), "A13")) {
        if (standing->discharged)
            tell(telling, &departure, true);
        if (standing->died)
            tell(telling, &death, true);
        standing->discharged = standing->died = false;
    } else if (standing->admitted) { /* the newest start: an admission comes after the arrival */
        tell(telling, &admission, true);
        standing->admitted = false;
    } else if (standing->arrived) {
        tell(telling, &arrival, true);
        standing->arrived = false;
    }
}

size_t expectation_of_adt(struct view message, const struct person *person, const struct time_zone *zone,
                          struct standing *standing, struct expected_alert ret[EXPECTED_MOST])
{
    struct telling_of_message telling = {
        .person = person,
        .sender = NOBODY,
        .alerts = ret,
        .things = {.about = field_read(message, "PV1", 19, 1, 1), .nhs_number = view_of_text(person->nhs_number)},
    };
    if (!names_person(message, person))
        return 0; /* kept under the hospital's own number, which nobody is registered to */
    uint64_t visit = hash_add(1, telling.things.about);
    if (standing->visit != visit)
        *standing = (struct standing){.visit = visit};
    struct view trigger = field_read(message, "EVN", 1, 1, 1);
    if (view_is_text(trigger, "A01") || view_is_text(trigger, "A04"))
        starts(&telling, message, zone, standing);
    else if (view_is_text(trigger, "A02"))
        moves(&telling, message, zone);
    else if (view_is_text(trigger, "A03"))
        leaves(&telling, message, zone, standing);
    else if (view_is_text(trigger, "A11") || view_is_text(trigger, "A13"))
        taken_back(&telling, message, zone, standing);
    return telling.count;
}

/* Which of the person's own it was sent by. */
static int sender_of(struct view source, const struct person *person)
{
    for (enum subscriber_kind kind = PRACTICE; kind < SUBSCRIBER_KINDS; kind++) {
        struct place_of_care place;
        if (person->subscribers[kind] == NOBODY)
            continue;
        (void)region_subscriber(person->subscribers[kind], &place);
        size_t size = strlen(place.ods);
        if (source.size > size && memcmp((const char *)source.data + source.size - size, place.ods, size) == 0)
            return person->subscribers[kind];
    }
    return NOBODY;
}

size_t expectation_of_care_plan(struct view event, const struct person *person,
                                struct expected_alert ret[EXPECTED_MOST])
{
    struct arena arena = {0};
    struct view source, time;
    struct telling_of_message telling = {.person = person, .alerts = ret};
    telling.things.nhs_number = view_of_text(person->nhs_number);
    if (json_find(event, "source", &arena, &source) == OK && json_find(event, "time", &arena, &time) == OK &&
        json_find(event, "data/carePlan/id", &arena, &telling.things.about) == OK &&
        time_from_rfc3339(time, &telling.things.time_ms)) {
        telling.sender = sender_of(source, person);
        tell(&telling, &change_of_plan, false);
    }
    arena_destroy(&arena);
    return telling.count;
}
