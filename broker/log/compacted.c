/* Compacted topics: writing. */
#include "broker/log/compacted.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/compacted_views.h"
#include "broker/log/segment_frame.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static const char settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=0;"
                               "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;";
static const char secure_settings[] = "PRAGMA secure_delete=ON;";
static const char schema[] = "CREATE TABLE IF NOT EXISTS record (offset INTEGER PRIMARY KEY, key BLOB NOT NULL,"
                             " timestamp INTEGER NOT NULL, value BLOB);"
                             "CREATE UNIQUE INDEX IF NOT EXISTS record_key ON record (key);";
static const char put_sql[] = "INSERT OR REPLACE INTO record (offset, key, timestamp, value) VALUES (?2, ?1, ?3, ?4)";
static const char end_sql[] = "SELECT coalesce(max(offset) + 1, 0) FROM record";

enum { LOG_PAGES = 2000 }; /* then the write-ahead log is emptied into the file: 8 MB */

struct compacted {
    sqlite3 *database;
    struct compacted_views views;
    int log_pages; /* in the write-ahead log */
    sqlite3_stmt *put;
    int64_t end;
    bool erases, is_broken;
};

/* What a failed write means. The statement's transaction is rolled back by the caller. */
static enum result failed(struct compacted *table, int code, struct error *err)
{
    const char *why = sqlite3_errmsg(table->database);
    int cause = sqlite3_extended_errcode(table->database);
    if ((code & 0xff) == SQLITE_FULL || cause == SQLITE_IOERR_WRITE || cause == SQLITE_IOERR_TRUNCATE ||
        cause == SQLITE_IOERR_SHMSIZE)
        return error_set(err, AGAIN, "a compacted topic cannot be written: %s", why);
    table->is_broken = true;
    return error_set(err, FATAL, "a compacted topic cannot be made durable: %s", why);
}

static enum result end_find(struct compacted *table, struct error *err)
{
    sqlite3_stmt *query = NULL;
    enum result result = FATAL;
    if (sqlite3_prepare_v2(table->database, end_sql, -1, &query, NULL) == SQLITE_OK &&
        sqlite3_step(query) == SQLITE_ROW) {
        table->end = sqlite3_column_int64(query, 0);
        result = OK;
    } else {
        result = error_set(err, FATAL, "a compacted topic cannot be read: %s", sqlite3_errmsg(table->database));
    }
    (void)sqlite3_finalize(query);
    return result;
}

/* SQLite would make it readable for all; its -wal and -shm files take after it. */
static void file_make(const char *path)
{
    int file = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (file >= 0)
        (void)close(file);
}

static int log_grew(void *context, sqlite3 *database, const char *name, int pages)
{
    struct compacted *table = context;
    (void)database;
    (void)name;
    table->log_pages = pages;
    return SQLITE_OK;
}

enum result compacted_open(const char *path, bool erases, struct compacted **ret, struct error *err)
{
    struct compacted *table = memory_take(sizeof *table);
    enum result result = OK;
    table->erases = erases;
    (void)pthread_mutex_init(&table->views.mutex, NULL);
    file_make(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &table->database, flags, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(table->database, 1000) != SQLITE_OK ||
        (erases && sqlite3_exec(table->database, secure_settings, NULL, NULL, NULL) != SQLITE_OK) ||
        sqlite3_exec(table->database, settings, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(table->database, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v3(table->database, put_sql, -1, SQLITE_PREPARE_PERSISTENT, &table->put, NULL) != SQLITE_OK) {
        result = failed(table, sqlite3_errcode(table->database), err);
        goto out;
    }
    (void)sqlite3_wal_hook(table->database, log_grew, table);
    result = end_find(table, err);
    if (result != OK)
        goto out;
    *ret = table;
    table = NULL;
out:
    compacted_close(table);
    return result;
}

void compacted_close(struct compacted *table)
{
    if (table == NULL)
        return;
    (void)sqlite3_finalize(table->put);
    if (table->database != NULL && !table->is_broken)
        (void)sqlite3_wal_checkpoint_v2(table->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    (void)sqlite3_close(table->database);
    (void)pthread_mutex_destroy(&table->views.mutex);
    free(table);
}

static int put(struct compacted *table, const struct segment_frame *frame, int64_t offset, int64_t now_ms)
{
    (void)sqlite3_bind_blob(table->put, 1, frame->key.data, (int)frame->key.size, SQLITE_STATIC);
    (void)sqlite3_bind_int64(table->put, 2, offset);
    (void)sqlite3_bind_int64(table->put, 3, now_ms);
    if (frame->value.data == NULL)
        (void)sqlite3_bind_null(table->put, 4);
    else
        (void)sqlite3_bind_blob(table->put, 4, frame->value.data, (int)frame->value.size, SQLITE_STATIC);
    int code = sqlite3_step(table->put);
    (void)sqlite3_reset(table->put);
    return code == SQLITE_DONE ? SQLITE_OK : code;
}

/* Views may look at the file again, and now see this commit. Every so often, and when something was erased, the
 * write-ahead log is emptied: most of it beside the views, the rest while they pause. It can fail (another process
 * looks, a full disk): then it is done after the next commit. */
static void views_refresh(struct compacted *table, bool erased)
{
    int pages = 0;
    bool emptying = table->log_pages >= LOG_PAGES || (erased && table->erases);
    if (emptying)
        (void)sqlite3_wal_checkpoint_v2(table->database, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    compacted_views_pause(&table->views);
    if (emptying &&
        sqlite3_wal_checkpoint_v2(table->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, &pages, NULL) != SQLITE_OK)
        table->log_pages = LOG_PAGES;
    else if (emptying)
        table->log_pages = 0;
    compacted_views_resume(&table->views);
}

enum result compacted_commit(struct compacted *table, struct buffer *frames, struct error *err)
{
    int64_t offset = table->end, now_ms = time_now_ms();
    bool erased = false;
    if (table->is_broken)
        return error_set(err, FATAL, "the log could not be made durable before: this process must end");
    int code = sqlite3_exec(table->database, "BEGIN IMMEDIATE", NULL, NULL, NULL);
    for (size_t at = 0; at < frames->size && code == SQLITE_OK; offset++) {
        struct segment_frame frame;
        size_t size = segment_frame_place(frames->data + at, offset);
        segment_frame_parse(frames->data + at, &frame);
        at += size;
        erased = erased || frame.value.data == NULL;
        code = put(table, &frame, offset, now_ms);
    }
    if (code == SQLITE_OK)
        code = sqlite3_exec(table->database, "COMMIT", NULL, NULL, NULL);
    if (code != SQLITE_OK) {
        enum result result = failed(table, code, err);
        if (sqlite3_get_autocommit(table->database) == 0)
            (void)sqlite3_exec(table->database, "ROLLBACK", NULL, NULL, NULL);
        return result;
    }
    table->end = offset;
    views_refresh(table, erased);
    return OK;
}

struct compacted_views *compacted_views_of(struct compacted *table)
{
    return table == NULL ? NULL : &table->views;
}

int64_t compacted_end(const struct compacted *table)
{
    return table->end;
}
