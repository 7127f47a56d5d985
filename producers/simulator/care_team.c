/* One change at a time, sent again until it is answered. */
#include "producers/simulator/care_team.h"

#include "broker/base/memory.h"
#include "broker/client/client.h"
#include "producers/simulator/pause.h"

#include <stdio.h>
#include <stdlib.h>

enum { ANSWER_MS = 20 * 1000, IDLE_MS = 50 };

struct care_team {
    pthread_t thread;
    struct credentials *credentials;
    struct outbox *outbox;
    struct traffic *traffic;
    struct client *client; /* NULL: none with a valid token */
    bool refused;          /* the token was */
    struct pause pause;
};

/* True: answered for good. */
static bool answer_take(struct care_team *team, struct sending *sending, enum result result, int status,
                        struct view body)
{
    char why[160];
    if (result != OK || status == 429 || status >= 500 || (status == 403 && traffic_is_young(team->traffic)))
        return false;
    if (status == 401) {
        client_close(team->client);
        team->client = NULL;
        team->refused = true;
        return false;
    }
    team->pause.attempts = 0;
    if (status == 200) {
        traffic_acknowledged(team->traffic, sending);
        return true;
    }
    (void)snprintf(why, sizeof why, "%d %.*s", status, (int)(body.size < 120 ? body.size : 120),
                   (const char *)body.data);
    traffic_rejected(team->traffic, sending, why);
    return true;
}

static bool change_send(struct care_team *team, struct sending *sending)
{
    struct error err;
    int status = 0;
    struct buffer body = {0};
    if (team->client == NULL && credentials_client(team->credentials, team->refused, &team->client, &err) != OK)
        return false;
    team->refused = false;
    struct client_request request = {
        .method = "POST",
        .path = "/events",
        .content_type = "application/cloudevents+json",
        .body = buffer_view(&sending->message.bytes),
        .timeout_ms = ANSWER_MS,
    };
    traffic_is_sent(team->traffic, sending);
    enum result result = client_send(team->client, &request, &status, &body, &err);
    bool answered = answer_take(team, sending, result, status, buffer_view(&body));
    buffer_destroy(&body);
    return answered;
}

static void *care_team_run(void *context)
{
    struct care_team *team = context;
    const atomic_bool *give_up = &team->traffic->give_up;
    struct sending *sending = NULL;
    enum result result = NOTHING;
    while (result != REJECTED) {
        result = outbox_take(team->outbox, IDLE_MS, &sending);
        if (result != OK)
            continue;
        while (!atomic_load(give_up) && sending != NULL) {
            if (change_send(team, sending))
                sending = NULL;
            else
                pause_wait(&team->pause, give_up);
        }
        if (sending != NULL)
            traffic_abandoned(team->traffic, sending);
    }
    client_close(team->client);
    return NULL;
}

struct care_team *care_team_start(struct credentials *credentials, struct outbox *outbox, struct traffic *traffic)
{
    struct care_team *team = memory_take(sizeof *team);
    team->credentials = credentials;
    team->outbox = outbox;
    team->traffic = traffic;
    if (pthread_create(&team->thread, NULL, care_team_run, team) != 0)
        abort(); /* no thread is to be had: as good as out of memory */
    return team;
}

void care_team_end(struct care_team *team)
{
    if (team == NULL)
        return;
    (void)pthread_join(team->thread, NULL);
    free(team);
}
