/* The laboratory. */
#include "tests/unit/lab/lab.h"

#include "broker/base/buffer.h"

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { WAIT_MS = 10000 };

static void require(enum result result, const struct error *err)
{
    if (result != OK)
        fail_msg("%s: %s", result_name(result), err->text);
}

static void log_take(struct lab *lab)
{
    struct error err = {0};
    struct log_options options = {
        .where = "embedded", .data_folder = lab->folder, .partitions = LAB_PARTITIONS, .client_id = "lab"};
    require(log_open(&options, &lab->log, &err), &err);
    require(keyring_open(lab->log, lab->vault, 64, &lab->keyring, &err), &err);
    require(log_appender_open(lab->log, &lab->appender, &err), &err);
}

static void log_leave(struct lab *lab)
{
    log_appender_close(lab->appender);
    keyring_close(lab->keyring);
    log_close(lab->log);
}

void lab_open(struct lab *lab)
{
    struct error err = {0};
    char path[96];
    *lab = (struct lab){.now_ms = 1790000000000};
    (void)snprintf(lab->folder, sizeof lab->folder, "/tmp/tidings-lab-XXXXXX");
    assert_non_null(mkdtemp(lab->folder));
    (void)snprintf(path, sizeof path, "%s/region.key", lab->folder);
    require(schemas_open(&err), &err);
    require(vault_create(path, &err), &err);
    require(vault_open(path, &lab->vault, &err), &err);
    log_take(lab);
}

void lab_close_keeping_files(struct lab *lab)
{
    log_leave(lab);
}

void lab_open_again(struct lab *lab)
{
    log_take(lab);
}

void lab_wrap(struct lab *lab, const char *script)
{
    struct error err = {0};
    log_appender_close(lab->appender);
    keyring_close(lab->keyring);
    require(log_faulty_open(lab->log, script, &lab->log, &err), &err);
    require(keyring_open(lab->log, lab->vault, 64, &lab->keyring, &err), &err);
    require(log_appender_open(lab->log, &lab->appender, &err), &err);
}

void lab_reopen(struct lab *lab)
{
    log_leave(lab);
    log_take(lab);
}

void lab_close(struct lab *lab)
{
    char command[128];
    log_leave(lab);
    vault_close(lab->vault);
    schemas_close();
    arena_destroy(&lab->arena);
    (void)snprintf(command, sizeof command, "rm -rf %s", lab->folder);
    assert_int_equal(system(command), 0);
}

struct log_position lab_append_raw(struct lab *lab, enum topic topic, int32_t partition, struct view key,
                                   struct view value)
{
    struct error err = {0};
    struct log_entry entry = {.topic = topic, .partition = partition, .key = key, .value = value};
    struct log_position position = {partition, -1};
    require(log_append_and_wait(lab->appender, &entry, 1, WAIT_MS, &position.offset, &err), &err);
    return position;
}

struct view lab_patient(struct lab *lab, const char *nhs_number)
{
    struct error err = {0};
    char ref[PATIENT_REF_SIZE];
    uint64_t id;
    vault_patient_ref_of_nhs_number(lab->vault, view_of_text(nhs_number), ref);
    struct view patient = arena_copy(&lab->arena, view_of_text(ref));
    if (keyring_find_any(lab->keyring, patient, &id, &err) == NOTHING) {
        struct log_entry entry = keyring_new_key(lab->keyring, patient, &id, &lab->arena);
        require(log_append_and_wait(lab->appender, &entry, 1, WAIT_MS, NULL, &err), &err);
    }
    return patient;
}

struct care_event lab_event(struct lab *lab, const char *nhs_number, const char *type, const char *spell)
{
    struct care_event event = {.header = {.type = view_of_text(type),
                                          .patient = lab_patient(lab, nhs_number),
                                          .publisher = VIEW("R0A"),
                                          .organisation = VIEW("R0A"),
                                          .origin = ORIGIN_HL7,
                                          .count = 1},
                               .body = {.happened_at_ms = lab->now_ms,
                                        .message_source = VIEW("PAS"),
                                        .message_id = arena_format(&lab->arena, "m%lld", (long long)++lab->messages),
                                        .patient = {.nhs_number = arena_copy(&lab->arena, view_of_text(nhs_number))},
                                        .has_encounter = spell != NULL}};
    if (spell != NULL)
        event.body.encounter = (struct encounter){.spell = view_of_text(spell), .organisation = VIEW("R0A")};
    return event;
}

struct log_position lab_append(struct lab *lab, struct care_event *event)
{
    struct error err = {0};
    struct buffer value = {0};
    event->header.recorded_at_ms = lab->now_ms++;
    require(keyring_find_any(lab->keyring, event->header.patient, &event->header.key_id, &err), &err);
    event->header.id = vault_event_id(event->header.publisher, event->body.message_source, event->body.message_id,
                                      event->header.index, event->header.recorded_at_ms);
    if (event->header.content[0] == 0)
        vault_content_hash(lab->vault, event->body.message_id, event->header.content);
    require(record_seal_event(lab->keyring, &event->header, &event->body, &value, &err), &err);
    int32_t partition = log_partition_of(lab->log, TOPIC_EVENTS, event->header.patient);
    struct log_position position =
        lab_append_raw(lab, TOPIC_EVENTS, partition, event->header.patient, buffer_view(&value));
    buffer_destroy(&value);
    return position;
}

struct view lab_register(struct lab *lab, const char *nhs_number, const char *subscriber, const char *role)
{
    struct care_event event = lab_event(lab, nhs_number, "registration-started-1", NULL);
    event.header.origin = ORIGIN_API;
    event.body.has_registration = true;
    event.body.registration = (struct registration){
        .id = arena_format(&lab->arena, "%.*s.r%lld", VIEW_ARGS(event.header.patient), (long long)lab->messages),
        .subscriber = view_of_text(subscriber),
        .role = view_of_text(role),
        .from_ms = lab->now_ms};
    (void)lab_append(lab, &event);
    return event.body.registration.id;
}

void lab_end_registration(struct lab *lab, const char *nhs_number, struct view id)
{
    struct care_event event = lab_event(lab, nhs_number, "registration-ended-1", NULL);
    event.header.origin = ORIGIN_API;
    event.body.has_registration = true;
    event.body.registration = (struct registration){.id = id, .until_ms = lab->now_ms};
    (void)lab_append(lab, &event);
}

static size_t words_split(struct lab *lab, const char *text, struct view **ret)
{
    struct view *words = arena_take(&lab->arena, 16 * sizeof *words);
    size_t count = 0;
    for (size_t size; *text != '\0'; text += size + (text[size] == ' ')) {
        size = strcspn(text, " ");
        words[count++] = view_make(text, size);
    }
    *ret = words;
    return count;
}

void lab_change_subscription(struct lab *lab, struct view id, const char *subscriber, const char *types,
                             const char *roles, enum subscription_status status)
{
    struct subscription subscription = {.id = id,
                                        .subscriber = view_of_text(subscriber),
                                        .purpose = VIEW("direct-care"),
                                        .channel = VIEW("pull"),
                                        .status = status,
                                        .own = types[0] == '+'};
    struct buffer value = {0};
    subscription.type_count = words_split(lab, types + (types[0] == '+'), &subscription.types);
    subscription.role_count = words_split(lab, roles, &subscription.roles);
    record_write_plain(SCHEMA_SUBSCRIPTION, &subscription, &value);
    int32_t partition = log_partition_of(lab->log, TOPIC_ALERTS, subscription.subscriber);
    (void)lab_append_raw(lab, TOPIC_ALERTS, partition, subscription.subscriber, buffer_view(&value));
    buffer_destroy(&value);
}

struct view lab_subscribe(struct lab *lab, const char *subscriber, const char *types, const char *roles, bool own)
{
    struct view id = arena_format(&lab->arena, "%s.s%lld", subscriber, (long long)++lab->messages);
    struct view marked = arena_format(&lab->arena, "%s%s", own ? "+" : "", types);
    lab_change_subscription(lab, id, subscriber, marked.data, roles, SUBSCRIPTION_ACTIVE);
    return id;
}

static int64_t from_start(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

static void each_record(struct lab *lab, enum topic topic,
                        void (*each)(void *context, const struct opened_record *opened), void *context)
{
    struct error err = {0};
    struct log_reader *reader;
    struct log_reader_options options = {.topic = topic, .start = from_start};
    const struct log_record *records;
    size_t count;
    require(log_reader_open(lab->log, &options, &reader, &err), &err);
    while (log_read(reader, 100, 0, &records, &count, &err) == OK) {
        for (size_t i = 0; i < count; i++) {
            struct opened_record opened;
            struct view value = arena_copy(&lab->arena, records[i].value);
            if (record_open(value, &lab->arena, &opened, &err) == OK)
                each(context, &opened);
        }
    }
    log_reader_close(reader);
}

struct telling_list {
    struct telling *tellings;
    struct event_header *events;
    size_t count, most;
};

static void telling_add(void *context, const struct opened_record *opened)
{
    struct telling_list *list = context;
    if (opened->kind != SCHEMA_TELLING)
        return;
    if (list->count < list->most) {
        list->tellings[list->count] = opened->telling;
        if (list->events != NULL)
            list->events[list->count] = opened->told;
    }
    list->count++;
}

size_t lab_tellings(struct lab *lab, struct telling *ret, struct event_header *ret_events, size_t most)
{
    struct telling_list list = {ret, ret_events, 0, most};
    each_record(lab, TOPIC_ALERTS, telling_add, &list);
    return list.count;
}

struct body_list {
    struct lab *lab;
    struct event_body *bodies;
    size_t count, most;
};

static void body_add(void *context, const struct opened_record *opened)
{
    struct body_list *list = context;
    struct error err = {0};
    if (opened->kind != SCHEMA_TELLING)
        return;
    if (list->count < list->most)
        require(record_unseal_body(list->lab->keyring, opened, &list->lab->arena, &list->bodies[list->count], &err),
                &err);
    list->count++;
}

size_t lab_told_bodies(struct lab *lab, struct event_body *ret, size_t most)
{
    struct body_list list = {lab, ret, 0, most};
    each_record(lab, TOPIC_ALERTS, body_add, &list);
    return list.count;
}

struct item_list {
    struct work_item *items;
    size_t count, most;
};

static void item_add(void *context, const struct opened_record *opened)
{
    struct item_list *list = context;
    if (opened->kind != SCHEMA_WORK_ITEM)
        return;
    if (list->count < list->most)
        list->items[list->count] = opened->work_item;
    list->count++;
}

size_t lab_work_items(struct lab *lab, struct work_item *ret, size_t most)
{
    struct item_list list = {ret, 0, most};
    each_record(lab, TOPIC_QUARANTINE, item_add, &list);
    return list.count;
}
