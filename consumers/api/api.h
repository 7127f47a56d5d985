/*
 * The HTTP side of the broker: one loop on one port for every route of the interface. Health, metrics and status stand
 * in every process; the routes of subscribers, tokens and the work list where the role `api` runs; POST /events and the
 * page's files are handed to whoever main says.
 */
#pragma once

#include "broker/directory/directory.h"
#include "broker/http/http.h"
#include "broker/log/log.h"
#include "broker/vault/vault.h"

struct api;

/* What is answered elsewhere (a role does not know another): POST /events. */
struct api_door {
    bool (*request)(void *context, struct http_request *request, const struct token *token); /* answers now or later */
    void (*cancelled)(void *context, struct http_request *request);
    bool (*is_ready)(void *context);
    void *context;
};

struct api_options {
    struct log *log;
    const struct vault *vault;
    const char *data_folder;
    const char *region;
    const char *address;         /* "127.0.0.1:8080" */
    bool routes;                 /* the role `api`: all routes; false: only health, metrics and status */
    const struct api_door *door; /* NULL: this process takes no events over HTTP; lives as long as the api */
    bool (*page)(struct view path, struct view *ret_body, const char **ret_content_type); /* NULL: no page */
    bool kafka_headers;
    int64_t fold_commit_ms; /* 0: the runner's default */
    /* For the crash harness: "append-durable" (a subscription or receipt, not answered), and the points of the folds
     * and of the publisher of registrations. NULL: nobody listens. */
    void (*at_point)(void *context, const char *who, const char *point);
    void *context;
    int sabotage; /* enum sabotage, of the folds; never set but by the crash harness */
};

enum result api_open(const struct api_options *options, struct api **ret, struct error *err);
void api_close(struct api *api);
/* The directory of this thread, for the door to share. */
struct directory *api_directory(struct api *api);
const char *api_address(const struct api *api); /* with the real port */
int api_fd(const struct api *api);              /* readable: call api_step */
int api_timeout_ms(const struct api *api);
/* One turn: requests, folds, answers. FATAL: stop the process; err says why. */
enum result api_step(struct api *api, struct error *err);
/* Takes no new connections, ends the streams, answers what it has. */
void api_quiesce(struct api *api);
bool api_is_quiet(const struct api *api); /* nothing is open any more */
