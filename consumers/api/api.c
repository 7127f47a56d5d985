/* The loop of the HTTP side: requests in, folds on, answers out. */
#include "consumers/api/caller.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { CACHED_KEYS = 1024, STEP_RECORDS = 500, POSITION_CHECK_MS = 5 };

bool position_is_passed(const struct api *api, const struct topic_position *wanted)
{
    int32_t partition = wanted->position.partition;
    int64_t offset = wanted->position.offset;
    switch (wanted->topic) {
    case TOPIC_EVENTS:
        return runner_has_passed(api->registrations, partition, offset);
    case TOPIC_ALERTS:
        return runner_has_passed(api->numbers, partition, offset);
    case TOPIC_QUARANTINE:
        return runner_has_passed(api->work, partition, offset);
    case TOPIC_DIRECTORY:
        return directory_position(api->directory) > offset;
    case TOPIC_KEYS:
    case TOPIC_AUDIT:
    case TOPIC_COUNT:
        break;
    }
    return true; /* nothing here is read from there */
}

/* Until its folds have been at the end of the log once, the api would show what was so before: an older head, and not
 * the subscription that was made just before it went down. */
static bool folds_are_caught_up(const struct api *api)
{
    return runner_is_caught_up(api->numbers) && runner_is_caught_up(api->registrations) &&
           runner_is_caught_up(api->work);
}

static bool positions_are_passed(const struct call *call)
{
    if (!folds_are_caught_up(call->api))
        return false;
    for (size_t i = 0; i < call->position_count; i++)
        if (!position_is_passed(call->api, &call->positions[i]))
            return false;
    return true;
}

static bool is_everywhere(const struct route *route)
{
    return route->answer == health_live || route->answer == health_ready || route->answer == metrics_show ||
           route->answer == status_show;
}

/* A GET that sends back Tidings-Position waits until it is seen. False: the call was answered, or waits. */
static bool positions_wait(struct call *call)
{
    struct view text = http_header(call->request, "Tidings-Position");
    if (is_everywhere(call->route) || call->route->roles == 0)
        return true;
    if (text.data != NULL && view_is_text(http_method(call->request), "GET") &&
        !positions_from_text(text, call->positions, &call->position_count)) {
        call_problem(call, 400, "Tidings-Position is to be sent back as it was received.");
        return false;
    }
    if (positions_are_passed(call))
        return true;
    call->waits = true;
    call->deadline_ms = time_monotonic_ms() + LIMIT_POSITION_WAIT_MS;
    call_park(call);
    return false;
}

static bool role_may(struct call *call)
{
    if (call->route->roles == 0 || (call->caller.roles & call->route->roles) != 0)
        return true;
    call_problem(call, 403, "This token's roles may not use this route.");
    return false;
}

static void door_request(struct api *api, struct http_request *request, const struct token *token)
{
    const struct api_door *door = api->options.door;
    if (door != NULL && token != NULL && door->request(door->context, request, token))
        return;
    if (token == NULL)
        http_answer(request, &(struct http_answer){.status = 401,
                                                   .content_type = "application/json",
                                                   .body = VIEW("{\"errors\":\"a valid token is needed\"}"),
                                                   .headers = {{"WWW-Authenticate", VIEW("Bearer")}}});
    else
        http_answer_problem(request, 404, "This process takes no events over HTTP.", NULL, 0);
}

static bool page_answer(struct api *api, struct http_request *request)
{
    struct view body;
    const char *content_type;
    if (api->options.page == NULL || !view_is_text(http_method(request), "GET") ||
        !api->options.page(http_path(request), &body, &content_type))
        return false;
    http_answer(request, &(struct http_answer){
                             .status = 200,
                             .content_type = content_type,
                             .body = body,
                             .body_is_static = true,
                             .headers = {{"Content-Security-Policy",
                                          VIEW("default-src 'self'; base-uri 'none'; form-action 'self'; "
                                               "frame-ancestors 'none'; object-src 'none'")},
                                         {"Referrer-Policy", VIEW("no-referrer")},
                                         {"Cache-Control", VIEW("no-cache")}},
                         });
    return true;
}

static const struct route *route_choose(struct api *api, struct http_request *request, struct view params[CALL_PARAMS],
                                        bool *ret_path_known)
{
    const struct route *route = route_find(http_method(request), http_path(request), params, ret_path_known);
    return route != NULL && (api->options.routes || is_everywhere(route)) ? route : NULL;
}

static void request_route(struct api *api, struct http_request *request)
{
    bool path_known, by_cookie;
    struct view params[CALL_PARAMS] = {VIEW_NONE, VIEW_NONE};
    const struct token *token = caller_token(api, request, &by_cookie);
    const struct route *route = route_choose(api, request, params, &path_known);
    if (route == NULL && token == NULL)
        http_answer_problem(request, 401, "A valid token is needed: Authorization: Bearer TOKEN.", NULL, 0);
    else if (route == NULL)
        http_answer_problem(request, path_known ? 405 : 404,
                            path_known ? "This route does not take this method." : "There is no such route.", NULL, 0);
    else if (token == NULL && route->roles != 0)
        http_answer(request, &(struct http_answer){.status = 401,
                                                   .content_type = "application/problem+json",
                                                   .body = VIEW("{\"type\":\"about:blank\",\"title\":\"Unauthorized\","
                                                                "\"status\":401,\"detail\":\"A valid token is needed: "
                                                                "Authorization: Bearer TOKEN.\"}"),
                                                   .headers = {{"WWW-Authenticate", VIEW("Bearer")}}});
    else {
        struct call *call = memory_take(sizeof *call);
        *call = (struct call){.api = api, .request = request, .route = route, .params = {params[0], params[1]}};
        if (token != NULL)
            caller_take(call, token, by_cookie);
        if (role_may(call) && positions_wait(call))
            route->answer(call);
    }
}

static void api_request(void *context, struct http_request *request)
{
    struct api *api = context;
    bool by_cookie;
    if (view_is_text(http_path(request), "/events") && view_is_text(http_method(request), "POST"))
        door_request(api, request, caller_token(api, request, &by_cookie));
    else if (!page_answer(api, request))
        request_route(api, request);
}

static void api_cancelled(void *context, struct http_request *request)
{
    struct api *api = context;
    if (view_is_text(http_path(request), "/events")) {
        if (api->options.door != NULL)
            api->options.door->cancelled(api->options.door->context, request);
        return;
    }
    for (struct call *call = api->calls; call != NULL; call = call->next) {
        if (call->request == request) { /* what it appended goes its way; nobody hears the answer */
            call_unpark(call);
            call_destroy(call);
            return;
        }
    }
    stream_cancel(api, request);
}

static size_t body_limit(void *context, struct view method, struct view path)
{
    (void)context;
    (void)method;
    (void)path;
    return LIMIT_BODY_BYTES;
}

static enum result folds_open(struct api *api, struct error *err)
{
    struct runner_options options = {.log = api->options.log,
                                     .vault = api->options.vault,
                                     .data_folder = api->options.data_folder,
                                     .region = api->options.region,
                                     .commit_ms = api->options.fold_commit_ms,
                                     .batch = STEP_RECORDS,
                                     .at_point = api->options.at_point,
                                     .context = api->options.context,
                                     .sabotage = api->options.sabotage};
    struct fold numbers = number_fold("api", false, api->number, alerts_folded);
    struct fold registrations = registration_fold(api), work = work_fold(api);
    numbers.applied_context = api;
    enum result result = runner_open(&numbers, &options, &api->numbers, err);
    if (result == OK)
        result = runner_open(&registrations, &options, &api->registrations, err);
    if (result == OK)
        result = runner_open(&work, &options, &api->work, err);
    struct publisher_options publisher = {.log = api->options.log,
                                          .vault = api->options.vault,
                                          .data_folder = api->options.data_folder,
                                          .region = api->options.region,
                                          .origin = ORIGIN_API,
                                          .without_identities = true,
                                          .at_point = api->options.at_point,
                                          .context = api->options.context};
    return result == OK ? publisher_open(&publisher, &api->publisher, err) : result;
}

static enum result wakes_open(struct api *api, struct error *err)
{
    api->epoll = epoll_create1(EPOLL_CLOEXEC);
    int fds[] = {http_fd(api->http),
                 log_appender_fd(api->appender),
                 directory_fd(api->directory),
                 api->numbers == NULL ? -1 : runner_fd(api->numbers),
                 api->registrations == NULL ? -1 : runner_fd(api->registrations),
                 api->work == NULL ? -1 : runner_fd(api->work),
                 api->publisher == NULL ? -1 : publisher_fd(api->publisher)};
    for (size_t i = 0; i < sizeof fds / sizeof fds[0]; i++) {
        struct epoll_event event = {.events = EPOLLIN};
        if (fds[i] >= 0 && epoll_ctl(api->epoll, EPOLL_CTL_ADD, fds[i], &event) != 0)
            return error_set(err, FATAL, "epoll for HTTP: errno %d", errno);
    }
    return OK;
}

enum result api_open(const struct api_options *options, struct api **ret, struct error *err)
{
    struct api *api = memory_take(sizeof *api);
    struct http_options http = {.address = options->address,
                                .connections = LIMIT_CONNECTIONS * 4,
                                .body_limit = body_limit,
                                .request = api_request,
                                .cancelled = api_cancelled,
                                .context = api};
    api->options = *options;
    api->epoll = -1;
    api->number = number_create();
    enum result result = log_appender_open(options->log, &api->appender, err);
    if (result == OK)
        result = log_fetcher_open(options->log, &api->fetcher, err);
    if (result == OK)
        result = keyring_open(options->log, options->vault, CACHED_KEYS, &api->keyring, err);
    if (result == OK)
        result = directory_open(options->log, &api->directory, err);
    if (result == OK && options->routes)
        result = folds_open(api, err);
    if (result == OK)
        result = http_open(&http, &api->http, err);
    if (result == OK)
        result = wakes_open(api, err);
    if (result != OK) {
        api_close(api);
        return result;
    }
    *ret = api;
    return OK;
}

void api_close(struct api *api)
{
    if (api == NULL)
        return;
    if (api->http != NULL)
        streams_end(api);
    http_close(api->http);
    publisher_close(api->publisher);
    runner_close(api->work);
    runner_close(api->registrations);
    runner_close(api->numbers);
    number_destroy(api->number);
    directory_close(api->directory);
    keyring_close(api->keyring);
    log_fetcher_close(api->fetcher);
    log_appender_close(api->appender);
    if (api->epoll >= 0)
        (void)close(api->epoll);
    free(api);
}

/* A call that waited goes on, unless its token ended meanwhile. */
static void call_go_on(struct call *call, void (*answer)(struct call *call))
{
    const struct directory *directory = call->api->directory;
    const struct token *token = directory_token_by_id(directory, call->caller.token_id);
    call->deadline_ms = 0;
    if (token != NULL && directory_token_is_live(directory, token, time_now_ms()))
        answer(call);
    else
        call_problem(call, 401, "The token or session ended while the request waited.");
}

/* Calls that waited long enough, or for what is there now. */
static void calls_look_over(struct api *api)
{
    int64_t now_ms = time_monotonic_ms();
    struct call *next;
    for (struct call *call = api->calls; call != NULL; call = next) {
        next = call->next;
        if (call->waits && positions_are_passed(call)) {
            call_unpark(call);
            call->waits = false;
            call_go_on(call, call->route->answer);
        } else if (call->made && (call->deadline_ms <= now_ms || position_is_passed(api, &call->positions[0]))) {
            call_unpark(call);
            call_made(call);
        } else if (call->deadline_ms != 0 && call->deadline_ms <= now_ms) {
            call_unpark(call);
            if (call->resume != NULL)
                call_go_on(call, call->resume);
            else
                call_problem(call, 503, "It is not there yet; send the same request again.");
        }
    }
}

static void published_collect(struct api *api)
{
    struct publication_answer answer;
    while (publisher_collect(api->publisher, &answer) == OK) {
        struct call *call = api->calls;
        while (call != NULL && call->ticket != answer.token)
            call = call->next;
        if (call != NULL)
            call_published(call, &answer);
    }
}

static enum result folds_step(struct api *api, struct error *err)
{
    struct runner *runners[] = {api->numbers, api->registrations, api->work};
    for (size_t i = 0; i < sizeof runners / sizeof runners[0]; i++)
        if (runner_step(runners[i], 0, err) == FATAL)
            return FATAL;
    if (publisher_step(api->publisher, err) == FATAL)
        return FATAL;
    published_collect(api);
    return OK;
}

enum result api_step(struct api *api, struct error *err)
{
    enum result result = directory_follow(api->directory, err);
    if (result == OK && api->options.routes)
        result = folds_step(api, err);
    if (result != OK)
        return result;
    calls_collect(api);
    http_step(api->http);
    calls_look_over(api);
    streams_step(api);
    http_step(api->http);
    return OK;
}

int api_fd(const struct api *api)
{
    return api->epoll;
}

int api_timeout_ms(const struct api *api)
{
    int timeout_ms = http_timeout_ms(api->http);
    int most_ms = api->calls != NULL ? POSITION_CHECK_MS : 500;
    return timeout_ms >= 0 && timeout_ms < most_ms ? timeout_ms : most_ms;
}

struct directory *api_directory(struct api *api)
{
    return api->directory;
}

const char *api_address(const struct api *api)
{
    return http_address(api->http);
}

void api_quiesce(struct api *api)
{
    api->quiescing = true;
    http_quiesce(api->http);
    streams_end(api);
    for (struct call *call = api->calls; call != NULL; call = call->next)
        if (call->subscription.data != NULL)
            call->deadline_ms = 1; /* a pull that waits for a first alert: answered with none */
}

bool api_is_quiet(const struct api *api)
{
    return http_open_requests(api->http) == 0;
}
