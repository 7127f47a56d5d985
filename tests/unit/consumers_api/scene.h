/* A whole api on a free port over a laboratory's log, with matching beside it, and clients: all in one thread, stepped
 * until an answer is there. Every wait has a deadline. */
#pragma once

#include "broker/directory/directory.h"
#include "consumers/api/api.h"
#include "consumers/match/match.h"
#include "tests/unit/lab/lab.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define ANNE "9990000018"

enum { DEADLINE_MS = 20000 };

struct scene {
    struct lab lab;
    struct api *api;
    struct runner *match;
    char operator[TOKEN_TEXT_SIZE], practice[TOKEN_TEXT_SIZE], other[TOKEN_TEXT_SIZE];
    char practice_id[TOKEN_ID_SIZE];
};

/* A client's connection, and what came over it so far. */
struct client {
    int fd;
    bool closed;
    struct buffer got;
};

static inline void token_put(struct scene *scene, const char *organisation, int32_t roles, const char *kind,
                             char ret[TOKEN_TEXT_SIZE], char ret_id[TOKEN_ID_SIZE])
{
    struct view name = organisation == NULL ? VIEW("") : view_of_text(organisation);
    struct token token = {.organisations = &name,
                          .organisation_count = organisation != NULL,
                          .roles = roles,
                          .kind = view_of_text(kind),
                          .made_at_ms = time_now_ms()};
    vault_token_create(ret_id, ret, token.hash);
    token.id = view_of_text(ret_id);
    struct log_entry entry = directory_put_token(&token, &scene->lab.arena);
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, entry.key, entry.value);
}

static inline void organisation_add(struct scene *scene, const char *id)
{
    struct organisation organisation = {.id = view_of_text(id), .name = VIEW("Name"), .kind = VIEW("gp-practice")};
    struct subscriber subscriber = {
        .id = view_of_text(id), .kind = VIEW("organisation"), .organisation = view_of_text(id), .name = VIEW("Name")};
    struct log_entry one = directory_put_organisation(&organisation, &scene->lab.arena);
    struct log_entry two = directory_put_subscriber(&subscriber, &scene->lab.arena);
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, one.key, one.value);
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, two.key, two.value);
}

static inline void api_start(struct scene *scene)
{
    struct error err = {0};
    struct api_options options = {.log = scene->lab.log,
                                  .vault = scene->lab.vault,
                                  .data_folder = scene->lab.folder,
                                  .region = "lab",
                                  .address = "127.0.0.1:0",
                                  .routes = true};
    struct runner_options match = {
        .log = scene->lab.log, .vault = scene->lab.vault, .data_folder = scene->lab.folder, .region = "lab"};
    struct fold fold = match_fold();
    if (api_open(&options, &scene->api, &err) != OK || runner_open(&fold, &match, &scene->match, &err) != OK)
        fail_msg("%s", err.text);
}

static inline void api_stop(struct scene *scene)
{
    api_close(scene->api);
    runner_close(scene->match);
    scene->api = NULL;
    scene->match = NULL;
}

static inline int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    char id[TOKEN_ID_SIZE];
    lab_open(&scene->lab);
    scene->lab.now_ms = time_now_ms();
    organisation_add(scene, "A81001");
    organisation_add(scene, "B82002");
    token_put(scene, NULL, ROLE_OPERATOR, "token", scene->operator, id);
    token_put(scene, "A81001", ROLE_SUBSCRIBER, "token", scene->practice, scene->practice_id);
    token_put(scene, "B82002", ROLE_SUBSCRIBER, "token", scene->other, id);
    api_start(scene);
    *state = scene;
    return 0;
}

static inline int scene_close(void **state)
{
    struct scene *scene = *state;
    api_stop(scene);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

/* One turn of everything. */
static inline void turn(struct scene *scene)
{
    struct error err = {0};
    struct pollfd fd = {.fd = api_fd(scene->api), .events = POLLIN};
    int timeout_ms = api_timeout_ms(scene->api);
    (void)poll(&fd, 1, timeout_ms < 5 ? timeout_ms : 5);
    if (api_step(scene->api, &err) != OK || runner_step(scene->match, 0, &err) == FATAL)
        fail_msg("%s", err.text);
}

static inline struct client connect_to(struct scene *scene)
{
    struct sockaddr_in to = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const char *port = strrchr(api_address(scene->api), ':') + 1;
    int64_t number = 0;
    assert_true(view_to_number(view_of_text(port), &number));
    to.sin_port = htons((uint16_t)number);
    struct client client = {.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    assert_int_equal(connect(client.fd, (struct sockaddr *)&to, sizeof to), 0);
    assert_int_equal(fcntl(client.fd, F_SETFL, O_NONBLOCK), 0);
    return client;
}

static inline void client_take(struct client *client)
{
    char bytes[65536];
    ssize_t got;
    while ((got = recv(client->fd, bytes, sizeof bytes, 0)) > 0)
        buffer_add(&client->got, bytes, (size_t)got);
    client->closed = client->closed || got == 0 || (errno != EAGAIN && errno != EINTR);
}

/* Until the text is there. */
static inline void wait_for(struct scene *scene, struct client *client, const char *text)
{
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (client->got.size == 0 || memmem(client->got.data, client->got.size, text, strlen(text)) == NULL) {
        if (client->closed || time_monotonic_ms() > give_up_ms)
            fail_msg("%s did not come: %.*s", text, (int)client->got.size, (const char *)client->got.data);
        turn(scene);
        client_take(client);
    }
}

static inline void wait_for_close(struct scene *scene, struct client *client)
{
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (!client->closed && time_monotonic_ms() < give_up_ms) {
        turn(scene);
        client_take(client);
    }
    assert_true(client->closed);
}

static inline void client_end(struct client *client)
{
    (void)close(client->fd);
    buffer_destroy(&client->got);
}

static inline void client_ask(struct client *client, const char *method, const char *target, const char *token,
                              const char *headers, const char *body)
{
    struct buffer text = {0};
    buffer_add_format(&text, "%s %s HTTP/1.1\r\nHost: lab\r\nConnection: close\r\n%s", method, target, headers);
    if (token != NULL)
        buffer_add_format(&text, "Authorization: Bearer %s\r\n", token);
    if (body != NULL)
        buffer_add_format(&text, "Content-Type: application/json\r\nContent-Length: %zu\r\n", strlen(body));
    buffer_add_format(&text, "\r\n%s", body == NULL ? "" : body);
    assert_int_equal(send(client->fd, text.data, text.size, MSG_NOSIGNAL), (ssize_t)text.size);
    buffer_destroy(&text);
}

/* The whole answer, as text that lives in the lab's arena; its status. */
static inline int answer_take(struct scene *scene, struct client *client, const char **ret)
{
    wait_for_close(scene, client);
    const char *text = arena_copy(&scene->lab.arena, buffer_view(&client->got)).data;
    client_end(client);
    assert_int_equal(strncmp(text, "HTTP/1.1 ", 9), 0);
    if (ret != NULL)
        *ret = text;
    return (int)strtol(text + 9, NULL, 10);
}

static inline int ask_with(struct scene *scene, const char *method, const char *target, const char *token,
                           const char *headers, const char *body, const char **ret)
{
    struct client client = connect_to(scene);
    client_ask(&client, method, target, token, headers, body);
    return answer_take(scene, &client, ret);
}

static inline int ask(struct scene *scene, const char *method, const char *target, const char *token, const char *body,
                      const char **ret)
{
    return ask_with(scene, method, target, token, "", body, ret);
}

/* The text of a JSON member in an answer. */
static inline const char *member(struct scene *scene, const char *answer, const char *name)
{
    struct view pattern = arena_format(&scene->lab.arena, "\"%s\":\"", name);
    const char *at = strstr(answer, pattern.data);
    if (at == NULL)
        fail_msg("no %s in %s", name, answer);
    at += pattern.size;
    return arena_copy(&scene->lab.arena, view_make(at, strcspn(at, "\""))).data;
}

static inline const char *target(struct scene *scene, const char *format, const char *one)
{
    struct buffer text = {0};
    for (const char *at = format; *at != '\0'; at++) {
        if (*at == '$')
            buffer_add_text(&text, one);
        else
            buffer_add_byte(&text, (uint8_t)*at);
    }
    const char *copy = arena_copy(&scene->lab.arena, buffer_view(&text)).data;
    buffer_destroy(&text);
    return copy;
}

/* The practice looks after Anne, and has a subscription. */
static inline const char *subscribe(struct scene *scene, const char *payload)
{
    const char *answer, *body = target(scene, "{\"subscriber\":\"A81001\",\"payload\":\"$\"}", payload);
    assert_int_equal(ask(scene, "POST", "/subscriptions", scene->practice, body, &answer), 201);
    return member(scene, answer, "id");
}

static inline void say(struct scene *scene)
{
    struct care_event event = lab_event(&scene->lab, ANNE, "care-plan-changed-1", NULL);
    event.body.has_care_plan = true;
    event.body.care_plan = (struct care_plan){.id = VIEW("plan"), .title = VIEW("Secret title")};
    (void)lab_append(&scene->lab, &event);
}

/* Until the subscription has so many. */
static inline void head_is(struct scene *scene, const char *id, int64_t head)
{
    const char *answer, *wanted = arena_format(&scene->lab.arena, "\"head\":%lld", (long long)head).data;
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    do {
        assert_int_equal(ask(scene, "GET", target(scene, "/subscriptions/$", id), scene->practice, NULL, &answer), 200);
        assert_true(time_monotonic_ms() < give_up_ms);
    } while (strstr(answer, wanted) == NULL);
}
