/* Opens a store's file, checks whose it is, and throws it away where it cannot be used: it is a fold, made anew from
 * the log. */
#include "broker/store/values.h"

#include "broker/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <unistd.h>

enum {
    APPLICATION_ID = 0x54696473, /* "Tids", which `file` shows */
    BUSY_MS = 5000,              /* another connection recovers the WAL after a crash */
};

/* The page size decides how much a commit of scattered keys writes (README); the cache is in KiB. */
static const char open_sql[] = "PRAGMA page_size = 8192; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL;"
                               "PRAGMA journal_size_limit = 67108864;"
                               "PRAGMA mmap_size = 0; PRAGMA cache_size = -65536; PRAGMA temp_store = MEMORY;";
static const char open_read_only_sql[] =
    "PRAGMA wal_autocheckpoint = 0; PRAGMA mmap_size = 0; PRAGMA cache_size = -8192;"
    "PRAGMA temp_store = MEMORY;";
static const char make_sql[] =
    "BEGIN IMMEDIATE;"
    "CREATE TABLE meta(identity TEXT NOT NULL, shape INTEGER NOT NULL);"
    "INSERT INTO meta(identity, shape) VALUES(%Q, %d);"
    "CREATE TABLE segment(id INTEGER PRIMARY KEY, bytes INTEGER NOT NULL, live INTEGER NOT NULL);"
    "PRAGMA application_id = %d;"
    "COMMIT";
static const char meta_sql[] = "SELECT identity, shape FROM meta";
static const char tables_sql[] = "SELECT count(*) FROM sqlite_schema";
static const char application_sql[] = "PRAGMA application_id";

static bool is_damage(int code)
{
    switch (code & 0xFF) {
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return true;
    case SQLITE_IOERR:
        /* After a failed fsync the kernel may have dropped the pages it could not write: the file cannot be believed.
         */
        return code == SQLITE_IOERR_FSYNC || code == SQLITE_IOERR_SHORT_READ || code == SQLITE_IOERR_CORRUPTFS ||
               code == SQLITE_IOERR_DATA;
    }
    return false;
}

static bool is_passing(int code)
{
    switch (code & 0xFF) {
    case SQLITE_FULL:
    case SQLITE_IOERR:
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
    case SQLITE_CANTOPEN:
    case SQLITE_READONLY:
    case SQLITE_NOMEM:
    case SQLITE_PERM:
        return true;
    }
    return false;
}

enum result file_result(struct store_file *file, int code, const char *doing)
{
    if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
        return OK;
    const char *why = sqlite3_errstr(code);
    if (is_damage(code)) {
        file->damaged = true;
        return error_set(&file->why, FATAL, "the store %s is damaged (%s, %d): it will be made anew from the log",
                         file->path, why, code);
    }
    if (is_passing(code))
        return error_set(&file->why, AGAIN, "the store %s cannot be %s now (%s, %d)", file->path, doing, why, code);
    return error_set(&file->why, FATAL, "the store %s cannot be %s (%s, %d)", file->path, doing, why, code);
}

enum result file_system_result(struct store_file *file, int why, const char *doing)
{
    if (why == EIO) { /* what was said to be written may not be there */
        file->damaged = true;
        return error_set(&file->why, FATAL, "the store %s is damaged (%s): it will be made anew from the log",
                         file->path, strerror(why));
    }
    return error_set(&file->why, AGAIN, "the store %s cannot be %s now (%s)", file->path, doing, strerror(why));
}

static int run(struct store_file *file, const char *sql)
{
    return sqlite3_exec(file->db, sql, NULL, NULL, NULL);
}

static int remember_wal_pages(void *context, sqlite3 *db, const char *name, int pages)
{
    (void)db, (void)name;
    ((struct store_file *)context)->wal_pages = pages;
    return SQLITE_OK;
}

static int number_of(struct store_file *file, const char *sql, int *ret)
{
    sqlite3_stmt *statement = NULL;
    int code = sqlite3_prepare_v2(file->db, sql, -1, &statement, NULL);
    if (code == SQLITE_OK && (code = sqlite3_step(statement)) == SQLITE_ROW) {
        *ret = sqlite3_column_int(statement, 0);
        code = SQLITE_OK;
    }
    (void)sqlite3_finalize(statement);
    return code;
}

static void disconnect(struct store_file *file)
{
    for (int space = 0; space < SPACES; space++) {
        struct space_table *table = &file->spaces[space];
        (void)sqlite3_finalize(table->find);
        (void)sqlite3_finalize(table->scan);
        (void)sqlite3_finalize(table->put);
        (void)sqlite3_finalize(table->remove);
        *table = (struct space_table){0};
    }
    (void)sqlite3_close(file->db);
    file->db = NULL;
}

/* The database first: a WAL without its database is ignored, a database without its WAL would be believed. */
static void throw_away(const char *path)
{
    char *name = memory_take(strlen(path) + sizeof "-wal");
    (void)unlink(path);
    static const char *const beside[] = {"-wal", "-shm"};
    for (size_t i = 0; i < 2; i++) {
        (void)snprintf(name, strlen(path) + sizeof "-wal", "%s%s", path, beside[i]);
        (void)unlink(name);
    }
    free(name);
    values_remove_strangers(path, NULL, 0);
}

/* Two owners would append to the same segments. A file of its own, since closing another descriptor of the database
 * would drop SQLite's locks on it. */
static enum result lock(struct store_file *file, struct error *err)
{
    size_t size = strlen(file->path) + sizeof "-lock";
    char *name = memory_take(size);
    (void)snprintf(name, size, "%s-lock", file->path);
    file->lock = open(name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    int why = errno;
    free(name);
    if (file->lock < 0)
        return error_set(err, AGAIN, "the store %s cannot be opened now (%s)", file->path, strerror(why));
    if (flock(file->lock, LOCK_EX | LOCK_NB) == 0)
        return OK;
    if (errno != EWOULDBLOCK)
        return error_set(err, AGAIN, "the store %s cannot be locked now (%s)", file->path, strerror(errno));
    return error_set(err, REJECTED, "the store %s is in use already: is another tidings running on this data folder?",
                     file->path);
}

/* SQLite would make it readable by all; its WAL takes after it. */
static void make_private(const char *path)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd >= 0)
        (void)close(fd);
}

static int connect_owner(struct store_file *file)
{
    make_private(file->path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    int code = sqlite3_open_v2(file->path, &file->db, flags, NULL);
    if (code != SQLITE_OK)
        return code;
    (void)sqlite3_extended_result_codes(file->db, 1);
    (void)sqlite3_busy_timeout(file->db, BUSY_MS);
    (void)sqlite3_wal_hook(file->db, remember_wal_pages, file); /* in the place of SQLite's own checkpoints */
    return run(file, open_sql);
}

/* Is what is there of this log, and of this shape? NOTHING: it is ours to throw away. */
static enum result check(struct store_file *file, const char *identity, int shape, struct error *err)
{
    sqlite3_stmt *statement = NULL;
    enum result result = NOTHING;
    int code = sqlite3_prepare_v2(file->db, meta_sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code != SQLITE_ROW) {
        result = is_passing(code) && !is_damage(code) ? file_result(file, code, "read") : NOTHING;
        goto out;
    }
    const char *made_from = (const char *)sqlite3_column_text(statement, 0);
    if (made_from == NULL || strcmp(made_from, identity) != 0)
        result =
            error_set(&file->why, REJECTED,
                      "this store was made from another log: %s folds log %.40s, and this is log %.40s. Is the data "
                      "folder the right one? If so, delete the store",
                      file->path, made_from == NULL ? "" : made_from, identity);
    else if (sqlite3_column_int(statement, 1) == shape)
        result = OK;
out:
    (void)sqlite3_finalize(statement);
    if (err != NULL && result != OK && result != NOTHING)
        *err = file->why;
    return result;
}

static int make(struct store_file *file, const char *identity, int shape)
{
    char *sql = sqlite3_mprintf(make_sql, identity, shape, APPLICATION_ID);
    int code = sql == NULL ? SQLITE_NOMEM : run(file, sql);
    sqlite3_free(sql);
    return code;
}

/* NOTHING: it cannot be used, and is ours to throw away. */
static enum result open_or_make(struct store_file *file, const char *identity, int shape, struct error *err)
{
    int tables = 0, application = 0;
    int code = connect_owner(file);
    if (code == SQLITE_OK)
        code = number_of(file, tables_sql, &tables);
    if (code == SQLITE_OK)
        code = number_of(file, application_sql, &application);
    if (code == SQLITE_OK && tables == 0)
        code = make(file, identity, shape);
    else if (code == SQLITE_OK && application != APPLICATION_ID)
        return error_set(err, REJECTED, "%s is a database of somebody else's, not a store", file->path);
    if (code != SQLITE_OK) {
        enum result result = is_damage(code) ? NOTHING : file_result(file, code, "opened");
        if (err != NULL && result != NOTHING)
            *err = file->why;
        return result;
    }
    return check(file, identity, shape, err);
}

enum result file_open(struct store_file *file, const char *path, const char *identity, int shape, struct error *err)
{
    *file = (struct store_file){.path = memory_text(view_of_text(path)), .lock = -1};
    enum result result = lock(file, err);
    if (result == OK)
        result = open_or_make(file, identity, shape, err);
    if (result == NOTHING) {
        disconnect(file);
        throw_away(path);
        result = open_or_make(file, identity, shape, err);
    }
    if (result == NOTHING)
        result = error_set(err, FATAL, "the store %s cannot be used, nor thrown away and made anew", path);
    if (result != OK)
        file_close(file);
    return result;
}

enum result file_open_read_only(struct store_file *file, const char *path, struct error *err)
{
    *file = (struct store_file){.path = memory_text(view_of_text(path)), .read_only = true, .lock = -1};
    int flags = SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_NOFOLLOW;
    int application = 0, tables = 0;
    int code = sqlite3_open_v2(file->path, &file->db, flags, NULL);
    (void)sqlite3_extended_result_codes(file->db, 1);
    (void)sqlite3_busy_timeout(file->db, BUSY_MS);
    (void)sqlite3_db_config(file->db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
    if (code == SQLITE_OK)
        code = run(file, open_read_only_sql);
    if (code == SQLITE_OK)
        code = number_of(file, application_sql, &application);
    if (code == SQLITE_OK)
        code = number_of(file, tables_sql, &tables);
    enum result result = OK;
    if (code != SQLITE_OK) {
        result = access(path, F_OK) != 0 ? error_set(&file->why, NOTHING, "there is no store at %s yet", path)
                                         : file_result(file, code, "opened");
    } else if (tables == 0) {
        result = error_set(&file->why, NOTHING, "the store %s is being made", path);
    } else if (application != APPLICATION_ID) {
        result = error_set(&file->why, REJECTED, "%s is a database of somebody else's, not a store", path);
    }
    if (result != OK) {
        if (err != NULL)
            *err = file->why;
        file_close(file);
    }
    return result;
}

void file_close(struct store_file *file)
{
    disconnect(file);
    if (file->damaged && !file->read_only)
        throw_away(file->path);
    if (file->lock >= 0)
        (void)close(file->lock);
    free(file->path);
    *file = (struct store_file){.lock = -1};
}
