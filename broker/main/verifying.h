/* The inside of `verify`, for its files. */
#pragma once

#include "broker/fold/replay.h"
#include "broker/main/bounded.h"
#include "broker/main/tellings.h"
#include "broker/main/verify.h"
#include "broker/number/number.h"

struct verifying {
    const struct verify_options *options;
    struct verify_counts counts;
    struct log_fetcher *fetcher;
    struct keyring *keyring;
    struct key_cache *unwrapped; /* only to see whether keys unwrap */
    struct runner *match, *numbers;
    struct number *number;
    struct tellings *tellings;
    struct bounded events, alerts;
    int64_t total;            /* records; 0: not known yet */
    int64_t *settled;         /* by source partition: matching has told everything before it */
    struct arena arena;       /* of the record at hand */
    struct error *difference; /* of an output, while it is given back */
    enum result result;
};

/* verify_record.c: one record, for itself */
/* Opens it; checks that it stands where its key belongs. */
enum result verify_open(struct verifying *verifying, const struct log_record *record, struct opened_record *ret,
                        struct error *err);
/* Unseals it; *ret_erased: its key is gone. An event's id is checked. */
enum result verify_sealed(struct verifying *verifying, const struct log_record *record,
                          const struct opened_record *opened, bool *ret_erased, struct error *err);
/* Records of the directory, of keys, and of the quarantine. */
enum result verify_directory(void *context, const struct log_record *record, struct error *err);
enum result verify_key(void *context, const struct log_record *record, struct error *err);
enum result verify_quarantine(void *context, const struct log_record *record, struct error *err);
/* "topic partition, offset: why" */
enum result verify_differs(const struct log_record *record, const char *why, struct error *err);
