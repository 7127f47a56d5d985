/* Messages for tests: written with | at line ends, read with the facts of a made-up hospital R0A. */
#pragma once

#include "producers/hl7/adt.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

/* What a test reads with and gets: one message. */
struct read_message {
    struct arena arena;
    struct message message;
    struct envelope envelope;
    struct organisation organisation;
    struct publisher_facts facts;
    struct reading reading;
    struct adt_result result;
    struct refusal refusal;
    struct time_zone *zone;
};

static bool is_another_hospital(const void *context, struct view code)
{
    (void)context;
    return view_is_text(code, "R1H") || view_is_text(code, "R1H01");
}

/* In London, taking P, accepting untrusted numbers, at 2026-11-23T10:00Z. */
[[maybe_unused]] static void read_open(struct read_message *read)
{
    *read = (struct read_message){.zone = time_zone_open("Europe/London")};
    assert_non_null(read->zone);
    read->organisation = (struct organisation){.id = VIEW("R0A"), .time_zone = VIEW("Europe/London")};
    read->facts = (struct publisher_facts){.organisation = &read->organisation,
                                           .zone = read->zone,
                                           .now_ms = 1795428000000,
                                           .is_another = is_another_hospital};
}

[[maybe_unused]] static void read_close(struct read_message *read)
{
    arena_destroy(&read->arena);
    time_zone_close(read->zone);
}

/* Outline, envelope, meaning. */
[[maybe_unused]] static enum result read_bytes(struct read_message *read, struct view bytes)
{
    arena_reset(&read->arena);
    read->result = (struct adt_result){0};
    read->refusal = (struct refusal){0};
    enum result result = message_parse(bytes, &read->arena, &read->message, &read->refusal);
    if (result != OK)
        return result;
    envelope_read(&read->message, &read->envelope);
    read->reading = (struct reading){
        .message = &read->message, .facts = &read->facts, .source = read->envelope.source, .id = read->envelope.id};
    result = envelope_check(&read->envelope, &read->organisation, &read->refusal);
    return result == OK ? adt_read(&read->reading, &read->envelope, &read->result, &read->refusal) : result;
}

[[maybe_unused]] static enum result read_text(struct read_message *read, const char *text)
{
    return read_bytes(read, view_of_text(text));
}

#define assert_view(actual, text)                                                                                      \
    do {                                                                                                               \
        struct view assert_view_is = (actual);                                                                         \
        char assert_view_text[512];                                                                                    \
        (void)snprintf(assert_view_text, sizeof assert_view_text, "%.*s", VIEW_ARGS(assert_view_is));                  \
        assert_non_null(assert_view_is.data);                                                                          \
        assert_string_equal(assert_view_text, (text));                                                                 \
    } while (0)

#define assert_time(ms, text)                                                                                          \
    do {                                                                                                               \
        char assert_time_text[TIME_TEXT_SIZE];                                                                         \
        (void)time_to_rfc3339((ms), assert_time_text);                                                                 \
        assert_string_equal(assert_time_text, (text));                                                                 \
    } while (0)

/* The item of that kind; fails where there is none. */
[[maybe_unused]] static const struct work_item *item_of(const struct read_message *read, const char *kind)
{
    for (size_t i = 0; i < read->reading.item_count; i++)
        if (view_is_text(read->reading.items[i].kind, kind))
            return &read->reading.items[i];
    fail_msg("no item of kind %s", kind);
    abort();
}
