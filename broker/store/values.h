/*
 * Values too large for the table: they stand in append-only files beside it (segments), and the table's row says where.
 * Private to the store.
 *
 * A scattered commit then rewrites small rows, not the values' pages. What is written over leaves garbage in its
 * segment; sweep.c moves what still lives out of the segments that hold most of it. Nothing is referred to before it is
 * synced, and a segment's id is never used again, so that a reader beside the owner finds the right bytes or none.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/store/file.h"

enum { VALUE_INSIDE_MOST = 64 }; /* a smaller one costs the row no more than saying where it is */

struct value_place {
    int64_t segment;  /* 0: the value is in the row */
    int64_t at, size; /* of the record, in bytes */
};

struct value_segment {
    int64_t id;
    int64_t bytes; /* written, or about to be */
    int64_t live;  /* of records that rows refer to */
    int fd;        /* -1: not open */
    bool changed, swept, fresh;
};

struct values {
    struct store_file *file;
    struct value_segment *segments; /* in order of id; the last is appended to. A reader's: those it has open */
    size_t count;
    struct buffer pending; /* appended to the last segment and not yet written */
    bool loaded;           /* the owner's list is what the table says */
    int64_t *doomed;       /* segments that the last commits have let go: removed once these are safe on the disk */
    size_t doomed_count;
    int64_t doomed_bytes;
};

/* A record: CRC-32C of what follows (4), size of the value (4), size of the key (2), space (1), 0 (1), key, value. */
enum { VALUE_HEADER = 12, VALUE_KEY_MOST = UINT16_MAX };

void values_open(struct values *values, struct store_file *file);
void values_close(struct values *values);
void values_forget_all(struct values *values); /* the list; closes its files */

/* ---- which segments there are: the table's matter (segment_table.c) ---- */

/* The owner's list: from the table, at first use and after a rollback. */
enum result values_load(struct values *values);
/* Writes and syncs what is pending, and writes what has changed to the table, all in the open transaction. */
enum result values_write(struct values *values);
/* After the commit: segments in which nothing lives are doomed. */
void values_committed(struct values *values);
/* After a checkpoint: a commit that a power cut takes back can then no more refer to them. */
void values_remove_doomed(struct values *values);
/* Removes the segments' files of the store at path that are not in the list; with no list all. */
void values_remove_strangers(const char *path, const struct value_segment *known, size_t count);

/* ---- appending ---- */

enum result values_append(struct values *values, uint8_t space, struct view key, struct view value,
                          struct value_place *ret);
void values_forget(struct values *values, const struct value_place *place); /* written over, or removed */
enum result values_sync(struct values *values);

/* ---- reading ---- */

/* *ret lives in scratch, whose bytes are replaced. NOTHING: the segment is gone; look at the row again (readers only).
 */
enum result values_read(struct values *values, const struct value_place *place, uint8_t space, struct view key,
                        struct buffer *scratch, struct view *ret);
/* Calls each for every record of the segment, in order, until it does not answer OK. */
enum result values_each(struct values *values, struct value_segment *segment,
                        enum result (*each)(void *context, uint8_t space, struct view key, struct view value,
                                            const struct value_place *place),
                        void *context);

/* ---- within ---- */

struct value_segment *values_add(struct values *values, int64_t id);
struct value_segment *values_find_segment(struct values *values, int64_t id);
enum result values_open_segment(struct values *values, struct value_segment *segment, int flags);
char *values_path(const char *store_path, int64_t segment); /* the caller's to free */
