/* A thread for each stream, and one for all who pull. */
#include "producers/simulator/listener.h"

#include "broker/base/memory.h"
#include "broker/codec/cloudevent.h"
#include "producers/simulator/heard.h"
#include "producers/simulator/pause.h"

#include <pthread.h>
#include <stdlib.h>

enum { PAGE = 500, PULL_ROUND_MS = 200, STEADY_MS = 5 * 1000 };

struct listener {
    pthread_t thread;
    struct listeners *all;
    int subscriber;
    int64_t heard; /* the last number */
    char *id;
};

struct listeners {
    struct credentials *credentials;
    const char *tag;
    struct tally *tally;
    int count, streams;
    struct listener *each; /* the first `streams` by stream */
    pthread_t puller;
    atomic_bool over;
    pthread_mutex_t lock;
    struct error trouble;
};

static void trouble_note(struct listeners *all, const struct error *err)
{
    (void)pthread_mutex_lock(&all->lock);
    all->trouble = *err;
    (void)pthread_mutex_unlock(&all->lock);
}

static void alert_hear(struct listener *listener, struct view alert)
{
    struct seen_alert seen;
    int64_t now_us = time_monotonic_us();
    if (!heard_read(alert, listener->subscriber, listener->all->tag, &seen))
        return;
    seen.seen_us = now_us;
    tally_see(listener->all->tally, &seen);
    if (seen.number > listener->heard)
        listener->heard = seen.number;
}

/* ---- streams ---- */

static bool stream_alert(void *context, struct view id, struct view event, struct view data)
{
    struct listener *listener = context;
    (void)id;
    if (view_is_text(event, "alert"))
        alert_hear(listener, data);
    return !atomic_load(&listener->all->over);
}

/* Follows the stream until it ends. */
static enum result stream_follow(struct listener *listener, bool refused, struct error *err)
{
    struct client *client = NULL;
    struct buffer path = {0};
    buffer_add_format(&path, "/subscriptions/%s/stream?after=%lld", listener->id, (long long)listener->heard);
    buffer_add_byte(&path, '\0');
    enum result result = credentials_client(listener->all->credentials, refused, &client, err);
    if (result == OK)
        result =
            client_stream(client, (const char *)path.data, NULL, stream_alert, listener, &listener->all->over, err);
    client_close(client);
    buffer_destroy(&path);
    return result;
}

static void *stream_run(void *context)
{
    struct listener *listener = context;
    struct pause pause = {0};
    bool refused = false;
    while (!atomic_load(&listener->all->over)) {
        struct error err = {0};
        int64_t began_ms = time_monotonic_ms();
        enum result result = stream_follow(listener, refused, &err);
        refused = result == REJECTED;
        if (result != OK)
            trouble_note(listener->all, &err);
        if (time_monotonic_ms() - began_ms > STEADY_MS)
            pause.attempts = 0;
        if (!atomic_load(&listener->all->over))
            pause_wait(&pause, &listener->all->over);
    }
    return NULL;
}

/* ---- pull ---- */

static bool page_alert(void *context, struct view element)
{
    alert_hear(context, element);
    return true;
}

/* Takes what is there. REJECTED: the token is refused, or the subscription. */
static enum result pages_pull(struct listener *listener, struct client *client, struct error *err)
{
    enum result result = OK;
    struct buffer path = {0}, body = {0};
    struct arena arena = {0};
    int64_t before;
    do {
        int status = 0;
        before = listener->heard;
        buffer_clear(&path);
        buffer_clear(&body);
        arena_reset(&arena);
        buffer_add_format(&path, "/subscriptions/%s/alerts?limit=%d&after=%lld", listener->id, PAGE,
                          (long long)listener->heard);
        buffer_add_byte(&path, '\0');
        struct client_request request = {.method = "GET", .path = (const char *)path.data};
        result = client_send(client, &request, &status, &body, err);
        if (result == OK && (status == 429 || status >= 500))
            result = error_set(err, AGAIN, "GET alerts: the broker answers %d", status);
        else if (result == OK && status != 200)
            result = error_set(err, REJECTED, "GET alerts: the broker answers %d", status);
        if (result == OK)
            (void)json_each(buffer_view(&body), "alerts", &arena, page_alert, listener);
    } while (result == OK && listener->heard >= before + PAGE && !atomic_load(&listener->all->over));
    buffer_destroy(&path);
    buffer_destroy(&body);
    arena_destroy(&arena);
    return result;
}

static enum result everybody_pulls(struct listeners *all, struct client *client, struct error *err)
{
    enum result result = OK;
    for (int i = all->streams; i < all->count && result == OK && !atomic_load(&all->over); i++)
        result = pages_pull(&all->each[i], client, err);
    return result;
}

static void *pull_run(void *context)
{
    struct listeners *all = context;
    struct client *client = NULL;
    struct pause pause = {0};
    enum result result = OK;
    while (!atomic_load(&all->over)) {
        struct error err = {0};
        if (client == NULL)
            result = credentials_client(all->credentials, result == REJECTED, &client, &err);
        if (client != NULL)
            result = everybody_pulls(all, client, &err);
        if (result == OK) {
            pause.attempts = 0;
            pause_ms(PULL_ROUND_MS, &all->over);
            continue;
        }
        trouble_note(all, &err);
        client_close(client);
        client = NULL;
        pause_wait(&pause, &all->over);
    }
    client_close(client);
    return NULL;
}

/* ---- all ---- */

struct listeners *listeners_start(struct subscribed *subscribed, int count, struct credentials *credentials,
                                  const char *tag, struct tally *tally)
{
    struct listeners *all = memory_take(sizeof *all);
    all->credentials = credentials;
    all->tag = tag;
    all->tally = tally;
    all->count = count;
    all->streams = count < STREAMS_MOST ? count : STREAMS_MOST;
    all->each = memory_array((size_t)count, sizeof *all->each);
    (void)pthread_mutex_init(&all->lock, NULL);
    for (int i = 0; i < count; i++) {
        all->each[i] = (struct listener){.all = all,
                                         .subscriber = i,
                                         .heard = subscribed[i].from,
                                         .id = memory_text(view_of_text(subscribed[i].id))};
        tally_listen_from(tally, i, subscribed[i].from);
        if (i < all->streams && pthread_create(&all->each[i].thread, NULL, stream_run, &all->each[i]) != 0)
            abort(); /* no thread is to be had: as good as out of memory */
    }
    if (all->streams < all->count && pthread_create(&all->puller, NULL, pull_run, all) != 0)
        abort();
    return all;
}

void listeners_trouble(struct listeners *listeners, struct error *ret)
{
    (void)pthread_mutex_lock(&listeners->lock);
    *ret = listeners->trouble;
    (void)pthread_mutex_unlock(&listeners->lock);
}

void listeners_end(struct listeners *listeners)
{
    if (listeners == NULL)
        return;
    atomic_store(&listeners->over, true);
    for (int i = 0; i < listeners->streams; i++)
        (void)pthread_join(listeners->each[i].thread, NULL);
    if (listeners->streams < listeners->count)
        (void)pthread_join(listeners->puller, NULL);
    for (int i = 0; i < listeners->count; i++)
        free(listeners->each[i].id);
    (void)pthread_mutex_destroy(&listeners->lock);
    free(listeners->each);
    free(listeners);
}
