/* The inside of the api, for the files of this room. */
#pragma once

#include "consumers/api/api.h"

#include "broker/base/json.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/codec/cloudevent.h"
#include "broker/event/limits.h"
#include "broker/number/number.h"
#include "broker/publisher/publisher.h"
#include "broker/record/position.h"

enum { CALL_PARAMS = 2, HEARTBEAT_MS = 10 * 1000, SESSION_MS = 12 * 3600 * 1000, CODE_MS = 10 * 60 * 1000 };

struct call;
struct stream;

/* Who asks: copied from the token, since the directory may change while a call waits. */
struct caller {
    struct view token_id;
    struct view *organisations; /* in order */
    size_t organisation_count;
    int32_t roles;
    bool by_cookie;
};

/* One request on its way to an answer. Everything of it lives in its arena. */
struct call {
    struct call *next;
    struct api *api;
    struct http_request *request;
    struct arena arena;
    struct caller caller;
    const struct route *route;
    struct view params[CALL_PARAMS]; /* the {...} of the route's path */
    /* Waiting for an append: */
    uint64_t ticket;
    enum topic ticket_topic;
    int32_t ticket_partition;
    size_t ticket_entry; /* which of the entries' position is answered */
    /* Waiting for a position, or for a first alert: */
    struct topic_position positions[POSITIONS_LIMIT];
    size_t position_count;
    bool waits; /* until the positions are passed, and the folds are where the log was when the api opened */
    bool made;  /* durable, at positions[0]; answered when this process has seen it */
    struct view subscription;          /* a pull that waits; NULL data: not */
    bool beyond;                       /* asked from a number beyond the head, and waits whether it comes */
    int64_t deadline_ms;               /* monotonic; 0: waits for an append */
    void (*resume)(struct call *call); /* when the deadline passes, instead of 503 */
    /* The answer once the append is durable: */
    int status;
    struct buffer body;
    struct view cookie;              /* Set-Cookie; NULL data: none */
    struct view code;                /* the one-time code that it uses up; NULL data: none */
    void (*then)(struct call *call); /* what is done then instead; NULL: the answer */
};

/* A route: who may use it, and what it does. */
struct route {
    const char *method, *path; /* "/subscriptions/{id}/alerts" */
    int32_t roles;             /* any of ROLE_...; 0: everybody, without a token */
    void (*answer)(struct call *call);
};
const struct route *route_find(struct view method, struct view path, struct view params[CALL_PARAMS],
                               bool *ret_path_known);

struct api {
    struct api_options options;
    struct http *http;
    struct directory *directory;
    struct log_appender *appender;
    struct log_fetcher *fetcher;
    struct keyring *keyring;
    struct number *number;
    struct runner *numbers;       /* the fold over tidings.alerts */
    struct runner *registrations; /* who is registered, from tidings.events */
    struct runner *work;          /* the work list, from tidings.quarantine */
    struct publisher *publisher;  /* registrations made here */
    struct call *calls;           /* those that wait */
    struct stream *streams;
    uint64_t next_ticket;
    int64_t last_heartbeat_ms;
    int64_t rights_position, rights_looked_ms; /* when it was last looked whether streams may go on */
    int epoll;
    bool quiescing;
};

/* ---- call.c: answering ---- */
void call_answer(struct call *call, int status, struct view json); /* frees the call */
void call_problem(struct call *call, int status, const char *detail);
void call_problems(struct call *call, const struct problems *problems); /* 400 */
void call_not_found(struct call *call);                                 /* 404, also for what is not the caller's */
void call_destroy(struct call *call);
/* Waits (in api->calls) until its append is durable; then the answer is status and body, with Tidings-Position. */
void call_append(struct call *call, const struct log_entry *entries, size_t count, size_t answered_entry, int status);
void calls_collect(struct api *api); /* answers those whose append is durable */
/* Answers one that is durable at positions[0], once this process has seen it. */
void call_made(struct call *call);
bool position_is_passed(const struct api *api, const struct topic_position *wanted); /* api.c */
void call_published(struct call *call, const struct publication_answer *published);
void call_park(struct call *call);
void call_unpark(struct call *call);
/* The caller asks from a number beyond the head. On a shared log another machine may have given it a moment ago: looks
 * again once, a little later. False: it was never given, and the call is answered with 409. */
bool call_waits_beyond(struct call *call, void (*resume)(struct call *call));
bool caller_acts_for(const struct caller *caller,
                     struct view organisation); /* one of its own; operators: not by this */
/* May the caller act for this subscriber (its organisation's)? */
bool caller_owns_subscriber(const struct call *call, struct view subscriber);
bool token_acts_for(const struct token *token, struct view organisation); /* one that stands in the directory */
bool token_owns_subscriber(const struct directory *directory, const struct token *token, struct view subscriber);
/* A page of another site must not act with a cookie, nor sign a browser in: browsers say where a request comes from. */
bool caller_comes_from_elsewhere(const struct http_request *request);
/* The page asked for: limit (1 to LIMIT_PAGE), after (NULL data: from the beginning). False: answered with 400. */
bool call_page(struct call *call, size_t *ret_limit, struct view *ret_after);
/* An id for what the caller makes: a hash of (organisation, Idempotency-Key) where one was sent, else random. 22
 * characters. */
struct view call_make_id(struct call *call, struct view organisation, const char *kind);

/* ---- the routes ---- */
void session_open(struct call *call);
void session_end(struct call *call);
void token_add(struct call *call);
void token_link(struct call *call);
void token_end(struct call *call);
void organisation_put(struct call *call);
void organisation_show(struct call *call);
void organisation_list(struct call *call);
void subscriber_put(struct call *call);
void subscriber_show(struct call *call);
void subscriber_list(struct call *call);
void registration_add(struct call *call);
void registration_list(struct call *call);
void registration_end(struct call *call);
void subscription_add(struct call *call);
void subscription_list(struct call *call);
void subscription_show(struct call *call);
void subscription_patch(struct call *call);
void subscription_end(struct call *call);
void subscription_pause(struct call *call);
void subscription_resume(struct call *call);
void subscription_replay(struct call *call);
void alerts_pull(struct call *call);
void alert_show(struct call *call);
void alerts_stream(struct call *call);
void receipt_add(struct call *call);
void patient_search(struct call *call);
void work_list(struct call *call);
void quarantine_list(struct call *call);
void status_show(struct call *call);
void metrics_show(struct call *call);
void health_live(struct call *call);
void health_ready(struct call *call);

/* ---- alert.c ---- */
/* Appends the alert as one subscription is told it (interface, section 3). body NULL: it may no longer be shown, or
 * cannot be opened: the number stands, and those behind it are not held up. */
void alert_write(const struct subscription *subscription, int64_t number, const struct opened_record *telling,
                 const struct event_body *body, const char *region, enum payload payload, struct buffer *to);
/* Finds alert `number` and appends it. NOTHING: not given. */
enum result alert_read(struct api *api, const struct subscription *subscription, int64_t number, enum payload payload,
                       struct buffer *to, struct error *err);

/* ---- find.c ---- */
/* A subscription that the caller may see, with its head. Views live in arena. NOTHING: not there, or not the caller's.
 */
enum result subscription_find(struct call *call, struct view id, struct numbered_subscription *ret);
enum result subscription_find_any(struct api *api, struct view id, struct arena *arena,
                                  struct numbered_subscription *ret);

/* ---- stream.c, pull.c ---- */
/* A record of tidings.alerts was folded: live streams and waiting pulls are served from memory. */
void alerts_folded(void *context, const struct fold_input *input, bool live);
void streams_step(struct api *api);
void stream_cancel(struct api *api, struct http_request *request);
void streams_end(struct api *api);
void pulls_wake(struct api *api, struct view subscription);

/* ---- projections ---- */
struct fold registration_fold(struct api *api); /* registered.c */
struct fold work_fold(struct api *api);         /* work.c */
