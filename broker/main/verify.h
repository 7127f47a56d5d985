/*
 * Is the log what it has to be? Every record decodes and unseals, or its patient is erased; every event's id is what
 * its publisher and message id give; and the alerts are exactly the fold of the events.
 */
#pragma once

#include "broker/log/log.h"
#include "broker/vault/vault.h"

#include <stdatomic.h>

struct verify_options {
    struct log *log; /* opened for reading only */
    const struct vault *vault;
    const char *data_folder; /* whose match.store, if it is there, says how far matching has come */
    const char *scratch;     /* an empty folder for states */
    bool one_stream;         /* the embedded log: what stands behind was appended after */
    const atomic_bool *stop;
    void (*progress)(void *context, int64_t done, int64_t total); /* records; total 0: not known. May be NULL */
    void *context;
};

struct verify_counts {
    int64_t records; /* of all topics */
    int64_t events, erased, tellings, duplicates, numbered, untold;
};

/* REJECTED: a difference; the reason names the log position. AGAIN: stopped, or the log cannot be read now. */
enum result verify_log(const struct verify_options *options, struct verify_counts *ret, struct error *err);
