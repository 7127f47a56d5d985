/* Compacted topics: writing. */
#include "broker/log/compacted.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/segment_frame.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static const char settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=2000;"
                               "PRAGMA cache_size=-4096; PRAGMA temp_store=MEMORY;";
static const char secure_settings[] = "PRAGMA secure_delete=ON;";
static const char schema[] = "CREATE TABLE IF NOT EXISTS record (key BLOB PRIMARY KEY, offset INTEGER NOT NULL,"
                             " timestamp INTEGER NOT NULL, value BLOB) WITHOUT ROWID;"
                             "CREATE UNIQUE INDEX IF NOT EXISTS record_offset ON record (offset);";
static const char put_sql[] = "INSERT INTO record (key, offset, timestamp, value) VALUES (?1, ?2, ?3, ?4)"
                              " ON CONFLICT (key) DO UPDATE SET offset = ?2, timestamp = ?3, value = ?4";
static const char end_sql[] = "SELECT coalesce(max(offset) + 1, 0) FROM record";

struct compacted {
    sqlite3 *database;
    sqlite3_stmt *put;
    int64_t end;
    bool erases, is_broken;
    bool erasure_due; /* something erased still stands in the write-ahead log */
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

enum result compacted_open(const char *path, bool erases, struct compacted **ret, struct error *err)
{
    struct compacted *table = memory_take(sizeof *table);
    enum result result = OK;
    table->erases = erases;
    file_make(path);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    if (sqlite3_open_v2(path, &table->database, flags, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(table->database, 1000) != SQLITE_OK ||
        (erases && sqlite3_exec(table->database, secure_settings, NULL, NULL, NULL) != SQLITE_OK) ||
        sqlite3_exec(table->database, settings, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_exec(table->database, schema, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v3(table->database, put_sql, -1, SQLITE_PREPARE_PERSISTENT, &table->put, NULL) != SQLITE_OK) {
        result = error_set(err, FATAL, "%.120s: %s", path, sqlite3_errmsg(table->database));
        goto out;
    }
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

/* Erased bytes leave the write-ahead log when it is emptied; a reader in the middle of a look puts it off to the next
 * time. */
static void erasure_finish(struct compacted *table)
{
    int code = sqlite3_wal_checkpoint_v2(table->database, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL);
    table->erasure_due = code != SQLITE_OK;
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
    if (table->erases && (erased || table->erasure_due))
        erasure_finish(table);
    return OK;
}

int64_t compacted_end(const struct compacted *table)
{
    return table->end;
}
