/* The loop of one connection. A message is in flight from its first writing to its answer; when the connection breaks
 * or an answer is late, it is written again, in order, as an engine does. */
#include "producers/simulator/hospital.h"

#include "broker/base/memory.h"
#include "broker/client/client.h"
#include "producers/simulator/field.h"
#include "producers/simulator/pause.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    IN_FLIGHT_MOST = 16,
    ANSWER_MS = 20 * 1000, /* then it counts as lost; the broker answers within 8 s */
    LATER_MS = 500,        /* after an answer that says "send again later" */
    IDLE_MS = 50,
    LISTEN_MS = 2, /* for answers, before the outbox is looked at again */
};

struct hospital {
    pthread_t thread;
    const char *address;
    struct outbox *outbox;
    struct traffic *traffic;
    struct mllp_client *client; /* NULL: not connected */
    struct sending *flight[IN_FLIGHT_MOST];
    size_t flying;
    struct pause pause;
    bool closed; /* the outbox is closed and empty */
};

static void disconnect(struct hospital *hospital)
{
    mllp_client_close(hospital->client);
    hospital->client = NULL;
    for (size_t i = 0; i < hospital->flying; i++)
        hospital->flight[i]->written = false;
}

static void connect_or_pause(struct hospital *hospital)
{
    struct error err;
    if (mllp_client_open(hospital->address, &hospital->client, &err) != OK)
        pause_wait(&hospital->pause, &hospital->traffic->give_up);
}

/* False: the connection broke. */
static bool message_write(struct hospital *hospital, struct sending *sending)
{
    struct error err;
    traffic_is_sent(hospital->traffic, sending);
    sending->written = true;
    sending->written_ms = time_monotonic_ms();
    return mllp_client_write(hospital->client, buffer_view(&sending->message.bytes), &err) == OK;
}

/* What must be written again, then what is new. */
static bool messages_write(struct hospital *hospital)
{
    bool whole = true;
    for (size_t i = 0; i < hospital->flying && whole; i++)
        if (!hospital->flight[i]->written && hospital->flight[i]->again_ms <= time_monotonic_ms())
            whole = message_write(hospital, hospital->flight[i]);
    while (whole && !hospital->closed && hospital->flying < IN_FLIGHT_MOST) {
        struct sending *sending;
        enum result result = outbox_take(hospital->outbox, hospital->flying == 0 ? IDLE_MS : 0, &sending);
        hospital->closed = result == REJECTED;
        if (result != OK)
            break;
        hospital->flight[hospital->flying++] = sending;
        whole = message_write(hospital, sending);
    }
    return whole;
}

static struct sending *flight_find(const struct hospital *hospital, struct view id, size_t *ret_place)
{
    for (size_t i = 0; i < hospital->flying; i++) {
        if (hospital->flight[i]->written && view_is_text(id, hospital->flight[i]->message.id)) {
            *ret_place = i;
            return hospital->flight[i];
        }
    }
    return NULL;
}

static void land(struct hospital *hospital, size_t place)
{
    hospital->flying--;
    memmove(&hospital->flight[place], &hospital->flight[place + 1],
            (hospital->flying - place) * sizeof hospital->flight[0]);
}

/* AA and CA: done. AE and CE: later, the same. AR and CR: never. */
static void answer_take(struct hospital *hospital, struct view answer)
{
    size_t place = 0;
    struct view code = field_read(answer, "MSA", 1, 1, 1);
    struct sending *sending = flight_find(hospital, field_read(answer, "MSA", 2, 1, 1), &place);
    if (sending == NULL || code.size != 2)
        return;
    hospital->pause.attempts = 0;
    char verdict = ((const char *)code.data)[1];
    struct view reason = field_read(answer, "ERR", 3, 1, 1), text = field_read(answer, "ERR", 8, 1, 0);
    bool unknown_yet = view_is_text(reason, "103") && traffic_is_young(hospital->traffic);
    if (verdict == 'E' || (verdict == 'R' && unknown_yet)) {
        sending->written = false;
        sending->again_ms = time_monotonic_ms() + LATER_MS;
        return;
    }
    land(hospital, place);
    if (verdict == 'A') {
        traffic_acknowledged(hospital->traffic, sending);
        return;
    }
    char why[160];
    (void)snprintf(why, sizeof why, "%.*s %.*s", VIEW_ARGS(reason), VIEW_ARGS(text));
    traffic_rejected(hospital->traffic, sending, why);
}

/* False: the connection broke, or an answer is overdue. */
static bool answers_read(struct hospital *hospital)
{
    struct error err;
    struct buffer answer = {0};
    enum result result = NOTHING;
    int64_t now_ms = time_monotonic_ms();
    bool overdue = false;
    if (hospital->flying > 0)
        result = mllp_client_read(hospital->client, LISTEN_MS, &answer, &err);
    while (result == OK) {
        answer_take(hospital, buffer_view(&answer));
        buffer_clear(&answer);
        result = mllp_client_read(hospital->client, 0, &answer, &err);
    }
    for (size_t i = 0; i < hospital->flying; i++)
        overdue = overdue || (hospital->flight[i]->written && now_ms - hospital->flight[i]->written_ms > ANSWER_MS);
    buffer_destroy(&answer);
    return result == NOTHING && !overdue;
}

static void abandon(struct hospital *hospital)
{
    struct sending *sending;
    while (hospital->flying > 0)
        traffic_abandoned(hospital->traffic, hospital->flight[--hospital->flying]);
    while (outbox_take(hospital->outbox, 0, &sending) == OK)
        traffic_abandoned(hospital->traffic, sending);
}

static void *hospital_run(void *context)
{
    struct hospital *hospital = context;
    while (!atomic_load(&hospital->traffic->give_up) && !(hospital->closed && hospital->flying == 0)) {
        if (hospital->client == NULL)
            connect_or_pause(hospital);
        else if (!messages_write(hospital) || !answers_read(hospital)) {
            disconnect(hospital);
            pause_wait(&hospital->pause, &hospital->traffic->give_up);
        }
    }
    abandon(hospital);
    disconnect(hospital);
    return NULL;
}

struct hospital *hospital_start(const char *address, struct outbox *outbox, struct traffic *traffic)
{
    struct hospital *hospital = memory_take(sizeof *hospital);
    hospital->address = address;
    hospital->outbox = outbox;
    hospital->traffic = traffic;
    if (pthread_create(&hospital->thread, NULL, hospital_run, hospital) != 0)
        abort(); /* no thread is to be had: as good as out of memory */
    return hospital;
}

void hospital_end(struct hospital *hospital)
{
    if (hospital == NULL)
        return;
    (void)pthread_join(hospital->thread, NULL);
    free(hospital);
}
