/* One token at a time; an old one expires by itself, since streams may still stand on it. */
#include "producers/simulator/credentials.h"

#include "broker/base/json.h"
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/codec/cloudevent.h"
#include "producers/simulator/ask.h"
#include "producers/simulator/region.h"

#include <pthread.h>
#include <stdlib.h>

enum { SUSPICION_MS = 5 * 1000 }; /* a token that was made so lately is not made again because one was refused */
#define DAY_MS  (24LL * 3600 * 1000)
#define HOUR_MS (3600LL * 1000)

struct credentials {
    pthread_mutex_t lock;
    char *url, *operator_token;
    const char *role;
    int subscribers;
    int64_t kept_ms; /* how long a token is made for */
    const atomic_bool *stop;
    char *id, *token; /* NULL: none yet */
    int64_t made_ms;
};

struct credentials *credentials_create(const char *url, const char *operator_token, const char *role, int patients,
                                       int64_t kept_ms, const atomic_bool *stop)
{
    struct credentials *credentials = memory_take(sizeof *credentials);
    (void)pthread_mutex_init(&credentials->lock, NULL);
    credentials->url = memory_text(view_of_text(url));
    credentials->operator_token = memory_text(view_of_text(operator_token));
    credentials->role = role;
    credentials->subscribers = region_subscribers(patients);
    credentials->kept_ms = kept_ms > 0 && kept_ms < DAY_MS ? kept_ms + HOUR_MS : DAY_MS;
    credentials->stop = stop;
    return credentials;
}

static void request_write(const struct credentials *credentials, struct buffer *to)
{
    struct json json = json_start(to);
    json_open_object(&json);
    json_name(&json, "organisations");
    json_open_array(&json);
    for (int i = 0; i < credentials->subscribers; i++) {
        struct place_of_care place;
        (void)region_subscriber(i, &place);
        json_text(&json, view_of_text(place.ods));
    }
    json_close_array(&json);
    json_name(&json, "roles");
    json_open_array(&json);
    json_text(&json, view_of_text(credentials->role));
    json_close_array(&json);
    json_member_time(&json, "expiresAt", time_now_ms() + credentials->kept_ms);
    json_close_object(&json);
}

static void forget(struct credentials *credentials)
{
    if (credentials->token != NULL)
        explicit_bzero(credentials->token, strlen(credentials->token));
    free(credentials->token);
    free(credentials->id);
    credentials->token = credentials->id = NULL;
}

static enum result token_make(struct credentials *credentials, struct error *err)
{
    int status = 0;
    struct client *client = NULL;
    struct buffer body = {0}, answer = {0};
    struct arena arena = {0};
    struct view id, token;
    request_write(credentials, &body);
    struct question question = {.method = "POST", .path = "/tokens", .body = buffer_view(&body)};
    enum result result = client_open(credentials->url, credentials->operator_token, &client, err);
    if (result == OK)
        result = ask(client, &question, credentials->stop, &status, &answer, err);
    if (result == OK && (status != 201 || json_find(buffer_view(&answer), "id", &arena, &id) != OK ||
                         json_find(buffer_view(&answer), "token", &arena, &token) != OK))
        result = ask_refused(&question, status, buffer_view(&answer), err);
    if (result == OK) {
        forget(credentials);
        credentials->id = memory_text(id);
        credentials->token = memory_text(token);
        credentials->made_ms = time_now_ms();
    }
    client_close(client);
    arena_destroy(&arena);
    buffer_destroy(&body);
    buffer_destroy(&answer);
    return result;
}

enum result credentials_client(struct credentials *credentials, bool refused, struct client **ret, struct error *err)
{
    enum result result = OK;
    (void)pthread_mutex_lock(&credentials->lock);
    int64_t age_ms = time_now_ms() - credentials->made_ms;
    if (credentials->token == NULL || age_ms > credentials->kept_ms / 2 || (refused && age_ms > SUSPICION_MS))
        result = token_make(credentials, err);
    if (result == OK)
        result = client_open(credentials->url, credentials->token, ret, err);
    (void)pthread_mutex_unlock(&credentials->lock);
    return result;
}

void credentials_end(struct credentials *credentials)
{
    if (credentials == NULL)
        return;
    if (credentials->id != NULL) {
        struct client *client = NULL;
        struct buffer path = {0};
        int status;
        struct error err;
        buffer_add_format(&path, "/tokens/%s", credentials->id);
        buffer_add_byte(&path, '\0');
        if (client_open(credentials->url, credentials->operator_token, &client, &err) == OK)
            (void)client_send(
                client,
                &(struct client_request){.method = "DELETE", .path = (const char *)path.data, .timeout_ms = 2000},
                &status, NULL, &err);
        client_close(client);
        buffer_destroy(&path);
    }
    forget(credentials);
    explicit_bzero(credentials->operator_token, strlen(credentials->operator_token));
    free(credentials->operator_token);
    free(credentials->url);
    (void)pthread_mutex_destroy(&credentials->lock);
    free(credentials);
}
