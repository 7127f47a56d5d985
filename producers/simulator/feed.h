/* All that the region sends, one after the other: the same for the same options, byte for byte. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"

#include <stdbool.h>
#include <stdint.h>

enum { OVER_HTTP = -1, MESSAGE_ID_SIZE = 24, RUN_TAG_SIZE = 10 };

struct feed_options {
    uint64_t seed;
    int hospitals, patients;
    double rate;
    int64_t start_ms;
};

struct outgoing {
    uint64_t number; /* 0, 1, 2 ... */
    int64_t time_ms; /* start + number / rate */
    int hospital;    /* OVER_HTTP: a care plan change */
    int patient;     /* whose it is: one patient's messages must arrive in order */
    bool duplicate;  /* the bytes that this hospital sent last, again */
    char id[MESSAGE_ID_SIZE];
    struct buffer bytes; /* the caller's, to be destroyed */
};

struct feed;

/* REJECTED: the system has no time zone Europe/London. */
enum result feed_open(const struct feed_options *options, struct feed **ret, struct error *err);
void feed_close(struct feed *feed);
void feed_take(struct feed *feed, struct outgoing *ret);
/* What the ids, visits and plans of this run begin with, and those of no other run. */
const char *feed_tag(const struct feed *feed);
