/* Simulated people, straight into the log. */
#include "tests/bench/world.h"

#include "broker/base/buffer.h"
#include "broker/base/time.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2000, REGISTRATIONS = 3, PATIENTS_A_PRACTICE = 2000 };

static _Noreturn void fail(const char *what, const struct error *err)
{
    fprintf(stderr, "bench: %s: %s\n", what, err->text);
    exit(1);
}

double world_now(void)
{
    return (double)time_monotonic_us() / 1e6;
}

static uint64_t next_random(struct world *world) /* SplitMix64 */
{
    uint64_t z = (world->seed += 0x9E3779B97F4A7C15ULL);
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ z >> 27) * 0x94D049BB133111EBULL;
    return z ^ z >> 31;
}

void world_open(struct world *world, const char *where, const char *folder, size_t patients, uint64_t seed)
{
    struct error err = {0};
    char path[512];
    *world = (struct world){.patients = patients, .seed = seed, .subscribers = patients / PATIENTS_A_PRACTICE + 1};
    (void)snprintf(path, sizeof path, "%s/region.key", folder);
    struct log_options options = {.where = where, .data_folder = folder, .client_id = "bench"};
    if (schemas_open(&err) != OK || log_open(&options, &world->log, &err) != OK)
        fail("log", &err);
    (void)!vault_create(path, NULL);
    if (vault_open(path, &world->vault, &err) != OK ||
        keyring_open(world->log, world->vault, 8192, &world->keyring, &err) != OK ||
        log_appender_open(world->log, &world->appender, &err) != OK)
        fail("vault", &err);
}

void world_close(struct world *world)
{
    log_appender_close(world->appender);
    keyring_close(world->keyring);
    log_close(world->log);
    vault_close(world->vault);
    schemas_close();
}

/* Entries that wait for one append; bytes live in arena until then. */
struct pending {
    struct log_entry entries[BATCH];
    size_t count;
    struct arena arena;
};

static void flush(struct world *world, struct pending *pending)
{
    struct error err = {0};
    if (pending->count > 0 &&
        log_append_and_wait(world->appender, pending->entries, pending->count, 60000, NULL, &err) != OK)
        fail("append", &err);
    pending->count = 0;
    arena_reset(&pending->arena);
}

/* Ten digits of the synthetic range; the vault does not judge the check digit. */
static void nhs_number_of(size_t patient, char ret[11])
{
    (void)snprintf(ret, 11, "999%07zu", patient % 10000000);
}

static struct view patient_ref(struct world *world, size_t patient, struct arena *arena, char nhs[11])
{
    char ref[PATIENT_REF_SIZE];
    nhs_number_of(patient, nhs);
    vault_patient_ref_of_nhs_number(world->vault, view_of_text(nhs), ref);
    return arena_copy(arena, view_of_text(ref));
}

static struct view subscriber_of(size_t patient, int which, size_t subscribers, struct arena *arena)
{
    static const char letters[] = "AHC";
    return arena_format(arena, "%c%05zu", letters[which], (patient * 7919 + (size_t)which * 31) % subscribers);
}

static void event_add(struct world *world, struct pending *pending, struct care_event *event)
{
    struct error err = {0};
    struct buffer value = {0};
    uint8_t random[HASH_SIZE];
    event->header.publisher = event->header.publisher.data == NULL ? VIEW("R0A") : event->header.publisher;
    event->header.organisation = VIEW("R0A");
    event->header.count = 1;
    event->header.recorded_at_ms = time_now_ms();
    vault_random(random, sizeof random);
    memcpy(event->header.content, random, sizeof random);
    event->header.id = vault_event_id(event->header.publisher, event->body.message_source, event->body.message_id, 0,
                                      event->header.recorded_at_ms);
    if (record_seal_event(world->keyring, &event->header, &event->body, &value, &err) != OK)
        fail("seal", &err);
    pending->entries[pending->count++] = (struct log_entry){
        .topic = TOPIC_EVENTS,
        .partition = log_partition_of(world->log, TOPIC_EVENTS, event->header.patient),
        .key = event->header.patient,
        .value = arena_copy(&pending->arena, buffer_view(&value)),
    };
    buffer_destroy(&value);
    if (pending->count == BATCH)
        flush(world, pending);
}

static void subscriptions_add(struct world *world)
{
    static const char *const letters[] = {"A", "H", "C"};
    struct pending *pending = memory_take(sizeof *pending);
    for (size_t which = 0; which < 3; which++) {
        for (size_t i = 0; i < world->subscribers; i++) {
            struct subscription subscription = {.subscriber =
                                                    arena_format(&pending->arena, "%s%05zu", letters[which], i),
                                                .purpose = VIEW("direct-care"),
                                                .channel = VIEW("pull"),
                                                .status = SUBSCRIPTION_ACTIVE,
                                                .changed_at_ms = time_now_ms()};
            struct buffer value = {0};
            subscription.id =
                arena_format(&pending->arena, "%.*s.AAAAAAAAAAAAAAAAAAAAAA", VIEW_ARGS(subscription.subscriber));
            record_write_plain(SCHEMA_SUBSCRIPTION, &subscription, &value);
            pending->entries[pending->count++] =
                (struct log_entry){.topic = TOPIC_ALERTS,
                                   .partition = log_partition_of(world->log, TOPIC_ALERTS, subscription.subscriber),
                                   .key = subscription.subscriber,
                                   .value = arena_copy(&pending->arena, buffer_view(&value))};
            buffer_destroy(&value);
            if (pending->count == BATCH)
                flush(world, pending);
        }
    }
    flush(world, pending);
    arena_destroy(&pending->arena);
    free(pending);
}

static void keys_add(struct world *world, size_t from, size_t to, uint64_t *ret_ids)
{
    struct pending *pending = memory_take(sizeof *pending);
    for (size_t i = from; i < to; i++) {
        char nhs[11];
        struct view ref = patient_ref(world, i, &pending->arena, nhs);
        pending->entries[pending->count++] = keyring_new_key(world->keyring, ref, &ret_ids[i - from], &pending->arena);
    }
    flush(world, pending);
    arena_destroy(&pending->arena);
    free(pending);
}

static void registration_add(struct world *world, struct pending *pending, size_t patient, int which, uint64_t key_id)
{
    static const char *const roles[] = {"gp", "care-home", "community"};
    char nhs[11];
    struct view ref = patient_ref(world, patient, &pending->arena, nhs);
    struct care_event event = {
        .header = {.type = VIEW("registration-started-1"), .patient = ref, .key_id = key_id, .origin = ORIGIN_API},
        .body = {.message_source = VIEW("registrations"),
                 .has_registration = true,
                 .patient = {.nhs_number = view_of_text(nhs)},
                 .registration = {.subscriber = subscriber_of(patient, which, world->subscribers, &pending->arena),
                                  .role = view_of_text(roles[which]),
                                  .from_ms = 1}}};
    event.body.registration.id = arena_format(&pending->arena, "%.*s.%022d", VIEW_ARGS(ref), which);
    event.body.message_id = event.body.registration.id;
    event.header.publisher = event.body.registration.subscriber;
    event_add(world, pending, &event);
}

void world_register(struct world *world)
{
    struct pending *pending = memory_take(sizeof *pending);
    uint64_t *ids = memory_array(BATCH, sizeof *ids);
    subscriptions_add(world);
    for (size_t from = 0; from < world->patients; from += BATCH) {
        size_t to = from + BATCH < world->patients ? from + BATCH : world->patients;
        keys_add(world, from, to, ids);
        for (size_t i = from; i < to; i++)
            for (int which = 0; which < REGISTRATIONS; which++)
                registration_add(world, pending, i, which, ids[i - from]);
        flush(world, pending);
    }
    free(ids);
    arena_destroy(&pending->arena);
    free(pending);
}

void world_publish(struct world *world, size_t count)
{
    static const char *const types[] = {"encounter-admitted-1", "encounter-transferred-1", "encounter-discharged-1",
                                        "care-plan-changed-1"};
    struct pending *pending = memory_take(sizeof *pending);
    struct error err = {0};
    for (size_t i = 0; i < count; i++) {
        size_t patient = next_random(world) % world->patients, kind = next_random(world) % 10;
        char nhs[11];
        struct care_event event = {.header = {.origin = ORIGIN_HL7, .class = CLASS_INPATIENT}};
        struct event_body *body = &event.body;
        event.header.patient = patient_ref(world, patient, &pending->arena, nhs);
        event.header.type = view_of_text(types[kind < 4 ? 0 : kind < 6 ? 1 : kind < 9 ? 2 : 3]);
        if (keyring_find_any(world->keyring, event.header.patient, &event.header.key_id, &err) != OK)
            fail("key", &err);
        body->message_source = VIEW("PAS");
        body->message_id = arena_format(&pending->arena, "%zu", (size_t)next_random(world));
        body->happened_at_ms = time_now_ms();
        body->trigger = VIEW("A01");
        body->patient = (struct patient){.nhs_number = view_of_text(nhs),
                                         .family_name = VIEW("Simulated"),
                                         .given_name = VIEW("Person"),
                                         .birth_date = VIEW("1950-02-01"),
                                         .practice = VIEW("A81001")};
        if (kind == 9) {
            body->has_care_plan = true;
            body->care_plan =
                (struct care_plan){.id = VIEW("plan-1"), .title = VIEW("Falls"), .status = VIEW("active")};
        } else {
            body->has_encounter = true;
            body->encounter = (struct encounter){.spell = arena_format(&pending->arena, "V%zu-%zu", patient, i),
                                                 .organisation = VIEW("R0A"),
                                                 .site = VIEW("R0A02"),
                                                 .ward = VIEW("W12"),
                                                 .bed = VIEW("3"),
                                                 .consultant_code = VIEW("C123"),
                                                 .consultant_name = VIEW("Jones"),
                                                 .admitted_at_ms = time_now_ms(),
                                                 .class = CLASS_INPATIENT};
        }
        event_add(world, pending, &event);
    }
    flush(world, pending);
    arena_destroy(&pending->arena);
    free(pending);
}
