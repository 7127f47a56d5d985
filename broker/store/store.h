/*
 * A fold's or a projection's own store: keys and values in named spaces, and the position up to which they are folded,
 * committed together. It can be thrown away and rebuilt from the log. SQLite (WAL, synchronous=NORMAL; the one
 * connection does all writes and all checkpoints: Debian 12's SQLite has the WAL-reset bug), and large values in files
 * beside it.
 *
 * Writes go to memory first and are seen by reads at once; `store_commit` writes them sorted by key in one transaction.
 * Memory: bounded by what is written between commits, and fixed caches. One thread, one owner at a time.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"
#include "broker/event/care_event.h"

struct store;

/* identity: of the log it folds (log_identity). A store of another log is REJECTED: "made from another log".
 * shape: a number that changes when the meaning of what is stored does; another shape is thrown away and made anew. */
enum result store_open(const char *path, const char *identity, int shape, struct store **ret, struct error *err);
/* Read-only, beside a running owner: sees what is committed. Only store_find, store_scan, store_position_find,
 * store_watermark_each. NOTHING: there is no store at path yet. */
enum result store_open_read_only(const char *path, struct store **ret, struct error *err);
void store_close(struct store *store); /* without committing */

/* The reason of the last call that failed, for people. */
const char *store_why(const struct store *store);

/* space: one letter that names a table of the owner's, such as 's' for states. What is found replaces what is in ret.
 */
enum result store_find(struct store *store, char space, struct view key, struct buffer *ret); /* NOTHING: not there */
void store_put(struct store *store, char space, struct view key, struct view value);
void store_remove(struct store *store, char space, struct view key);

/* Calls each for every key of [from, to) in order, until it returns false; to with NULL data: to the end of the space.
 * Views live during the call. It must not write; it may find and scan. */
enum result store_scan(struct store *store, char space, struct view from, struct view to,
                       bool (*each)(void *context, struct view key, struct view value), void *context);

/* Where folding goes on in a source partition: the next offset, with the id (a hash) of the last record applied. */
struct store_position {
    int32_t topic, partition;
    int64_t next_offset;          /* -1: nothing applied yet */
    int64_t last_offset;          /* of the last record applied; -1: none */
    uint8_t last_hash[HASH_SIZE]; /* of its key and value: read back on start, a difference is an incident */
    int32_t rules;                /* the last `rules N` passed */
};
void store_position_put(struct store *store, const struct store_position *position);
enum result store_position_find(struct store *store, int32_t topic, int32_t partition, struct store_position *ret);

/* The last (offset, index) seen in partition (topic, partition) from source partition (source_topic, source). */
struct store_watermark {
    int32_t topic, partition, source_topic, source;
    int64_t offset;
    int32_t index;
};
void store_watermark_put(struct store *store, const struct store_watermark *watermark);
enum result store_watermark_each(struct store *store,
                                 void (*each)(void *context, const struct store_watermark *watermark), void *context);

size_t store_dirty_count(const struct store *store); /* writes waiting for a commit */
size_t store_dirty_bytes(const struct store *store);
/* AGAIN: a full disk or the like; nothing is committed, call again later. */
enum result store_commit(struct store *store, struct error *err);
