/*
 * A record: the sealed bytes of one event in the log, made and opened. Joins codec (bytes), vault (seals) and the keys
 * topic. One `struct keyring` a thread; it finds a patient's data keys in tidings.keys, and makes one where there is
 * none.
 */
#pragma once

#include "broker/codec/schemas.h"
#include "broker/event/care_event.h"
#include "broker/event/directory_entry.h"
#include "broker/event/telling.h"
#include "broker/log/log.h"
#include "broker/vault/vault.h"

struct keyring;
/* log and vault outlive it. cached_keys: how many unwrapped keys stay in locked memory. */
enum result keyring_open(struct log *log, const struct vault *vault, size_t cached_keys, struct keyring **ret,
                         struct error *err);
void keyring_close(struct keyring *keyring);

/* The owner's key `id`. NOTHING: erased (certain, by the end of the keys topic). *ret lives until the next call. */
enum result keyring_find(struct keyring *keyring, struct view owner, uint64_t id, const uint8_t **ret,
                         struct error *err);
/* A key to seal with: the owner's first, or NOTHING where the owner has none. */
enum result keyring_find_any(struct keyring *keyring, struct view owner, uint64_t *ret_id, struct error *err);
/* The entry that gives the owner a new key. It must be durable before the first record that needs it. The entry's views
 * live in arena. */
struct log_entry keyring_new_key(struct keyring *keyring, struct view owner, uint64_t *ret_id, struct arena *arena);

/* ---- making records; to is appended to ---- */

/* Fills nothing in: header->key_id must be a key of header->patient that keyring_find finds (or was just made), or 0
 * with no body. */
enum result record_seal_event(struct keyring *keyring, const struct event_header *header, const struct event_body *body,
                              struct buffer *to, struct error *err);
/* A record that holds only a header in clear: a tick, rules, a subscription. */
void record_write_plain(enum schema schema, const void *header, struct buffer *to);
/* A telling with the event's own pair, verbatim. telling->event_header is that pair's header. */
void record_write_telling(const struct telling *telling, struct view event_sealed, struct buffer *to);
/* A receipt; by is sealed under the subscription's key (receipt->key_id; 0: none). */
enum result record_seal_receipt(struct keyring *keyring, const struct receipt *receipt, struct view by,
                                struct buffer *to, struct error *err);

/* ---- opening records ---- */

struct opened_record {
    enum schema kind; /* of the header: SCHEMA_EVENT_HEADER, SCHEMA_TELLING, SCHEMA_SUBSCRIPTION ... */
    union {
        struct event_header event;
        struct telling telling;
        struct subscription subscription;
        struct receipt receipt;
        struct tick tick;
        struct rules rules;
        struct work_item work_item;
    };
    struct event_header told; /* SCHEMA_TELLING: its event's header, decoded */
    struct view header;       /* as stored */
    struct view sealed;       /* as stored */
};

/* Decodes the headers; views point into value and arena. REJECTED: hostile or unknown bytes. */
enum result record_open(struct view value, struct arena *arena, struct opened_record *ret, struct error *err);
/* Unseals the body of an event or of a telling's event. Views point into arena. NOTHING: the key is gone (erased), or
 * there is no body. REJECTED: a record that our keys did not seal. */
enum result record_unseal_body(struct keyring *keyring, const struct opened_record *record, struct arena *arena,
                               struct event_body *ret, struct error *err);

/* Kafka headers of the CloudEvents binding, binary mode, for an event or telling record; at most RECORD_HEADERS. Texts
 * live in arena. */
enum { RECORD_HEADERS = 8 };
size_t record_headers(const struct event_header *event, struct view region, struct arena *arena,
                      struct log_header ret[RECORD_HEADERS]);
