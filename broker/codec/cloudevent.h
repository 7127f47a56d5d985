/*
 * JSON from outside, read strictly (jansson: duplicate members, bad UTF-8, trailing bytes, depth over LIMIT_JSON_DEPTH
 * are refused), into care events and the objects of our routes.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/memory.h"
#include "broker/base/result.h"
#include "broker/event/care_event.h"
#include "broker/event/directory_entry.h"
#include "broker/event/telling.h"

/* What is wrong, member by member: {"at": "/encounter/ward", "why": "..."}; for CloudEvents at is the attribute or
 * "data/...". */
enum { PROBLEM_LIMIT = 16 };
struct problems {
    struct {
        char at[64];
        char why[128];
    } list[PROBLEM_LIMIT];
    size_t count;
    bool too_large; /* one of them is an event over LIMIT_EVENT_BYTES: HTTP 413 */
};
[[gnu::format(printf, 3, 4)]] void problem_add(struct problems *problems, const char *at, const char *why, ...);

/* A CloudEvent as a publisher sent it. */
struct cloudevent {
    struct view id, source, type, subject, traceparent, tracestate;
    int64_t time_ms;
    struct care_event event; /* header: type, class, urgency, organisation, origin; body: all but what ingest adds */
    struct view content;     /* canonical: members sorted, so that member order does not matter; for the content hash */
};

/* Structured mode: one event (application/cloudevents+json). REJECTED: problems says why (its first `at` is "" where
 * the text is not JSON at all). Views live in arena. */
enum result cloudevent_read(struct view json, struct arena *arena, struct cloudevent *ret,
                            struct problems *ret_problems);
/* application/cloudevents-batch+json. ret: *ret_count of them in arena. problems' `at` begins with the position:
 * "3/time". */
enum result cloudevent_read_batch(struct view json, struct arena *arena, struct cloudevent **ret, size_t *ret_count,
                                  struct problems *ret_problems);
/* Binary mode: attributes come as ce-* headers (percent-decoded by the caller: HTTP binding 3.1.3.2), data as the body.
 */
struct cloudevent_attribute {
    struct view name, value; /* name without "ce-", lower case */
};
enum result cloudevent_read_binary(const struct cloudevent_attribute *attributes, size_t count, struct view data,
                                   struct arena *arena, struct cloudevent *ret, struct problems *ret_problems);

/* Objects of the routes (interface, section 2). Each: REJECTED with problems. */
enum result organisation_read(struct view json, struct view id, struct arena *arena, struct organisation *ret,
                              struct problems *ret_problems);
enum result subscriber_read(struct view json, struct view id, struct arena *arena, struct subscriber *ret,
                            struct problems *ret_problems);
/* ret_nhs_number, or ret_local, says who; the other is empty. from/until 0 where left out. */
struct registration_request {
    struct view nhs_number;
    struct local_id local;
    struct registration registration;
};
enum result registration_read(struct view json, struct arena *arena, struct registration_request *ret,
                              struct problems *ret_problems);
/* id, status, changed_at are the caller's. patch: members that are absent keep what *ret holds. */
enum result subscription_read(struct view json, bool patch, struct arena *arena, struct subscription *ret,
                              struct problems *ret_problems);
struct receipt_request {
    int64_t number;
    struct view state, by;
};
enum result receipt_read(struct view json, struct arena *arena, struct receipt_request *ret,
                         struct problems *ret_problems);
enum result token_read(struct view json, struct arena *arena, struct token *ret, struct problems *ret_problems);
/* {"nhsNumber"} or {"localId": {"assigner","value"}} */
enum result patient_search_read(struct view json, struct arena *arena, struct view *ret_nhs_number,
                                struct local_id *ret_local, struct problems *ret_problems);
/* One text member of an object, such as {"token"} or {"code"}; NOTHING: not there. REJECTED: not an object of texts. */
enum result json_text_member(struct view json, const char *name, struct arena *arena, struct view *ret);
/* The text of a member anywhere in a document of our own, by path "data/number": for the command line and the
 * simulator. Numbers and booleans as text. NOTHING: not there. */
enum result json_find(struct view json, const char *path, struct arena *arena, struct view *ret);
/* Calls each with the text of every element of the array at path ("" for the whole document). */
enum result json_each(struct view json, const char *path, struct arena *arena,
                      bool (*each)(void *context, struct view element), void *context);
