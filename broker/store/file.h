/*
 * The SQLite file behind a store: opened, checked, thrown away where it is not what it should be; its transaction, its
 * checkpoints, and what SQLite's codes mean to us. Private to the store.
 *
 * One connection does all writes and all checkpoints (Debian 12's SQLite 3.40.1 has the WAL-reset bug); readers beside
 * it never checkpoint.
 */
#pragma once

#include "broker/base/result.h"
#include "broker/store/overlay.h"

#include <sqlite3.h>

/* A space's table. Spaces are told by one byte: a letter of the owner's, or one of ours below. */
enum { SPACE_POSITIONS = 1, SPACE_WATERMARKS = 2 };

struct space_table {
    bool exists;
    sqlite3_stmt *find, *scan, *put, *remove; /* prepared at first use */
};

struct store_file {
    char *path;
    sqlite3 *db;
    bool read_only;
    int lock;         /* held by the owner; -1: not */
    bool damaged;     /* found to be so: thrown away at file_close */
    int wal_pages;    /* what a checkpoint would have to do, as the last commit said */
    int scans;        /* under way */
    unsigned made;    /* counts how often a reader has gone over to a file made anew */
    struct error why; /* of the last failure */
    struct space_table spaces[SPACES];
};

enum result file_open(struct store_file *file, const char *path, const char *identity, int shape, struct error *err);
enum result file_open_read_only(struct store_file *file, const char *path, struct error *err);
void file_close(struct store_file *file);

/* Call before reading: the owner reads in one transaction that stays open until the next commit (its locks cost more
 * than a find), a reader looks whether the owner has made the file anew. */
enum result file_begin_read(struct store_file *file);
/* After file_commit failed nothing is committed. */
enum result file_begin_write(struct store_file *file);
enum result file_commit(struct store_file *file);
void file_rollback(struct store_file *file);
/* Outside of a transaction. *ret_whole: all that is committed is in the database, and safe on the disk. What is
 * committed stays so whatever becomes of the checkpoint: one that is not whole (a reader, a full disk) is tried after
 * the next commit. FATAL: its fsync failed, and nobody may believe the file any more. */
bool file_checkpoint_is_due(const struct store_file *file);
enum result file_checkpoint(struct store_file *file, bool *ret_whole);

/* Makes the space's table where it is missing. */
enum result file_make_space(struct store_file *file, uint8_t space);
/* Prepares where needed; *ret NULL: the space has no table yet, so nothing is in it. */
enum result file_find_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret);
enum result file_scan_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret); /* given back below */
void file_scan_done(struct store_file *file, uint8_t space, sqlite3_stmt *statement);
enum result file_put_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret);
enum result file_remove_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret);

/* Says what an SQLite code, or an errno, means, with a reason in file->why. doing: "read", "written" ... */
enum result file_result(struct store_file *file, int code, const char *doing);
enum result file_system_result(struct store_file *file, int why, const char *doing);
