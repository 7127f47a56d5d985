/*
 * `tidings simulate`: a region of hospitals, practices, care homes and community teams, against a running broker.
 *
 * Hospitals send HL7 v2 over MLLP, one connection each; teams and practices send care plan changes over HTTP. The
 * practices, homes and teams listen as well, and what they hear is compared with what they had to hear. Patients are
 * made up, their NHS numbers synthetic (999 000 0000 to 999 999 9999).
 */
#pragma once

#include "broker/base/result.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { SIMULATE_HOSPITALS_MOST = 200, SIMULATE_PATIENTS_MOST = 500 * 1000 };
#define SIMULATE_RATE_MOST 20000.0

struct simulate_options {
    const char *url;   /* "http://127.0.0.1:8080" */
    const char *token; /* an operator's: it makes organisations, registrations, subscriptions and the other tokens */
    const char *mllp;  /* "127.0.0.1:2575" */
    int hospitals, patients;
    double rate;      /* messages a second, of all together */
    int64_t for_ms;   /* 0: until stopped */
    uint64_t seed;    /* the same seed: the same things happen */
    int64_t start_ms; /* the first message's time; 0: now. With the same options and start, the same bytes are sent, and
                         alerts that an earlier run of them made count as seen */
    bool json;        /* the count as one line of JSON */
};

/* Everything but url, token and mllp: 5 hospitals, 1000 patients, rate 20, 60 s, seed 7, now. */
void simulate_options_default(struct simulate_options *options);

/* Runs, then prints the count to stdout. Ends early, in order, when *stop becomes true. REJECTED: an alert was missed,
 * doubled, or told to somebody who had no right to it, or the options cannot be; AGAIN: no broker answers. */
enum result simulate_run(const struct simulate_options *options, const atomic_bool *stop, struct error *err);
