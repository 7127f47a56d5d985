/*
 * The yardstick of publishing: libmicrohttpd alone, answering each POST when its body is in a file and the file is
 * synced; many requests share one fdatasync, as in the broker.  bare_http FOLDER  (prints its port)
 */
#include <fcntl.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { BODY_LIMIT = 4096, QUEUE = 4096 };

struct post {
    struct MHD_Connection *connection;
    char body[BODY_LIMIT];
    size_t size;
    bool durable;
};

static struct {
    pthread_mutex_t lock;
    pthread_cond_t filled;
    struct post *waiting[QUEUE];
    size_t count;
    struct post *done[QUEUE];
    size_t done_count;
    int file, wake;
} commit = {.lock = PTHREAD_MUTEX_INITIALIZER, .filled = PTHREAD_COND_INITIALIZER};

static void *commit_run(void *context)
{
    static struct post *taken[QUEUE];
    (void)context;
    for (;;) {
        (void)pthread_mutex_lock(&commit.lock);
        while (commit.count == 0)
            (void)pthread_cond_wait(&commit.filled, &commit.lock);
        size_t count = commit.count;
        memcpy(taken, commit.waiting, count * sizeof taken[0]);
        commit.count = 0;
        (void)pthread_mutex_unlock(&commit.lock);
        for (size_t i = 0; i < count; i++)
            if (write(commit.file, taken[i]->body, taken[i]->size) < 0)
                exit(1);
        if (fdatasync(commit.file) != 0)
            exit(1);
        (void)pthread_mutex_lock(&commit.lock);
        memcpy(commit.done + commit.done_count, taken, count * sizeof taken[0]);
        commit.done_count += count;
        (void)pthread_mutex_unlock(&commit.lock);
        uint64_t one = 1;
        if (write(commit.wake, &one, sizeof one) < 0)
            exit(1);
    }
    return NULL;
}

static enum MHD_Result answer(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *data, size_t *size, void **request)
{
    struct post *post = *request;
    (void)context;
    (void)url;
    (void)method;
    (void)version;
    if (post == NULL) {
        post = calloc(1, sizeof *post);
        post->connection = connection;
        *request = post;
        return MHD_YES;
    }
    if (*size > 0) {
        size_t room = BODY_LIMIT - post->size, taken = *size < room ? *size : room;
        memcpy(post->body + post->size, data, taken);
        post->size += taken;
        *size = 0;
        return MHD_YES;
    }
    if (!post->durable) {
        MHD_suspend_connection(connection);
        (void)pthread_mutex_lock(&commit.lock);
        commit.waiting[commit.count++] = post;
        (void)pthread_cond_signal(&commit.filled);
        (void)pthread_mutex_unlock(&commit.lock);
        return MHD_YES;
    }
    struct MHD_Response *response =
        MHD_create_response_from_buffer(21, (void *)(uintptr_t) "{\"id\":\"0123456789ab\"}", MHD_RESPMEM_PERSISTENT);
    enum MHD_Result result = MHD_queue_response(connection, 200, response);
    MHD_destroy_response(response);
    return result;
}

static void completed(void *context, struct MHD_Connection *connection, void **request,
                      enum MHD_RequestTerminationCode code)
{
    (void)context;
    (void)connection;
    (void)code;
    free(*request);
    *request = NULL;
}

static void done_resume(void)
{
    uint64_t count;
    (void)!read(commit.wake, &count, sizeof count);
    (void)pthread_mutex_lock(&commit.lock);
    for (size_t i = 0; i < commit.done_count; i++) {
        commit.done[i]->durable = true;
        MHD_resume_connection(commit.done[i]->connection);
    }
    commit.done_count = 0;
    (void)pthread_mutex_unlock(&commit.lock);
}

int main(int argc, char **argv)
{
    char path[512];
    pthread_t thread;
    if (argc < 2)
        return 2;
    (void)snprintf(path, sizeof path, "%s/bare", argv[1]);
    commit.file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    commit.wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME, 0, NULL, NULL, answer, NULL,
                                                 MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)16384, MHD_OPTION_END);
    if (daemon == NULL || commit.file < 0 || pthread_create(&thread, NULL, commit_run, NULL) != 0)
        return 1;
    printf("%d\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
    (void)fflush(stdout);
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct epoll_event event = {.events = EPOLLIN};
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd, &event);
    (void)epoll_ctl(epoll, EPOLL_CTL_ADD, commit.wake, &event);
    for (;;) {
        struct epoll_event events[2];
        (void)epoll_wait(epoll, events, 2, 100);
        done_resume();
        (void)MHD_run(daemon);
    }
}
