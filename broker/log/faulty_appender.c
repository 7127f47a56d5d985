/* The faulty log's appender: answers in the order of the calls, as every appender gives them, but not always true. */
#include "broker/log/faulty.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

struct call {
    struct call *next;
    struct faulty_decision decision;
    int left;       /* answers of the inner log that are still to come */
    int64_t due_ms; /* not before this; 0: at once */
    struct log_answer answer;
    int64_t offsets[];
};

struct faulty_appender {
    struct log_appender base;
    struct faulty_script *script;
    struct log_appender *inner;
    struct call *first, *last, *delivered;
    bool failing; /* until all outstanding answers are collected, nothing is appended */
    bool ready;   /* the eventfd is readable */
    int64_t last_offset;
    int all, event, timer; /* all: an epoll of the inner appender's, and of the other two */
};

static struct faulty_appender *of(struct log_appender *appender)
{
    return (struct faulty_appender *)appender;
}

static bool watch(int all, int file)
{
    struct epoll_event event = {.events = EPOLLIN};
    return file >= 0 && epoll_ctl(all, EPOLL_CTL_ADD, file, &event) == 0;
}

enum result faulty_appender_open(struct log *log, struct log_appender **ret, struct error *err)
{
    struct faulty_appender *appender = memory_take(sizeof *appender);
    appender->base.operations = log->operations;
    appender->script = faulty_of(log)->script;
    appender->all = epoll_create1(EPOLL_CLOEXEC);
    appender->event = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    appender->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
    enum result result = log_appender_open(faulty_of(log)->inner, &appender->inner, err);
    if (result == OK && (!watch(appender->all, log_appender_fd(appender->inner)) ||
                         !watch(appender->all, appender->event) || !watch(appender->all, appender->timer)))
        result = error_set(err, AGAIN, "no epoll for the faulty log: %s", strerror(errno));
    if (result == OK)
        *ret = &appender->base;
    else
        faulty_appender_close(&appender->base);
    return result;
}

void faulty_appender_close(struct log_appender *base)
{
    struct faulty_appender *appender = of(base);
    while (appender->first != NULL) {
        struct call *call = appender->first;
        appender->first = call->next;
        free(call);
    }
    free(appender->delivered);
    log_appender_close(appender->inner);
    int files[] = {appender->all, appender->event, appender->timer};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        if (files[i] >= 0)
            (void)close(files[i]);
    free(appender);
}

int faulty_appender_fd(const struct log_appender *appender)
{
    return ((const struct faulty_appender *)appender)->all;
}

static bool is_ready(const struct call *call)
{
    return call != NULL && call->left == 0 && call->due_ms <= time_monotonic_ms();
}

/* Makes the file descriptors say what there is: an answer now, or one at its time. */
static void files_update(struct faulty_appender *appender)
{
    uint64_t one = 1;
    const struct call *call = appender->first;
    struct itimerspec at = {0};
    bool ready = is_ready(call);
    if (ready && !appender->ready)
        (void)!write(appender->event, &one, sizeof one);
    if (!ready && appender->ready)
        (void)!read(appender->event, &one, sizeof one);
    appender->ready = ready;
    if (!ready && call != NULL && call->left == 0) {
        at.it_value.tv_sec = call->due_ms / 1000;
        at.it_value.tv_nsec = call->due_ms % 1000 * 1000000;
    }
    (void)timerfd_settime(appender->timer, TFD_TIMER_ABSTIME, &at, NULL);
}

/* An answer of the inner log belongs to the first call that still waits for one. */
static void absorb(struct faulty_appender *appender, const struct log_answer *answer)
{
    struct call *call = appender->first;
    while (call != NULL && call->left == 0)
        call = call->next;
    if (call == NULL)
        return;
    call->left--;
    if (call->answer.result == OK || answer->result == FATAL) {
        call->answer.result = answer->result;
        call->answer.why = answer->why;
    }
    if (answer->result == OK)
        memcpy(call->offsets, answer->offsets, call->answer.count * sizeof *call->offsets);
    else
        appender->failing = true;
    if (call->decision.action == FAULTY_LOSE_ANSWER && call->answer.result == OK)
        call->answer.result = error_set(&call->answer.why, UNCERTAIN, "the script lost this answer");
    if (call->left == 0 && call->decision.action == FAULTY_DELAY)
        call->due_ms = time_monotonic_ms() + call->decision.delay_ms;
}

static void absorb_all(struct faulty_appender *appender)
{
    struct log_answer answer;
    while (log_collect(appender->inner, 0, &answer) == OK)
        absorb(appender, &answer);
    files_update(appender);
}

/* How often the inner log is given the call; 0: the answer is made up. */
static int times_appended(struct faulty_appender *appender, struct call *call)
{
    switch (call->decision.action) {
    case FAULTY_FAIL:
        call->answer.result = error_set(&call->answer.why, AGAIN, "the script lets this append fail");
        appender->failing = true;
        return 0;
    case FAULTY_SKIP:
        for (size_t i = 0; i < call->answer.count; i++)
            call->offsets[i] = appender->last_offset;
        return 0;
    case FAULTY_TWICE:
        return 2;
    case FAULTY_NONE:
    case FAULTY_LOSE_ANSWER:
    case FAULTY_DELAY:
        return 1;
    }
    return 1;
}

enum result faulty_append(struct log_appender *base, const struct log_entry *entries, size_t count, uint64_t token,
                          struct error *err)
{
    struct faulty_appender *appender = of(base);
    unsigned topics = 0;
    enum result result = OK;
    absorb_all(appender);
    for (size_t i = 0; i < count; i++)
        topics |= 1U << entries[i].topic;
    struct call *call = memory_take(sizeof *call + count * sizeof *call->offsets);
    call->answer = (struct log_answer){.token = token, .result = OK, .offsets = call->offsets, .count = count};
    call->decision = faulty_script_append(appender->script, topics);
    if (appender->failing)
        call->decision.action = FAULTY_FAIL; /* queued behind one that failed */
    int times = times_appended(appender, call);
    for (; call->left < times && result == OK; call->left++)
        result = log_append(appender->inner, entries, count, token, err);
    if (result != OK)
        call->left--;
    if (result != OK && call->left == 0) {
        free(call);
        return result;
    }
    if (appender->last == NULL)
        appender->first = call;
    else
        appender->last->next = call;
    appender->last = call;
    files_update(appender);
    return OK;
}

static void deliver(struct faulty_appender *appender, struct log_answer *ret)
{
    struct call *call = appender->first;
    appender->first = call->next;
    if (appender->first == NULL)
        appender->last = NULL;
    free(appender->delivered);
    appender->delivered = call;
    *ret = call->answer;
    if (ret->result == OK && call->answer.count > 0)
        appender->last_offset = call->offsets[call->answer.count - 1];
    if (ret->result != OK) {
        appender->failing = true;
        for (struct call *behind = appender->first; behind != NULL; behind = behind->next)
            if (behind->decision.action != FAULTY_FAIL) /* what was queued behind it is not known to stand */
                behind->decision.action = FAULTY_LOSE_ANSWER;
        for (struct call *behind = appender->first; behind != NULL; behind = behind->next)
            if (behind->left == 0 && behind->answer.result == OK)
                behind->answer.result = error_set(&behind->answer.why, UNCERTAIN, "an append before it failed");
    }
    if (appender->first == NULL)
        appender->failing = false;
    files_update(appender);
}

enum result faulty_collect(struct log_appender *base, int timeout_ms, struct log_answer *ret)
{
    struct faulty_appender *appender = of(base);
    int64_t deadline = timeout_ms > 0 ? time_monotonic_ms() + timeout_ms : 0;
    absorb_all(appender);
    while (!is_ready(appender->first) && timeout_ms > 0) {
        struct pollfd files = {.fd = appender->all, .events = POLLIN};
        (void)poll(&files, 1, timeout_ms);
        absorb_all(appender);
        timeout_ms = (int)(deadline - time_monotonic_ms());
    }
    if (!is_ready(appender->first))
        return NOTHING;
    deliver(appender, ret);
    return OK;
}
