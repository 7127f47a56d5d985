/* The loops of the roles: one thread each. They share the log, the vault, the options and the stop flags, nothing else.
 */
#pragma once

#include "broker/main/serve.h"
#include "broker/vault/vault.h"

#include <pthread.h>

/* What all loops are given. */
struct shared {
    const struct serve_options *options;
    struct log *log;
    const struct vault *vault;
    const atomic_bool *stop;  /* asked to stop: take no more */
    atomic_bool doors_closed; /* nothing comes in any more: folds may stop when they have nothing left */
    atomic_bool failed;       /* something is fatal: everybody stops at once */
    struct time_zone *zone;
};

/* One loop on its thread. opened: has opened what it needs, or failed. */
struct loop {
    const char *name;
    struct shared *shared;
    enum result (*run)(struct loop *loop);
    pthread_t thread;
    bool started;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool opened;
    char address[64]; /* where it listens, for those that do */
    enum result result;
    struct error err;
};

void loop_has_opened(struct loop *loop);

enum result http_loop(struct loop *loop);
enum result mllp_loop(struct loop *loop);
enum result match_loop(struct loop *loop);
enum result deliver_loop(struct loop *loop);
