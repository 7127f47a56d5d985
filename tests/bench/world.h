/* A region of simulated people for benchmarks: patients with registrations, subscriptions, and a feed of events like
 * the simulator's, made straight into a log, so that what is measured is not the making. */
#pragma once

#include "broker/log/log.h"
#include "broker/record/record.h"
#include "broker/vault/vault.h"

struct world {
    struct log *log;
    struct vault *vault;
    struct keyring *keyring;
    struct log_appender *appender;
    size_t patients, subscribers;
    uint64_t seed;
};

/* Opens the log named where ("embedded" or kafka://...) with its folder and region key. Ends the process where it
 * cannot. */
void world_open(struct world *world, const char *where, const char *folder, size_t patients, uint64_t seed);
void world_close(struct world *world);
/* Three registrations a patient (a practice, a care home or none of it twice, a community team), one subscription a
 * subscriber. */
void world_register(struct world *world);
/* Appends `count` events: admissions, transfers, discharges, some cancelled, some care plans. */
void world_publish(struct world *world, size_t count);
/* Monotonic seconds. */
double world_now(void);
