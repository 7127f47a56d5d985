/* The server: opens, steps and closes MHD, and leads each request from its headers to its answer. */
#include "broker/http/request.h"

#include "broker/base/bytes.h"
#include "broker/base/time.h"
#include "broker/http/address.h"
#include "broker/http/linger.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    IDLE_TIMEOUT_S = 60,                  /* between requests and inside one; not while suspended */
    POOL_BYTES = 16 * 1024,               /* MHD's memory for one connection: headers and buffers */
    LIMIT_PASSED_BYTES = 4 * 1024 * 1024, /* of a chunked body that is read past for a polite 413; then it is cut */
};

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct http_request *requests; /* those whose headers were read */
    size_t request_count;
    struct lingerers linger;
    int epoll_fd; /* holds MHD's epoll, the sockets of streams and those that linger */
    int wake_fd;  /* an eventfd in it, readable when MHD has to look at resumed connections */
    bool awake;   /* that was said already */
    bool quiet;
    bool closing;
    char address[ADDRESS_TEXT_SIZE];
};

/* ---- One request ---- */

static void request_link(struct http_request *request)
{
    struct http *http = request->http;
    request->begun = true;
    request->next = http->requests;
    if (http->requests != NULL)
        http->requests->previous = request;
    http->requests = request;
    http->request_count++;
}

static void request_unlink(struct http_request *request)
{
    struct http *http = request->http;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        http->requests = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    http->request_count--;
}

/* MHD's first word of a request: only here is the target still as it was sent. What is returned becomes the context. */
static void *on_target(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_request *request = memory_take(sizeof *request);
    request->http = context;
    request->connection = connection;
    request->target_is_good = target_read(view_of_text(uri), &request->target);
    return request;
}

static void on_completed(void *context, struct MHD_Connection *connection, void **place,
                         enum MHD_RequestTerminationCode why)
{
    struct http *http = context;
    struct http_request *request = *place;
    *place = NULL;
    if (request == NULL)
        return;
    if (request->state == WAITING || request->state == STREAMING)
        http->options.cancelled(http->options.context, request);
    if (request->watched)
        (void)epoll_ctl(http->epoll_fd, EPOLL_CTL_DEL, request_socket(request), NULL);
    if (request->linger && why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !http->closing) {
        int fd = fcntl(request_socket(request), F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            linger_take(&http->linger, fd);
    }
    if (request->begun)
        request_unlink(request);
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    (void)connection;
    stream_destroy(request);
    buffer_destroy(&request->body);
    target_destroy(&request->target);
    free(request);
}

static enum MHD_Result give_answer(struct http_request *request)
{
    struct MHD_Response *response = request->response;
    request->response = NULL;
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers instead of the owner, before the body is read; MHD closes the connection after such an answer. */
static enum MHD_Result refuse(struct http_request *request, int status, const char *detail)
{
    request->linger = true;
    request_move(request, WAITING);
    http_answer_problem(request, status, detail, NULL, 0);
    return give_answer(request);
}

/* "Content-Length : 5" means five bytes to some readers and nothing to MHD (RFC 9112, section 5.1). */
static void look_for_space(void *context, struct view name, struct view value)
{
    bool *found = context;
    (void)value;
    *found |= name.size == 0 || memchr(name.data, ' ', name.size) != NULL || memchr(name.data, '\t', name.size) != NULL;
}

/* Two ways to read where a body ends let a request hide in another's body behind a proxy (RFC 9112, section 11.2). */
static const char *unsafe_framing(const struct http_request *request)
{
    size_t lengths = http_header_count(request, "Content-Length");
    size_t encodings = http_header_count(request, "Transfer-Encoding");
    if (lengths > 1)
        return "Content-Length may stand only once.";
    if (lengths > 0 && encodings > 0)
        return "Content-Length and Transfer-Encoding may not stand together.";
    struct view encoding = http_header(request, "Transfer-Encoding");
    if (encodings > 1 || (encodings == 1 && (encoding.size != 7 || strncasecmp(encoding.data, "chunked", 7) != 0)))
        return "Transfer-Encoding may only be chunked.";
    bool space = false;
    http_each_header(request, look_for_space, &space);
    if (space)
        return "A header's name may hold no space.";
    if (http_header_count(request, "Host") > 1)
        return "Host may stand only once.";
    return NULL;
}

static enum MHD_Result begin(struct http_request *request, const char *method)
{
    struct http *http = request->http;
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    address_of_peer(peer->client_addr, request->peer, sizeof request->peer);
    request->method = method;
    request_link(request);

    const char *unsafe = unsafe_framing(request);
    if (unsafe != NULL)
        return refuse(request, 400, unsafe);
    if (!request->target_is_good)
        return refuse(request, 400, "The request's target cannot be read.");

    int64_t length = 0;
    struct view said = http_header(request, "Content-Length");
    request->limit = http->options.body_limit(http->options.context, http_method(request), request->target.path);
    if (said.data != NULL && !view_to_number(said, &length))
        return refuse(request, 400, "Content-Length is not a number.");
    if ((uint64_t)length > request->limit)
        return refuse(request, 413, "The body is larger than this route takes.");
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t *size)
{
    size_t room = request->limit - request->body.size;
    if (request->passed == 0 && *size <= room)
        buffer_add(&request->body, bytes, *size);
    else
        request->passed += *size;
    *size = 0;
    return request->passed > LIMIT_PASSED_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result ask_owner(struct http_request *request)
{
    struct http *http = request->http;
    request_move(request, WAITING);
    if (request->passed > 0)
        http_answer_problem(request, 413, "The body is larger than this route takes.", NULL, 0);
    else
        http->options.request(http->options.context, request);
    if (request->response != NULL)
        return give_answer(request);
    request_suspend(request);
    return MHD_YES;
}

static enum MHD_Result on_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *bytes, size_t *size, void **place)
{
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct http_request *request = *place;
    if (request == NULL || request->cut)
        return MHD_NO;
    if (!request->begun)
        return begin(request, method);
    if (*size > 0)
        return take_body(request, bytes, size);
    if (request->state == RECEIVING)
        return ask_owner(request);
    return request->response != NULL ? give_answer(request) : MHD_YES;
}

/* ---- The server ---- */

static enum result start_daemon(struct http *http, int listen_fd, struct error *err)
{
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)http->options.connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)on_target, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)on_completed, http},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, on_access, http,
                                    MHD_OPTION_ARRAY, items, MHD_OPTION_END);
    if (http->daemon == NULL)
        return error_set(err, FATAL, "the HTTP server did not start on %s", http->address);
    int mhd_fd = MHD_get_daemon_info(http->daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = NULL};
    if (epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, mhd_fd, &event) != 0 ||
        epoll_ctl(http->epoll_fd, EPOLL_CTL_ADD, http->wake_fd, &event) != 0)
        return error_set(err, FATAL, "the HTTP server cannot be waited for: %s", strerror(errno));
    return OK;
}

enum result http_open(const struct http_options *options, struct http **ret, struct error *err)
{
    int listen_fd = -1;
    struct http *http = memory_take(sizeof *http);
    http->options = *options;
    http->epoll_fd = epoll_create1(EPOLL_CLOEXEC);
    http->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    http->linger.epoll_fd = http->epoll_fd;
    enum result result = OK;
    if (http->epoll_fd < 0 || http->wake_fd < 0)
        result = error_set(err, FATAL, "no epoll for HTTP: %s", strerror(errno));
    if (result == OK)
        result = address_listen(options->address, &listen_fd, http->address, err);
    if (result == OK)
        result = start_daemon(http, listen_fd, err);
    if (result == OK) {
        *ret = http;
        return OK;
    }
    if (http->daemon == NULL && listen_fd >= 0)
        (void)close(listen_fd); /* otherwise it is MHD's */
    http_close(http);
    return result;
}

/* MHD may not be stopped while a connection is suspended: each is cut, and one step lets MHD see it. */
static void cut_all(struct http *http)
{
    for (struct http_request *request = http->requests; request != NULL; request = request->next) {
        request->cut = true;
        request_wake(request);
    }
    (void)MHD_run(http->daemon);
}

void http_close(struct http *http)
{
    if (http == NULL)
        return;
    http->closing = true;
    if (http->daemon != NULL) {
        cut_all(http);
        MHD_stop_daemon(http->daemon);
    }
    linger_close_all(&http->linger);
    if (http->epoll_fd >= 0)
        (void)close(http->epoll_fd);
    if (http->wake_fd >= 0)
        (void)close(http->wake_fd);
    free(http);
}

void http_quiesce(struct http *http)
{
    if (http->quiet)
        return;
    http->quiet = true;
    MHD_socket fd = MHD_quiesce_daemon(http->daemon);
    if (fd != MHD_INVALID_SOCKET)
        (void)close(fd);
}

bool http_is_quiet(const struct http *http)
{
    return http->quiet;
}

size_t http_open_requests(const struct http *http)
{
    return http->request_count;
}

const char *http_address(const struct http *http)
{
    return http->address;
}

int http_fd(const struct http *http)
{
    return http->epoll_fd;
}

int http_timeout_ms(const struct http *http)
{
    MHD_UNSIGNED_LONG_LONG mhd_ms;
    int lingering_ms = linger_timeout_ms(&http->linger);
    if (MHD_get_timeout(http->daemon, &mhd_ms) != MHD_YES)
        return lingering_ms;
    int timeout_ms = mhd_ms > IDLE_TIMEOUT_S * 1000 ? IDLE_TIMEOUT_S * 1000 : (int)mhd_ms;
    return lingering_ms >= 0 && lingering_ms < timeout_ms ? lingering_ms : timeout_ms;
}

/* MHD resumes connections in its next run, and does not make its epoll readable for it. */
void http_awake(struct http *http)
{
    uint64_t one = 1;
    if (http->awake)
        return;
    http->awake = true;
    if (write(http->wake_fd, &one, sizeof one) != sizeof one)
        abort(); /* an eventfd that holds at most 1 always has room */
}

void http_watch(struct http_request *request)
{
    /* Edge-triggered: told once, when the client closes or breaks; MHD alone would see it only at the next write. */
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = request};
    request->watched = epoll_ctl(request->http->epoll_fd, EPOLL_CTL_ADD, request_socket(request), &event) == 0;
}

static void notice_leavers(struct http *http)
{
    struct epoll_event events[64];
    int count = epoll_wait(http->epoll_fd, events, 64, 0);
    for (int i = 0; i < count; i++) {
        struct http_request *request = events[i].data.ptr;
        if (request == NULL)
            continue; /* MHD's, or one that lingers */
        request->cut = true;
        request_wake(request);
    }
}

void http_step(struct http *http)
{
    uint64_t ones;
    notice_leavers(http);
    if (http->awake && read(http->wake_fd, &ones, sizeof ones) == sizeof ones)
        http->awake = false;
    linger_step(&http->linger);
    (void)MHD_run(http->daemon);
}
