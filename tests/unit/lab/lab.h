/* A laboratory for tests of what works on a whole log: an embedded log in a folder of its own, a vault, and events in
 * few words. */
#pragma once

#include "broker/log/log.h"
#include "broker/record/record.h"
#include "broker/vault/vault.h"

struct lab {
    char folder[64];
    struct log *log;
    struct vault *vault;
    struct keyring *keyring;
    struct log_appender *appender;
    struct arena arena;
    int64_t now_ms; /* recordedAt of the next event */
    int64_t messages;
};

enum { LAB_PARTITIONS = 4 };

void lab_open(struct lab *lab);
void lab_reopen(struct lab *lab); /* closes the log and opens it again, as after a restart */
void lab_close(struct lab *lab);  /* and removes the folder */
void lab_close_keeping_files(struct lab *lab);
void lab_open_again(struct lab *lab);
/* From here on the log answers as the script says (log_faulty_open), until it is reopened. What the lab appends itself
 * counts too. */
void lab_wrap(struct lab *lab, const char *script);

/* The patientRef of a synthetic number, with a data key in the log. */
struct view lab_patient(struct lab *lab, const char *nhs_number);

/* An event of a patient, with its own message id; the caller fills in more and appends it. */
struct care_event lab_event(struct lab *lab, const char *nhs_number, const char *type, const char *spell);
/* Gives it an id if it has none, seals and appends it. Returns where it stands. */
struct log_position lab_append(struct lab *lab, struct care_event *event);
/* Registers a subscriber with a role from now on; returns the registration's id. */
struct view lab_register(struct lab *lab, const char *nhs_number, const char *subscriber, const char *role);
void lab_end_registration(struct lab *lab, const char *nhs_number, struct view id);
/* A record of the lab's own making, on any topic. */
struct log_position lab_append_raw(struct lab *lab, enum topic topic, int32_t partition, struct view key,
                                   struct view value);
/* A subscription with types and roles separated by blanks ("" for none). */
struct view lab_subscribe(struct lab *lab, const char *subscriber, const char *types, const char *roles, bool own);
void lab_change_subscription(struct lab *lab, struct view id, const char *subscriber, const char *types,
                             const char *roles, enum subscription_status status);

/* Every telling in the log, in the order of its stream. Returns how many; at most `most` are written. */
size_t lab_tellings(struct lab *lab, struct telling *ret, struct event_header *ret_events, size_t most);
/* What each telling says, in the same order. */
size_t lab_told_bodies(struct lab *lab, struct event_body *ret, size_t most);
/* Items of the work list. */
size_t lab_work_items(struct lab *lab, struct work_item *ret, size_t most);
