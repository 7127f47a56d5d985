/* Messages in flight: found by identity, by ticket, in order of taking; and the answers that wait to be collected. */
#include "broker/publisher/inside.h"

#include "broker/base/bytes.h"
#include "broker/base/time.h"

#include <stdlib.h>
#include <unistd.h>

enum { SLOTS = sizeof(struct flight_table){0}.slots / sizeof(struct flight *) };

static size_t slot_of(const struct event_id *id)
{
    return bytes_get_u32(id->bytes + EVENT_ID_SIZE - 4) % SLOTS;
}

static struct work_item item_copy(struct arena *arena, const struct work_item *item)
{
    struct work_item copy = *item;
    copy.organisation = arena_copy(arena, item->organisation);
    copy.kind = arena_copy(arena, item->kind);
    copy.source = arena_copy(arena, item->source);
    copy.message_id = arena_copy(arena, item->message_id);
    copy.why = arena_copy(arena, item->why);
    copy.at = arena_copy(arena, item->at);
    copy.code = arena_copy(arena, item->code);
    return copy;
}

/* An event's deep copy: encoded and decoded again, so that no member can be forgotten when one is added. */
static struct care_event event_copy(struct arena *arena, const struct care_event *event)
{
    struct buffer bytes = {0};
    struct care_event copy;
    schema_encode(SCHEMA_EVENT_HEADER, &event->header, &bytes);
    struct view header = arena_copy(arena, buffer_view(&bytes));
    buffer_clear(&bytes);
    schema_encode(SCHEMA_EVENT_BODY, &event->body, &bytes);
    struct view body = arena_copy(arena, buffer_view(&bytes));
    buffer_destroy(&bytes);
    if (schema_decode(SCHEMA_EVENT_HEADER, header, arena, &copy.header, NULL) != OK ||
        schema_decode(SCHEMA_EVENT_BODY, body, arena, &copy.body, NULL) != OK)
        abort(); /* what was encoded a moment ago decodes */
    return copy;
}

struct flight *flight_create(const struct publication *publication)
{
    struct flight *flight = memory_take(sizeof *flight);
    flight->publication = *publication;
    flight->taken_at_us = time_monotonic_us();
    flight->taken_at_ms = flight->taken_at_us / 1000;
    flight->identity.position.partition = -1;
    return flight;
}

void flight_keep(struct flight *flight)
{
    struct arena *arena = &flight->arena;
    struct publication *own = &flight->publication;
    const struct publication borrowed = *own;
    own->publisher = arena_copy(arena, borrowed.publisher);
    own->source = arena_copy(arena, borrowed.source);
    own->id = arena_copy(arena, borrowed.id);
    own->content = VIEW_NONE;
    own->patient = arena_copy(arena, borrowed.patient);
    own->events = arena_take(arena, borrowed.event_count * sizeof *own->events);
    for (size_t i = 0; i < borrowed.event_count; i++)
        own->events[i] = event_copy(arena, &borrowed.events[i]);
    own->items = arena_take(arena, borrowed.item_count * sizeof *own->items);
    for (size_t i = 0; i < borrowed.item_count; i++)
        own->items[i] = item_copy(arena, &borrowed.items[i]);
}

void flight_destroy(struct flight *flight)
{
    while (flight != NULL) {
        struct flight *waiter = flight->next_waiter;
        arena_destroy(&flight->arena);
        free(flight);
        flight = waiter;
    }
}

void flight_insert(struct flight_table *table, struct flight *flight)
{
    struct flight **slot = &table->slots[slot_of(&flight->identity.first_id)];
    flight->next_same_slot = *slot;
    *slot = flight;
    flight->older = table->newest;
    flight->newer = NULL;
    if (table->newest != NULL)
        table->newest->newer = flight;
    else
        table->oldest = flight;
    table->newest = flight;
    table->count++;
}

void flight_remove(struct flight_table *table, struct flight *flight)
{
    struct flight **at = &table->slots[slot_of(&flight->identity.first_id)];
    while (*at != flight)
        at = &(*at)->next_same_slot;
    *at = flight->next_same_slot;
    *(flight->older != NULL ? &flight->older->newer : &table->oldest) = flight->newer;
    *(flight->newer != NULL ? &flight->newer->older : &table->newest) = flight->older;
    table->count--;
}

struct flight *flight_find(const struct flight_table *table, const struct event_id *id)
{
    for (struct flight *flight = table->slots[slot_of(id)]; flight != NULL; flight = flight->next_same_slot)
        if (event_id_is_same_message(&flight->identity.first_id, id))
            return flight;
    return NULL;
}

static struct flight **ticket_slot(struct flight_table *table, uint64_t ticket)
{
    return &table->tickets[ticket % SLOTS];
}

void flight_await(struct flight_table *table, struct flight *flight, uint64_t ticket)
{
    struct flight **slot = ticket_slot(table, ticket);
    flight->ticket = ticket;
    flight->state = FLIGHT_APPENDING;
    flight->next_same_ticket_slot = *slot;
    *slot = flight;
}

struct flight *flight_take_ticket(struct flight_table *table, uint64_t ticket)
{
    for (struct flight **at = ticket_slot(table, ticket); *at != NULL; at = &(*at)->next_same_ticket_slot) {
        struct flight *flight = *at;
        if (flight->ticket != ticket)
            continue;
        *at = flight->next_same_ticket_slot;
        return flight;
    }
    return NULL;
}

void answer_add(struct publisher *publisher, const struct publication_answer *answer)
{
    if (publisher->answer_first + publisher->answer_count == publisher->answer_capacity) {
        if (publisher->answer_first > 0) {
            memmove(publisher->answers, publisher->answers + publisher->answer_first,
                    publisher->answer_count * sizeof *publisher->answers);
            publisher->answer_first = 0;
        } else {
            publisher->answer_capacity = publisher->answer_capacity == 0 ? 256 : publisher->answer_capacity * 2;
            publisher->answers =
                memory_grow(publisher->answers, publisher->answer_capacity * sizeof *publisher->answers);
        }
    }
    publisher->answers[publisher->answer_first + publisher->answer_count++] = *answer;
    uint64_t one = 1;
    (void)!write(publisher->wake, &one, sizeof one);
}

void flight_answer(struct publisher *publisher, struct flight *flight, enum publication_outcome outcome)
{
    for (struct flight *each = flight; each != NULL; each = each->next_waiter) {
        if (each->answered)
            continue;
        bool again = each != flight && outcome == PUBLICATION_DURABLE;
        struct publication_answer answer = {
            .token = each->publication.token,
            .outcome = again ? PUBLICATION_DUPLICATE : outcome,
            .first_id = flight->identity.first_id,
            .position = flight->identity.position,
            .recorded_at_ms = flight->identity.recorded_at_ms,
        };
        answer_add(publisher, &answer);
        each->answered = true;
    }
}
