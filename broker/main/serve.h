/* `tidings serve`: the roles of the broker, wired together over one log. */
#pragma once

#include "broker/base/result.h"
#include "broker/fold/fold.h"

#include <stdatomic.h>

enum role { ROLE_INGEST = 1, ROLE_MATCH = 2, ROLE_DELIVER = 4, ROLE_READ = 8, ROLE_API = 16, ROLE_ALL = 31 };

struct serve_options {
    const char *data_folder;    /* "./data" */
    const char *log;            /* "embedded", or "kafka://host:port[,...]" */
    const char *kafka_settings; /* more librdkafka settings, "name=value" lines; NULL: none */
    const char *http, *mllp;    /* addresses to listen on */
    const char *region;
    const char *machine;   /* Kafka: this machine's stable name among the group's members; NULL: the host's name */
    const char *time_zone; /* the region's */
    int roles;             /* of enum role */
    int partitions;        /* 0: as the log has them, or 48 */
    int replication;       /* Kafka, first start: 0: 1 */
    /* For the crash harness, through the seams only. */
    const char *faulty_script; /* wraps the log in the faulty one; NULL: no */
    int sabotage;              /* enum sabotage */
    bool answer_early;
    /* Named points: those of the folds (broker/fold/fold.h), publishers and api, and of a first start: who "serve",
     * "log-made", "region-key-made", "rules-partly" (those of events are there), "operator-token-recorded". */
    void (*at_point)(void *context, const char *who, const char *point);
    int64_t commit_ms; /* how often folds commit; 0: their default */
};

void serve_options_default(struct serve_options *options);

/* Runs until *stop is true (then takes no more, finishes what it has) or something is fatal. Prints the `ready` line to
 * stdout when everything listens. */
enum result serve_run(const struct serve_options *options, const atomic_bool *stop, struct error *err);
