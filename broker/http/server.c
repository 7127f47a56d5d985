/* The server: opens, steps, quiesces and closes MHD. */
#include "broker/http/server.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum {
    IDLE_TIMEOUT_S = 60,    /* between requests and inside one; not while suspended */
    POOL_BYTES = 16 * 1024, /* MHD's memory for one connection: headers and buffers */
};

static enum result start_daemon(struct http *http, int listen_fd, struct error *err)
{
    struct MHD_OptionItem items[] = {
        {MHD_OPTION_LISTEN_SOCKET, listen_fd, NULL},
        {MHD_OPTION_CONNECTION_LIMIT, (intptr_t)http->options.connections, NULL},
        {MHD_OPTION_CONNECTION_TIMEOUT, IDLE_TIMEOUT_S, NULL},
        {MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES, NULL},
        {MHD_OPTION_STRICT_FOR_CLIENT, 1, NULL},
        {MHD_OPTION_URI_LOG_CALLBACK, (intptr_t)intake_target, http},
        {MHD_OPTION_NOTIFY_CONNECTION, (intptr_t)intake_connection, http},
        {MHD_OPTION_NOTIFY_COMPLETED, (intptr_t)intake_completed, http},
        {MHD_OPTION_END, 0, NULL},
    };
    http->daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, intake_access, http,
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
    http->leavers.epoll_fd = http->epoll_fd;
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
    for (struct http_request *request = http->requests; request != NULL; request = request->next)
        request_cut(request);
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

static void notice_leavers(struct http *http)
{
    struct epoll_event events[64];
    int count = epoll_wait(http->epoll_fd, events, 64, 0);
    for (int i = 0; i < count; i++)
        if (events[i].data.ptr != NULL) /* NULL: MHD's, the eventfd, or one that lingers */
            connection_left(&http->leavers, events[i].data.ptr);
}

void http_step(struct http *http)
{
    uint64_t ones;
    notice_leavers(http);
    if (http->awake && read(http->wake_fd, &ones, sizeof ones) == sizeof ones)
        http->awake = false;
    linger_step(&http->linger);
    (void)MHD_run(http->daemon);
    leavers_see_off(&http->leavers);
}
