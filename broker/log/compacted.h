/*
 * A compacted topic: a table that keeps the newest value under each key, in a SQLite file of its own.
 *
 * One connection does all writes and all checkpoints (`struct compacted`, one thread); others only read
 * (`struct compacted_view`, one a thread). An offset counts writes; a key's older offsets are no longer there. A
 * tombstone stays as a row without a value, so that readers learn of it and no offset is ever used twice.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"

struct compacted;

/* Makes the file where it is missing. erases: what is overwritten or taken back must leave the file, also its
 * write-ahead log. */
enum result compacted_open(const char *path, bool erases, struct compacted **ret, struct error *err);
void compacted_close(struct compacted *table);
/* Makes these frames (segment_frame.h) durable, all or none, and gives them their offsets. AGAIN: none is there (a full
 * disk). FATAL: now and ever after. */
enum result compacted_commit(struct compacted *table, struct buffer *frames, struct error *err);
int64_t compacted_end(const struct compacted *table); /* one past the last offset; of the writing thread */

/* The views of this process, so that the writer can keep them off the files for a moment. */
struct compacted_views;
struct compacted_views *compacted_views_of(struct compacted *table);

struct compacted_view;
struct compacted_row {
    int64_t offset, timestamp_ms;
    struct view key, value; /* value: NULL data for a tombstone */
};

/* views NULL: the table belongs to another process. */
enum result compacted_view_open(const char *path, struct compacted_views *views, struct compacted_view **ret,
                                struct error *err);
void compacted_view_close(struct compacted_view *view);
/* The live value under key, copied into ret. NOTHING: none. */
enum result compacted_view_find(struct compacted_view *view, struct view key, struct buffer *ret, struct error *err);
enum result compacted_view_find_prefix(struct compacted_view *view, struct view prefix, struct buffer *ret_key,
                                       struct buffer *ret_value, struct error *err);
/* Up to most rows with an offset of at least from, in order; ret has most places; views live until the next call. */
enum result compacted_view_read(struct compacted_view *view, int64_t from, size_t most, struct compacted_row *ret,
                                size_t *ret_count, struct error *err);
/* The first offset that is there and one past the last. Both 0: none. */
enum result compacted_view_bounds(struct compacted_view *view, int64_t *ret_first, int64_t *ret_end, struct error *err);
