/* A live stream followed to its end, by libcurl, on a connection of its own. */
#include "broker/client/connection.h"
#include "broker/client/sse.h"

#include <stdlib.h>

enum {
    STREAM_SILENCE_S = 35, /* the broker says something every 10 s: longer means that it is gone */
    STOP_LOOK_MS = 200,    /* how often a silent stream looks at stop */
};

struct following {
    CURL *easy;
    struct sse sse;
    enum sse_outcome outcome;
    bool (*each)(void *context, struct view id, struct view event, struct view data);
    void *context;
};

static long status_of(CURL *easy)
{
    long status = 0;
    (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
    return status;
}

static size_t on_stream(char *bytes, size_t size, size_t count, void *context)
{
    struct following *following = context;
    size_t more = size * count;
    if (status_of(following->easy) != 200)
        return more; /* the status says enough */
    following->outcome = sse_feed(&following->sse, view_make(bytes, more), following->each, following->context);
    return following->outcome == SSE_MORE ? more : 0;
}

/* Runs one transfer to its end, or until stop. False: stopped. */
static bool run_until(CURL *easy, const atomic_bool *stop, CURLcode *ret_code)
{
    CURLM *multi = curl_multi_init();
    if (multi == NULL || curl_multi_add_handle(multi, easy) != CURLM_OK)
        abort(); /* out of memory */
    int running = 1;
    bool stopped = false;
    CURLMcode code = CURLM_OK;
    while (running > 0 && code == CURLM_OK && !stopped) {
        code = curl_multi_perform(multi, &running);
        if (code == CURLM_OK && running > 0)
            code = curl_multi_poll(multi, NULL, 0, STOP_LOOK_MS, NULL);
        stopped = stop != NULL && *stop;
    }
    *ret_code = CURLE_GOT_NOTHING;
    int left = 0;
    const CURLMsg *message = curl_multi_info_read(multi, &left);
    if (message != NULL && message->msg == CURLMSG_DONE)
        *ret_code = message->data.result;
    (void)curl_multi_remove_handle(multi, easy);
    (void)curl_multi_cleanup(multi);
    return !stopped;
}

/* What the end of a stream means to its follower. */
static enum result stream_ended(const struct client *client, const struct following *following, CURLcode code,
                                struct error *err)
{
    long status = status_of(following->easy);
    if (following->outcome == SSE_STOPPED)
        return OK;
    if (following->outcome == SSE_TOO_LARGE)
        return error_set(err, REJECTED, "%s sent an event that is too large", client->url);
    if (status == 429 || status >= 500)
        return error_set(err, AGAIN, "%s answered %ld", client->url, status);
    if (status != 0 && status != 200)
        return error_set(err, REJECTED, "%s answered %ld to the stream", client->url, status);
    if (code != CURLE_OK)
        return connection_broke(client, code, err);
    return error_set(err, AGAIN, "%s ended the stream", client->url);
}

enum result client_stream(struct client *client, const char *path, const char *last_event_id,
                          bool (*each)(void *context, struct view id, struct view event, struct view data),
                          void *context, const atomic_bool *stop, struct error *err)
{
    enum result result = OK;
    struct following following = {.easy = curl_easy_init(), .each = each, .context = context};
    if (following.easy == NULL)
        return error_set(err, FATAL, "libcurl did not start");
    struct curl_slist *headers = NULL;
    connection_headers_add(&headers, "Accept: text/event-stream");
    if (client->authorization != NULL)
        connection_headers_add(&headers, client->authorization);
    if (last_event_id != NULL)
        connection_headers_add_pair(&headers, "Last-Event-ID", last_event_id);
    connection_set_common(following.easy, client, path, headers);
    (void)curl_easy_setopt(following.easy, CURLOPT_WRITEFUNCTION, on_stream);
    (void)curl_easy_setopt(following.easy, CURLOPT_WRITEDATA, &following);
    (void)curl_easy_setopt(following.easy, CURLOPT_LOW_SPEED_LIMIT, 1L);
    (void)curl_easy_setopt(following.easy, CURLOPT_LOW_SPEED_TIME, (long)STREAM_SILENCE_S);

    CURLcode code = CURLE_OK;
    if (run_until(following.easy, stop, &code))
        result = stream_ended(client, &following, code, err);
    curl_easy_cleanup(following.easy);
    curl_slist_free_all(headers);
    sse_destroy(&following.sse);
    return result;
}
