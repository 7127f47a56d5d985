/* What the tests of CloudEvents share: an event that is right, and ways to read one. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/codec/cloudevent.h"

#include <stdio.h>

#define HEAD     "\"specversion\":\"1.0\",\"id\":\"m-1\",\"source\":\"urn:ral:epr\",\"time\":\"2026-11-23T10:15:30.000Z\","
#define ADMITTED "\"type\":\"encounter-admitted-1\","
#define PATIENT  "\"patient\":{\"nhsNumber\":\"9990000018\"}"
#define RIGHT    "{" HEAD ADMITTED "\"data\":{" PATIENT ",\"encounter\":{\"spell\":\"V1\"}}}"

/* The one event in the text; its first problem stands in problems. */
static inline enum result read_event(const char *text, struct arena *arena, struct cloudevent *ret,
                                     struct problems *problems)
{
    return cloudevent_read(view_of_text(text), arena, ret, problems);
}

static inline void assert_view(struct view found, const char *wanted)
{
    if (wanted == NULL) {
        assert_null(found.data);
        return;
    }
    assert_non_null(found.data);
    if (!view_is_text(found, wanted))
        fail_msg("\"%.*s\" is not \"%s\"", VIEW_ARGS(found), wanted);
}

static inline void assert_taken(const char *text, struct arena *arena, struct cloudevent *ret)
{
    struct problems problems;
    if (read_event(text, arena, ret, &problems) != OK)
        fail_msg("at %s: %s: %s", problems.list[0].at, problems.list[0].why, text);
}

/* Refused, with a problem at `at` whose reason begins with `why`. */
static inline void assert_refused(struct view text, const char *at, const char *why)
{
    struct arena arena = {0};
    struct cloudevent event = {.time_ms = 7};
    struct problems problems;
    bool found = false;
    if (cloudevent_read(text, &arena, &event, &problems) != REJECTED)
        fail_msg("taken: %.*s", VIEW_ARGS(text));
    assert_true(problems.count > 0);
    assert_int_equal(event.time_ms, 7); /* untouched unless OK */
    for (size_t i = 0; i < problems.count; i++)
        found = found || (strcmp(problems.list[i].at, at) == 0 && strncmp(problems.list[i].why, why, strlen(why)) == 0);
    if (!found)
        fail_msg("wanted at %s: %s; found at %s: %s; for %.*s", at, why, problems.list[0].at, problems.list[0].why,
                 VIEW_ARGS(text));
    arena_destroy(&arena);
}
