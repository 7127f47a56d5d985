/* The inside of the door, for the files of this room. */
#pragma once

#include "producers/cloudevents/cloudevents.h"

#include "broker/codec/cloudevent.h"
#include "broker/event/limits.h"
#include "broker/record/position.h"

/* ---- posted.c: what a request holds ---- */

enum posted_mode {
    POSTED_STRUCTURED,
    POSTED_BATCH,
    POSTED_BINARY,
    POSTED_UNSUPPORTED, /* 415 */
};

/* content_type: NULL data, not sent. has_attributes: there are ce- headers. */
enum posted_mode posted_mode_of(struct view content_type, bool has_attributes);
/* A ce- header's value as it was before it became a header (CloudEvents HTTP binding 1.0.2, 3.1.3.2), in arena. */
struct view posted_header_decode(struct view value, struct arena *arena);

struct posted {
    enum posted_mode mode;
    struct view body;
    struct cloudevent_attribute *attributes; /* of binary mode */
    size_t attribute_count;
    struct cloudevent *events;
    size_t count;
    struct problems problems;
};
/* OK, or REJECTED with problems (none where the mode is POSTED_UNSUPPORTED). */
enum result posted_read(const struct http_request *request, struct arena *arena, struct posted *ret);
/* The text of an attribute of the event at index, as far as it can be read in something refused; else an empty text. */
struct view posted_find(const struct posted *posted, size_t index, const char *name, struct arena *arena);

/* ---- refusal.c: what is answered at once ---- */

/* {"errors": why} */
void refuse(struct http_request *request, int status, const char *why);
/* {"validationErrors": {at: why ...}} */
void refuse_with_problems(struct http_request *request, const struct problems *problems);
/* A refused event on the work list of the organisation. */
struct work_item refused_item(const struct organisation *organisation, const struct posted *posted, size_t index,
                              const char *code, struct view at, struct view why, struct arena *arena);

/* ---- publication.c: what an event means to ingest ---- */

/* The organisation among the token's that may use the source; NULL: none. */
const struct organisation *organisation_of_source(const struct directory *directory, const struct token *token,
                                                  struct view source);
/* The token's organisation where it has only one; NULL otherwise. */
const struct organisation *organisation_alone(const struct directory *directory, const struct token *token);
/* What only the publisher's organisation can say of an event: who its patient is, and whether the number is trusted.
 * prefix: of problems' `at`, "" or "3/". False: a problem was added. */
bool publication_check(const struct organisation *organisation, struct cloudevent *event, const char *prefix,
                       struct problems *problems);
struct publication publication_of(const struct organisation *organisation, struct cloudevent *event, uint64_t token,
                                  struct arena *arena);

/* ---- waiting.c: requests that wait for their events ---- */

struct waiting_event {
    struct view type; /* a name of type.h */
    enum publication_outcome outcome;
    struct event_id id;
    struct log_position position;
};

struct waiting {
    struct http_request *request; /* NULL: the client left */
    struct view correlation;
    bool batch;
    size_t count, unanswered;
    struct waiting_event *events;
    struct arena arena; /* of all of it but itself */
};

struct waiting *waiting_create(struct http_request *request, const struct posted *posted);
void waiting_destroy(struct waiting *waiting);
/* Every event has its outcome: answers the request, if it is still there, and counts. */
void waiting_answer(struct waiting *waiting);
