/* HTTP requests to a broker, by libcurl, on one kept connection. */
#include "broker/client/connection.h"

#include "broker/base/memory.h"

#include <pthread.h>
#include <stdlib.h>

enum {
    LIMIT_ANSWER_BYTES = 64 * 1024 * 1024, /* no route of ours answers with more */
    DEFAULT_TIMEOUT_MS = 30 * 1000,
    CONNECT_TIMEOUT_MS = 10 * 1000,
};

/* curl_global_init is not to be called by two threads at once. */
static pthread_once_t curl_once = PTHREAD_ONCE_INIT;

static void start_curl(void)
{
    (void)curl_global_init(CURL_GLOBAL_DEFAULT);
}

enum result client_open(const char *url, const char *token, struct client **ret, struct error *err)
{
    (void)pthread_once(&curl_once, start_curl);
    struct view where = view_of_text(url);
    if (!view_starts_with(where, VIEW("http://")) && !view_starts_with(where, VIEW("https://")))
        return error_set(err, REJECTED, "%.100s is not an http or https URL, such as http://127.0.0.1:8080", url);
    CURL *easy = curl_easy_init();
    if (easy == NULL)
        return error_set(err, FATAL, "libcurl did not start");
    while (where.size > 0 && ((const char *)where.data)[where.size - 1] == '/')
        where.size--;
    struct client *client = memory_take(sizeof *client);
    client->easy = easy;
    client->url = memory_text(where);
    if (token != NULL) {
        struct buffer line = {0};
        buffer_add_format(&line, "Authorization: Bearer %s", token);
        client->authorization = memory_text(buffer_view(&line));
        explicit_bzero(line.data, line.size);
        buffer_destroy(&line);
    }
    *ret = client;
    return OK;
}

void client_close(struct client *client)
{
    if (client == NULL)
        return;
    curl_easy_cleanup(client->easy);
    if (client->authorization != NULL)
        explicit_bzero(client->authorization, strlen(client->authorization));
    free(client->authorization);
    free(client->url);
    free(client);
}

/* ---- What requests and streams share ---- */

void connection_headers_add(struct curl_slist **list, const char *line)
{
    struct curl_slist *more = curl_slist_append(*list, line);
    if (more == NULL)
        abort(); /* out of memory */
    *list = more;
}

void connection_headers_add_pair(struct curl_slist **list, const char *name, const char *value)
{
    struct buffer line = {0};
    buffer_add_format(&line, "%s: %s", name, value);
    buffer_add_byte(&line, 0);
    connection_headers_add(list, (const char *)line.data);
    buffer_destroy(&line);
}

void connection_set_common(CURL *easy, const struct client *client, const char *path, struct curl_slist *headers)
{
    struct buffer url = {0};
    buffer_add_format(&url, "%s%s", client->url, path);
    buffer_add_byte(&url, 0);
    (void)curl_easy_setopt(easy, CURLOPT_URL, (const char *)url.data); /* curl copies it */
    buffer_destroy(&url);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, headers);
    (void)curl_easy_setopt(easy, CURLOPT_PROTOCOLS_STR, "http,https");
    (void)curl_easy_setopt(easy, CURLOPT_FOLLOWLOCATION, 0L);
    (void)curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_TCP_NODELAY, 1L);
    (void)curl_easy_setopt(easy, CURLOPT_PROXY, ""); /* a broker is talked to directly, whatever the environment says */
    (void)curl_easy_setopt(easy, CURLOPT_CONNECTTIMEOUT_MS, (long)CONNECT_TIMEOUT_MS);
}

enum result connection_broke(const struct client *client, CURLcode code, struct error *err)
{
    if (code == CURLE_COULDNT_CONNECT)
        return error_set(err, AGAIN, "no broker answers at %s", client->url);
    if (code == CURLE_OPERATION_TIMEDOUT)
        return error_set(err, AGAIN, "%s did not answer in time", client->url);
    return error_set(err, AGAIN, "%s: %s", client->url, curl_easy_strerror(code));
}

/* ---- Requests ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct buffer *body = context;
    size_t more = size * count;
    if (body->size + more > LIMIT_ANSWER_BYTES)
        return 0;
    buffer_add(body, bytes, more);
    return more;
}

static void set_method(CURL *easy, const struct client_request *request)
{
    if (request->content_type != NULL) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, request->body.size == 0 ? "" : request->body.data);
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body.size);
    } else if (strcmp(request->method, "HEAD") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_NOBODY, 1L);
    } else if (strcmp(request->method, "POST") == 0) {
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDS, "");
        (void)curl_easy_setopt(easy, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)0);
    } else {
        (void)curl_easy_setopt(easy, CURLOPT_HTTPGET, 1L);
    }
    (void)curl_easy_setopt(easy, CURLOPT_CUSTOMREQUEST, request->method);
}

static struct curl_slist *request_headers(const struct client *client, const struct client_request *request)
{
    struct curl_slist *headers = NULL;
    connection_headers_add(&headers, "Expect:"); /* or curl waits a second before it sends a large body */
    if (client->authorization != NULL)
        connection_headers_add(&headers, client->authorization);
    if (request->content_type != NULL)
        connection_headers_add_pair(&headers, "Content-Type", request->content_type);
    else
        connection_headers_add(&headers, "Content-Type:");
    if (request->idempotency_key != NULL)
        connection_headers_add_pair(&headers, "Idempotency-Key", request->idempotency_key);
    for (size_t i = 0; i < sizeof request->headers / sizeof request->headers[0]; i++)
        if (request->headers[i] != NULL)
            connection_headers_add(&headers, request->headers[i]);
    return headers;
}

enum result client_send(struct client *client, const struct client_request *request, int *ret_status,
                        struct buffer *ret_body, struct error *err)
{
    CURL *easy = client->easy;
    struct buffer body = {0};
    struct curl_slist *headers = request_headers(client, request);
    curl_easy_reset(easy); /* keeps the connection */
    connection_set_common(easy, client, request->path, headers);
    set_method(easy, request);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
    (void)curl_easy_setopt(easy, CURLOPT_WRITEDATA, &body);
    (void)curl_easy_setopt(easy, CURLOPT_TIMEOUT_MS,
                           (long)(request->timeout_ms == 0 ? DEFAULT_TIMEOUT_MS : request->timeout_ms));
    CURLcode code = curl_easy_perform(easy);
    (void)curl_easy_setopt(easy, CURLOPT_HTTPHEADER, NULL);
    curl_slist_free_all(headers);

    enum result result = OK;
    if (code == CURLE_WRITE_ERROR) {
        result = error_set(err, REJECTED, "%s answered with more than 64 MiB", client->url);
    } else if (code != CURLE_OK) {
        result = connection_broke(client, code, err);
    } else {
        long status = 0;
        (void)curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        *ret_status = (int)status;
        if (ret_body != NULL)
            buffer_add_view(ret_body, buffer_view(&body));
    }
    buffer_destroy(&body);
    return result;
}

const char *client_answer_header(const struct client *client, const char *name)
{
    struct curl_header *header = NULL;
    if (curl_easy_header(client->easy, name, 0, CURLH_HEADER, -1, &header) != CURLHE_OK)
        return NULL;
    return header->value;
}
