/* The loops of what listens: HTTP (routes, POST /events, the page) and MLLP. */
#include "broker/main/roles.h"

#include "broker/base/time.h"
#include "consumers/api/api.h"
#include "consumers/page/page.h"
#include "producers/cloudevents/cloudevents.h"
#include "producers/hl7/mllp_server.h"

#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

enum { TURN_MS = 100, QUIET_LIMIT_MS = 6000 };

/* The HTTP loop's own: the api, and the door of POST /events beside it. */
struct front {
    struct api *api;
    struct publisher *publisher;
    struct cloudevents_door *door;
    int epoll;
};

static bool door_request(void *context, struct http_request *request, const struct token *token)
{
    struct front *front = context;
    return cloudevents_door_request(front->door, request, token);
}

static void door_cancelled(void *context, struct http_request *request)
{
    struct front *front = context;
    (void)cloudevents_door_cancelled(front->door, request);
}

static bool door_is_ready(void *context)
{
    struct front *front = context;
    return publisher_is_ready(front->publisher);
}

static enum result front_open(struct front *front, struct shared *shared, struct api_door *door, struct error *err)
{
    const struct serve_options *options = shared->options;
    bool ingest = (options->roles & ROLE_INGEST) != 0, api = (options->roles & ROLE_API) != 0;
    *door = (struct api_door){door_request, door_cancelled, door_is_ready, front};
    struct api_options routes = {.log = shared->log,
                                 .vault = shared->vault,
                                 .data_folder = options->data_folder,
                                 .region = options->region,
                                 .address = options->http,
                                 .routes = api,
                                 .door = ingest ? door : NULL,
                                 .page = api ? page_find : NULL,
                                 .fold_commit_ms = options->commit_ms,
                                 .at_point = options->at_point,
                                 .sabotage = options->sabotage};
    struct publisher_options publisher = {.log = shared->log,
                                          .vault = shared->vault,
                                          .data_folder = options->data_folder,
                                          .region = options->region,
                                          .origin = ORIGIN_CLOUDEVENTS,
                                          .commit_ms = options->commit_ms,
                                          .answer_early = options->answer_early,
                                          .at_point = options->at_point};
    enum result result = ingest ? publisher_open(&publisher, &front->publisher, err) : OK;
    if (result == OK)
        result = api_open(&routes, &front->api, err);
    if (result == OK && ingest)
        front->door = cloudevents_door_create(front->publisher, api_directory(front->api));
    if (result != OK)
        return result;
    front->epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    if (epoll_ctl(front->epoll, EPOLL_CTL_ADD, api_fd(front->api), &event) != 0 ||
        (ingest && epoll_ctl(front->epoll, EPOLL_CTL_ADD, publisher_fd(front->publisher), &event) != 0))
        return error_set(err, FATAL, "epoll for the HTTP loop failed");
    return OK;
}

static enum result front_step(struct front *front, struct error *err)
{
    struct epoll_event events[2];
    int timeout_ms = api_timeout_ms(front->api);
    (void)epoll_wait(front->epoll, events, 2, timeout_ms < TURN_MS ? timeout_ms : TURN_MS);
    enum result result = front->publisher == NULL ? OK : publisher_step(front->publisher, err);
    if (result != FATAL && front->door != NULL)
        cloudevents_door_step(front->door);
    return result == FATAL ? FATAL : api_step(front->api, err);
}

static void front_close(struct front *front)
{
    api_close(front->api);
    cloudevents_door_destroy(front->door);
    publisher_close(front->publisher);
    if (front->epoll > 0)
        (void)close(front->epoll);
}

enum result http_loop(struct loop *loop)
{
    struct shared *shared = loop->shared;
    struct front front = {0};
    struct api_door door;
    int64_t quiet_by_ms = 0;
    enum result result = front_open(&front, shared, &door, &loop->err);
    if (result == OK) {
        (void)snprintf(loop->address, sizeof loop->address, "%s", api_address(front.api));
        loop_has_opened(loop);
    }
    while (result == OK && !atomic_load(&shared->failed)) {
        result = front_step(&front, &loop->err);
        if (!atomic_load(shared->stop) || result == FATAL)
            continue;
        if (quiet_by_ms == 0) {
            quiet_by_ms = time_monotonic_ms() + QUIET_LIMIT_MS;
            api_quiesce(front.api);
        }
        if (api_is_quiet(front.api) || time_monotonic_ms() > quiet_by_ms)
            break;
    }
    front_close(&front);
    return result;
}

enum result mllp_loop(struct loop *loop)
{
    struct shared *shared = loop->shared;
    const struct serve_options *options = shared->options;
    struct publisher *publisher = NULL;
    struct directory *directory = NULL;
    struct mllp_server *server = NULL;
    struct publisher_options door = {.log = shared->log,
                                     .vault = shared->vault,
                                     .data_folder = options->data_folder,
                                     .region = options->region,
                                     .origin = ORIGIN_HL7,
                                     .commit_ms = options->commit_ms,
                                     .answer_early = options->answer_early,
                                     .at_point = options->at_point};
    enum result result = publisher_open(&door, &publisher, &loop->err);
    if (result == OK)
        result = directory_open(shared->log, &directory, &loop->err);
    struct mllp_server_options listen = {.address = options->mllp, .publisher = publisher, .directory = directory};
    if (result == OK)
        result = mllp_server_open(&listen, &server, &loop->err);
    if (result == OK) {
        (void)snprintf(loop->address, sizeof loop->address, "%s", mllp_server_address(server));
        loop_has_opened(loop);
    }
    int64_t quiet_by_ms = 0;
    while (result == OK && !atomic_load(&shared->failed)) {
        if (mllp_server_step(server, TURN_MS, &loop->err) == FATAL)
            result = FATAL;
        if (!atomic_load(shared->stop) || result == FATAL)
            continue;
        if (quiet_by_ms == 0) {
            quiet_by_ms = time_monotonic_ms() + QUIET_LIMIT_MS;
            mllp_server_quiesce(server);
        }
        if (mllp_server_is_quiet(server) || time_monotonic_ms() > quiet_by_ms)
            break;
    }
    mllp_server_close(server);
    directory_close(directory);
    publisher_close(publisher);
    return result;
}
