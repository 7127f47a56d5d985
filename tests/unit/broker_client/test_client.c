/* The HTTP client against a thread that plays the broker from a script. */
#include "listener.h"

#include <pthread.h>
#include <stdlib.h>

/* One answer for each request, in order; a NULL ends the script. The connection is closed after the last. */
struct broker {
    int listening;
    char url[64];
    const char *const *answers;
    struct buffer heard; /* all requests, one after the other */
    pthread_t thread;
    bool keep_open; /* after the last answer, until the client leaves */
};

static size_t request_end(const struct buffer *heard, size_t from)
{
    const char *start = (const char *)heard->data + from;
    const char *end = memmem(start, heard->size - from, "\r\n\r\n", 4);
    if (end == NULL)
        return 0;
    size_t body = 0;
    const char *length = memmem(start, (size_t)(end - start), "Content-Length: ", 16);
    if (length != NULL)
        body = strtoul(length + 16, NULL, 10);
    size_t whole = (size_t)(end - (const char *)heard->data) + 4 + body;
    return whole <= heard->size ? whole : 0;
}

static void *play(void *context)
{
    struct broker *broker = context;
    size_t from = 0;
    char bytes[4096];
    int peer = accept(broker->listening, NULL, NULL);
    for (size_t i = 0; peer >= 0 && broker->answers[i] != NULL; i++) {
        size_t end = 0;
        while (broker->heard.size == from || (end = request_end(&broker->heard, from)) == 0) {
            ssize_t size = recv(peer, bytes, sizeof bytes, 0);
            if (size <= 0)
                goto out;
            buffer_add(&broker->heard, bytes, (size_t)size);
        }
        from = end;
        (void)send(peer, broker->answers[i], strlen(broker->answers[i]), MSG_NOSIGNAL);
    }
    while (broker->keep_open && recv(peer, bytes, sizeof bytes, 0) > 0)
        ;
out:
    if (peer >= 0)
        (void)close(peer);
    return NULL;
}

static void broker_start(struct broker *broker, const char *const *answers)
{
    char address[32];
    bool keep_open = broker->keep_open;
    *broker = (struct broker){.answers = answers, .keep_open = keep_open};
    broker->listening = listener_open(address);
    (void)snprintf(broker->url, sizeof broker->url, "http://%s/", address);
    assert_int_equal(pthread_create(&broker->thread, NULL, play, broker), 0);
}

static void broker_join(struct broker *broker)
{
    assert_int_equal(pthread_join(broker->thread, NULL), 0);
    buffer_add_byte(&broker->heard, 0);
}

static void broker_end(struct broker *broker)
{
    (void)close(broker->listening);
    buffer_destroy(&broker->heard);
}

static bool heard(const struct broker *broker, const char *text)
{
    return strstr((const char *)broker->heard.data, text) != NULL;
}

static void requests_share_one_connection(void **state)
{
    (void)state;
    static const char *const answers[] = {"HTTP/1.1 201 Created\r\nContent-Length: 2\r\nTidings-Position: p1\r\n\r\nab",
                                          "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
                                          "HTTP/1.1 204 No Content\r\n\r\n", NULL};
    struct broker broker = {0};
    struct client *client = NULL;
    struct buffer body = {0};
    struct error err = {0};
    int status = 0;
    broker_start(&broker, answers);
    assert_int_equal(client_open(broker.url, "secret", &client, &err), OK);
    struct client_request make = {.method = "POST",
                                  .path = "/registrations?x=%20",
                                  .content_type = "application/json",
                                  .body = VIEW("{}"),
                                  .idempotency_key = "k1",
                                  .headers = {"X-One: 1"}};
    assert_int_equal(client_send(client, &make, &status, &body, &err), OK);
    assert_int_equal(status, 201);
    assert_true(view_is(buffer_view(&body), VIEW("ab")));
    assert_string_equal(client_answer_header(client, "tidings-position"), "p1");
    struct client_request look = {.method = "GET", .path = "/none"};
    assert_int_equal(client_send(client, &look, &status, &body, &err), OK);
    assert_int_equal(status, 404);
    assert_null(client_answer_header(client, "tidings-position"));
    struct client_request end = {.method = "DELETE", .path = "/tokens/1"};
    assert_int_equal(client_send(client, &end, &status, &body, &err), OK);
    assert_int_equal(status, 204);
    broker_join(&broker);
    assert_true(heard(&broker, "POST /registrations?x=%20 HTTP/1.1\r\n"));
    assert_true(heard(&broker, "Authorization: Bearer secret\r\n"));
    assert_true(heard(&broker, "Idempotency-Key: k1\r\n"));
    assert_true(heard(&broker, "Content-Type: application/json\r\n"));
    assert_true(heard(&broker, "X-One: 1\r\n"));
    assert_true(heard(&broker, "\r\n\r\n{}GET /none HTTP/1.1\r\n"));
    assert_true(heard(&broker, "DELETE /tokens/1 HTTP/1.1\r\n"));
    client_close(client);
    buffer_destroy(&body);
    broker_end(&broker);
}

static void a_redirect_is_not_followed(void **state)
{
    (void)state;
    static const char *const answers[] = {
        "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/\r\nContent-Length: 0\r\n\r\n", NULL};
    struct broker broker = {0};
    struct client *client = NULL;
    struct error err = {0};
    int status = 0;
    broker_start(&broker, answers);
    assert_int_equal(client_open(broker.url, NULL, &client, &err), OK);
    struct client_request look = {.method = "GET", .path = "/"};
    assert_int_equal(client_send(client, &look, &status, NULL, &err), OK);
    assert_int_equal(status, 302);
    broker_join(&broker);
    assert_false(heard(&broker, "Authorization"));
    client_close(client);
    broker_end(&broker);
}

static void no_broker_is_try_again_and_says_where(void **state)
{
    (void)state;
    char address[32], url[64];
    struct client *client = NULL;
    struct error err = {0};
    int status = 7;
    (void)close(listener_open(address));
    (void)snprintf(url, sizeof url, "http://%s", address);
    assert_int_equal(client_open(url, NULL, &client, &err), OK);
    struct client_request look = {.method = "GET", .path = "/"};
    assert_int_equal(client_send(client, &look, &status, NULL, &err), AGAIN);
    assert_int_equal(status, 7);
    assert_non_null(strstr(err.text, url));
    client_close(client);
    assert_int_equal(client_open("file:///etc/passwd", NULL, &client, &err), REJECTED);
}

static void a_late_answer_is_try_again(void **state)
{
    (void)state;
    static const char *const answers[] = {"", NULL};
    struct broker broker = {.keep_open = true};
    struct client *client = NULL;
    struct error err = {0};
    int status = 0;
    broker_start(&broker, answers);
    assert_int_equal(client_open(broker.url, NULL, &client, &err), OK);
    struct client_request look = {.method = "GET", .path = "/", .timeout_ms = 50};
    assert_int_equal(client_send(client, &look, &status, NULL, &err), AGAIN);
    assert_non_null(strstr(err.text, "in time"));
    client_close(client);
    broker_join(&broker);
    broker_end(&broker);
}

struct seen {
    struct buffer text;
    int count, most;
    atomic_bool *stop; /* set when most were seen, instead of answering false */
};

static bool see(void *context, struct view id, struct view event, struct view data)
{
    struct seen *seen = context;
    buffer_add_format(&seen->text, "%.*s|%.*s|%.*s;", VIEW_ARGS(id), VIEW_ARGS(event), VIEW_ARGS(data));
    bool enough = ++seen->count >= seen->most;
    if (enough && seen->stop != NULL)
        *seen->stop = true;
    return !enough || seen->stop != NULL;
}

#define STREAM_HEAD "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
#define TWO_EVENTS  "20\r\nid: 1\nevent: alert\ndata: a\n\nid: \r\n15\r\n2\nevent: alert\ndata:b\r\n2\r\n\n\n\r\n"

static void a_stream_ends_when_its_reader_has_enough(void **state)
{
    (void)state;
    static const char *const answers[] = {STREAM_HEAD TWO_EVENTS, NULL};
    struct broker broker = {.keep_open = true};
    struct client *client = NULL;
    struct error err = {0};
    struct seen seen = {.most = 2};
    broker_start(&broker, answers);
    assert_int_equal(client_open(broker.url, "t", &client, &err), OK);
    assert_int_equal(client_stream(client, "/subscriptions/s/stream", "16", see, &seen, NULL, &err), OK);
    assert_true(view_is(buffer_view(&seen.text), VIEW("1|alert|a;2|alert|b;")));
    broker_join(&broker);
    assert_true(heard(&broker, "Last-Event-ID: 16\r\n"));
    assert_true(heard(&broker, "Accept: text/event-stream\r\n"));
    client_close(client);
    buffer_destroy(&seen.text);
    broker_end(&broker);
}

static void a_silent_stream_is_stopped_from_outside(void **state)
{
    (void)state;
    static const char *const answers[] = {STREAM_HEAD TWO_EVENTS, NULL};
    struct broker broker = {.keep_open = true};
    atomic_bool stop = false;
    struct client *client = NULL;
    struct error err = {0};
    struct seen seen = {.most = 2, .stop = &stop};
    broker_start(&broker, answers);
    assert_int_equal(client_open(broker.url, "t", &client, &err), OK);
    assert_int_equal(client_stream(client, "/s", NULL, see, &seen, &stop, &err), OK);
    assert_int_equal(seen.count, 2);
    client_close(client);
    buffer_destroy(&seen.text);
    broker_join(&broker);
    broker_end(&broker);
}

static void a_stream_that_ends_is_to_be_opened_again(void **state)
{
    (void)state;
    static const char *const whole[] = {STREAM_HEAD TWO_EVENTS "0\r\n\r\n", NULL};
    static const char *const broken[] = {STREAM_HEAD TWO_EVENTS, NULL};
    for (int i = 0; i < 2; i++) {
        struct broker broker = {0};
        struct client *client = NULL;
        struct error err = {0};
        struct seen seen = {.most = 100};
        broker_start(&broker, i == 0 ? whole : broken);
        assert_int_equal(client_open(broker.url, "t", &client, &err), OK);
        assert_int_equal(client_stream(client, "/s", NULL, see, &seen, NULL, &err), AGAIN);
        assert_int_equal(seen.count, 2);
        client_close(client);
        buffer_destroy(&seen.text);
        broker_join(&broker);
        broker_end(&broker);
    }
}

static void a_stream_that_is_refused_says_the_status(void **state)
{
    (void)state;
    static const char *const gone[] = {"HTTP/1.1 404 Not Found\r\nContent-Length: 12\r\n\r\ndata: none\n\n", NULL};
    static const char *const busy[] = {"HTTP/1.1 503 Busy\r\nContent-Length: 0\r\n\r\n", NULL};
    for (int i = 0; i < 2; i++) {
        struct broker broker = {0};
        struct client *client = NULL;
        struct error err = {0};
        struct seen seen = {.most = 100};
        broker_start(&broker, i == 0 ? gone : busy);
        assert_int_equal(client_open(broker.url, "t", &client, &err), OK);
        assert_int_equal(client_stream(client, "/s", NULL, see, &seen, NULL, &err), i == 0 ? REJECTED : AGAIN);
        assert_non_null(strstr(err.text, i == 0 ? "404" : "503"));
        assert_int_equal(seen.count, 0);
        client_close(client);
        broker_join(&broker);
        broker_end(&broker);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_share_one_connection),
        cmocka_unit_test(a_redirect_is_not_followed),
        cmocka_unit_test(no_broker_is_try_again_and_says_where),
        cmocka_unit_test(a_late_answer_is_try_again),
        cmocka_unit_test(a_stream_ends_when_its_reader_has_enough),
        cmocka_unit_test(a_silent_stream_is_stopped_from_outside),
        cmocka_unit_test(a_stream_that_ends_is_to_be_opened_again),
        cmocka_unit_test(a_stream_that_is_refused_says_the_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
