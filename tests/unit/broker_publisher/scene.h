/* A publisher over a laboratory's log, and messages in few words. */
#pragma once

#include "broker/base/time.h"
#include "broker/publisher/publisher.h"
#include "tests/unit/lab/lab.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <cmocka.h>

#define ANNE "9990000018"
#define BILL "9990000026"

enum { DEADLINE_MS = 20000, MOST = 32 };

struct scene {
    struct lab lab;
    struct publisher *publisher;
    enum origin origin;
    char other_folder[96]; /* of another process's stores */
    uint64_t tokens;
    struct opened_record events[MOST]; /* what is in the log */
    int64_t offsets[MOST];
    size_t event_count;
};

static inline struct publisher *publisher_start(struct scene *scene, const char *folder)
{
    struct error err = {0};
    struct publisher *publisher = NULL;
    struct publisher_options options = {.log = scene->lab.log,
                                        .vault = scene->lab.vault,
                                        .data_folder = folder,
                                        .region = "lab",
                                        .origin = scene->origin};
    if (publisher_open(&options, &publisher, &err) != OK)
        fail_msg("%s", err.text);
    return publisher;
}

static inline int scene_open_for(void **state, enum origin origin)
{
    struct scene *scene = memory_take(sizeof *scene);
    lab_open(&scene->lab);
    scene->origin = origin;
    (void)snprintf(scene->other_folder, sizeof scene->other_folder, "%s/other", scene->lab.folder);
    assert_int_equal(mkdir(scene->other_folder, 0700), 0);
    scene->publisher = publisher_start(scene, scene->lab.folder);
    *state = scene;
    return 0;
}

static inline int scene_open(void **state)
{
    return scene_open_for(state, ORIGIN_HL7);
}

static inline int scene_open_cloudevents(void **state)
{
    return scene_open_for(state, ORIGIN_CLOUDEVENTS);
}

static inline int scene_close(void **state)
{
    struct scene *scene = *state;
    publisher_close(scene->publisher);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

/* From here on the log answers as the script says. */
static inline void with_script(struct scene *scene, const char *script)
{
    publisher_close(scene->publisher);
    lab_wrap(&scene->lab, script);
    scene->publisher = publisher_start(scene, scene->lab.folder);
}

static inline void restart(struct scene *scene)
{
    publisher_close(scene->publisher);
    lab_reopen(&scene->lab);
    scene->publisher = publisher_start(scene, scene->lab.folder);
}

struct said {
    const char *id, *content, *nhs_number;
    int64_t at_ms; /* MSH-7; 0: now */
    size_t event_count, item_count;
    bool local; /* known only by a local number */
    const char *assigner;
};

static inline enum result say_to(struct scene *scene, struct publisher *publisher, struct said said,
                                 uint64_t *ret_token)
{
    struct error err = {0};
    size_t count = said.event_count == 0 ? 1 : said.event_count == SIZE_MAX ? 0 : said.event_count;
    struct local_id local = {view_of_text(said.assigner == NULL ? "R0A" : said.assigner), VIEW("4711")};
    struct care_event events[2] = {0};
    for (size_t i = 0; i < 2; i++) {
        struct event_body *body = &events[i].body;
        events[i].header.type = i == 0 ? VIEW("encounter-discharged-1") : VIEW("patient-died-1");
        body->happened_at_ms = 1790000000000;
        if (said.local)
            body->patient = (struct patient){.local_ids = &local, .local_id_count = 1};
        else
            body->patient =
                (struct patient){.nhs_number = view_of_text(said.nhs_number == NULL ? ANNE : said.nhs_number)};
    }
    struct work_item item = {.organisation = VIEW("R0A"),
                             .kind = VIEW("untrusted-nhs-number"),
                             .message_id = view_of_text(said.id),
                             .why = VIEW("why")};
    const char *content = said.content == NULL ? said.id : said.content;
    struct publication publication = {.publisher = VIEW("R0A"),
                                      .source = VIEW("PAS"),
                                      .id = view_of_text(said.id),
                                      .message_time_ms = said.at_ms == 0 ? time_now_ms() : said.at_ms,
                                      .content = view_of_text(content),
                                      .events = events,
                                      .event_count = count,
                                      .items = &item,
                                      .item_count = said.item_count,
                                      .token = ++scene->tokens};
    enum result result = publisher_take(publisher, &publication, &err);
    *ret_token = publication.token;
    memset(events, 0xee, sizeof events); /* everything was copied */
    memset(&item, 0xee, sizeof item);
    return result;
}

static inline void step(struct publisher *publisher)
{
    struct error err = {0};
    if (publisher_step(publisher, &err) == FATAL)
        fail_msg("%s", err.text);
}

static inline void wait_for_more(struct publisher *publisher, int timeout_ms)
{
    struct pollfd fd = {.fd = publisher_fd(publisher), .events = POLLIN};
    (void)poll(&fd, 1, timeout_ms);
}

/* The next answer. */
static inline struct publication_answer answer_of(struct publisher *publisher)
{
    struct publication_answer answer = {0};
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    while (publisher_collect(publisher, &answer) != OK) {
        step(publisher);
        if (time_monotonic_ms() > give_up_ms)
            fail_msg("no answer");
        wait_for_more(publisher, 10);
    }
    return answer;
}

/* Takes it in, and gives its answer. */
static inline struct publication_answer say(struct scene *scene, struct said said)
{
    uint64_t token;
    assert_int_equal(say_to(scene, scene->publisher, said, &token), OK);
    struct publication_answer answer = answer_of(scene->publisher);
    assert_int_equal(answer.token, token);
    return answer;
}

/* Until all that is durable is folded into what came before. */
static inline void settle(struct publisher *publisher)
{
    int64_t give_up_ms = time_monotonic_ms() + DEADLINE_MS;
    do
        step(publisher);
    while ((publisher_waiting(publisher) > 0 || !publisher_is_ready(publisher)) && time_monotonic_ms() < give_up_ms);
    for (int i = 0; i < 3; i++) {
        wait_for_more(publisher, 2);
        step(publisher);
    }
}

static inline int64_t from_the_start(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

static inline void event_seen(void *context, const struct log_record *record)
{
    struct scene *scene = context;
    struct error err = {0};
    struct view value = arena_copy(&scene->lab.arena, record->value);
    assert_true(scene->event_count < MOST);
    scene->offsets[scene->event_count] = record->offset;
    assert_int_equal(record_open(value, &scene->lab.arena, &scene->events[scene->event_count++], &err), OK);
}

/* Reads all events of the log, in the order of its stream. */
static inline size_t events_read(struct scene *scene)
{
    struct error err = {0};
    struct log_reader *reader;
    struct log_reader_options options = {.topic = TOPIC_EVENTS, .start = from_the_start};
    scene->event_count = 0;
    assert_int_equal(log_reader_open(scene->lab.log, &options, &reader, &err), OK);
    assert_int_equal(log_read_to_end(reader, DEADLINE_MS, event_seen, scene, &err), OK);
    log_reader_close(reader);
    return scene->event_count;
}

static inline struct event_body body_of(struct scene *scene, size_t at)
{
    struct error err = {0};
    struct event_body body;
    assert_int_equal(record_unseal_body(scene->lab.keyring, &scene->events[at], &scene->lab.arena, &body, &err), OK);
    return body;
}
