/* Compacted topics: reading, on a connection that never writes and never checkpoints. */
#include "broker/log/compacted.h"

#include "broker/base/memory.h"
#include "broker/event/limits.h"
#include "broker/log/compacted_views.h"

#include <sqlite3.h>
#include <stdlib.h>

enum { READ_BYTES = 1024 * 1024 }; /* then a read hands over what it has */

enum query { FIND, FIND_PREFIX, READ, BOUNDS, QUERY_COUNT };

static const char *const sql[QUERY_COUNT] = {
    [FIND] = "SELECT value FROM record WHERE key = ?1",
    [FIND_PREFIX] =
        "SELECT key, value FROM record WHERE key >= ?1 AND key < ?2 AND value IS NOT NULL ORDER BY key LIMIT 1",
    [READ] = "SELECT offset, timestamp, key, value FROM record WHERE offset >= ?1 ORDER BY offset LIMIT ?2",
    [BOUNDS] = "SELECT (SELECT min(offset) FROM record), (SELECT max(offset) FROM record)",
};

struct compacted_view {
    struct compacted_look look;
    struct compacted_views *views; /* NULL: of another process, so no look is kept */
    sqlite3 *database;
    sqlite3_stmt *queries[QUERY_COUNT];
    struct buffer bytes; /* what the last read's rows point into */
};

enum result compacted_view_open(const char *path, struct compacted_views *views, struct compacted_view **ret,
                                struct error *err)
{
    struct compacted_view *view = memory_take(sizeof *view);
    enum result result = OK;
    (void)pthread_mutex_init(&view->look.mutex, NULL);
    bool fine = sqlite3_open_v2(path, &view->database, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL) == SQLITE_OK &&
                sqlite3_busy_timeout(view->database, 5000) == SQLITE_OK &&
                sqlite3_exec(view->database, "PRAGMA wal_autocheckpoint=0; PRAGMA cache_size=-4096;", NULL, NULL,
                             NULL) == SQLITE_OK;
    for (int i = 0; i < QUERY_COUNT && fine; i++)
        fine = sqlite3_prepare_v3(view->database, sql[i], -1, SQLITE_PREPARE_PERSISTENT, &view->queries[i], NULL) ==
               SQLITE_OK;
    if (!fine) {
        result = error_set(err, FATAL, "%.120s: %s", path, sqlite3_errmsg(view->database));
        goto out;
    }
    view->look.database = view->database;
    view->views = views;
    if (views != NULL)
        compacted_views_add(views, &view->look);
    *ret = view;
    view = NULL;
out:
    compacted_view_close(view);
    return result;
}

void compacted_view_close(struct compacted_view *view)
{
    if (view == NULL)
        return;
    if (view->views != NULL)
        compacted_views_remove(view->views, &view->look);
    for (int i = 0; i < QUERY_COUNT; i++)
        (void)sqlite3_finalize(view->queries[i]);
    (void)sqlite3_close(view->database);
    (void)pthread_mutex_destroy(&view->look.mutex);
    buffer_destroy(&view->bytes);
    free(view);
}

/* Around each use. The look is kept until the writer ends it. */
static void look_take(struct compacted_view *view)
{
    (void)pthread_mutex_lock(&view->look.mutex);
    if (view->views != NULL && !view->look.is_taken)
        view->look.is_taken = sqlite3_exec(view->database, "BEGIN", NULL, NULL, NULL) == SQLITE_OK;
}

static void look_give(struct compacted_view *view, sqlite3_stmt *query)
{
    (void)sqlite3_reset(query);
    (void)pthread_mutex_unlock(&view->look.mutex);
}

static struct view column(sqlite3_stmt *query, int index)
{
    if (sqlite3_column_type(query, index) == SQLITE_NULL)
        return VIEW_NONE;
    const void *bytes = sqlite3_column_blob(query, index);
    return view_make(bytes == NULL ? "" : bytes, (size_t)sqlite3_column_bytes(query, index));
}

static enum result failed(struct compacted_view *view, struct error *err)
{
    int code = sqlite3_errcode(view->database) & 0xff;
    return error_set(err, code == SQLITE_BUSY ? AGAIN : FATAL, "a compacted topic cannot be read: %s",
                     sqlite3_errmsg(view->database));
}

enum result compacted_view_find(struct compacted_view *view, struct view key, struct buffer *ret, struct error *err)
{
    sqlite3_stmt *query = view->queries[FIND];
    enum result result = NOTHING;
    look_take(view);
    (void)sqlite3_bind_blob(query, 1, key.data, (int)key.size, SQLITE_STATIC);
    int code = sqlite3_step(query);
    if (code == SQLITE_ROW) {
        struct view value = column(query, 0);
        result = value.data == NULL ? NOTHING : OK;
        buffer_clear(ret);
        buffer_add_view(ret, value);
    } else if (code != SQLITE_DONE) {
        result = failed(view, err);
    }
    look_give(view, query);
    return result;
}

/* The smallest key that no key with this prefix reaches. */
static size_t prefix_end(struct view prefix, uint8_t ret[LIMIT_KEY_BYTES + 1])
{
    size_t size = prefix.size;
    memcpy(ret, prefix.data, size);
    while (size > 0 && ret[size - 1] == 0xff)
        size--;
    if (size > 0) {
        ret[size - 1]++;
        return size;
    }
    memset(ret, 0xff, LIMIT_KEY_BYTES + 1); /* longer than any key */
    return LIMIT_KEY_BYTES + 1;
}

enum result compacted_view_find_prefix(struct compacted_view *view, struct view prefix, struct buffer *ret_key,
                                       struct buffer *ret_value, struct error *err)
{
    sqlite3_stmt *query = view->queries[FIND_PREFIX];
    enum result result = NOTHING;
    uint8_t end[LIMIT_KEY_BYTES + 1];
    if (prefix.size > LIMIT_KEY_BYTES)
        return NOTHING;
    if (prefix.data == NULL)
        prefix = VIEW("");
    size_t end_size = prefix_end(prefix, end);
    look_take(view);
    (void)sqlite3_bind_blob(query, 1, prefix.data, (int)prefix.size, SQLITE_STATIC);
    (void)sqlite3_bind_blob(query, 2, end, (int)end_size, SQLITE_STATIC);
    int code = sqlite3_step(query);
    if (code == SQLITE_ROW) {
        result = OK;
        buffer_clear(ret_key);
        buffer_add_view(ret_key, column(query, 0));
        buffer_clear(ret_value);
        buffer_add_view(ret_value, column(query, 1));
    } else if (code != SQLITE_DONE) {
        result = failed(view, err);
    }
    look_give(view, query);
    return result;
}

enum result compacted_view_read(struct compacted_view *view, int64_t from, size_t most, struct compacted_row *ret,
                                size_t *ret_count, struct error *err)
{
    sqlite3_stmt *query = view->queries[READ];
    enum result result = OK;
    size_t count = 0;
    buffer_clear(&view->bytes);
    look_take(view);
    (void)sqlite3_bind_int64(query, 1, from);
    (void)sqlite3_bind_int64(query, 2, (int64_t)most);
    int code = SQLITE_DONE;
    while (count < most && view->bytes.size < READ_BYTES && (code = sqlite3_step(query)) == SQLITE_ROW) {
        struct compacted_row *row = &ret[count++];
        row->offset = sqlite3_column_int64(query, 0);
        row->timestamp_ms = sqlite3_column_int64(query, 1);
        row->key = column(query, 2);
        row->value = column(query, 3);
        buffer_add_view(&view->bytes, row->key);
        buffer_add_view(&view->bytes, row->value);
    }
    if (code != SQLITE_ROW && code != SQLITE_DONE)
        result = failed(view, err);
    look_give(view, query);
    if (result != OK)
        return result;
    const uint8_t *at = view->bytes.data; /* only now do the bytes stay where they are */
    for (size_t i = 0; i < count; i++) {
        ret[i].key.data = ret[i].key.size == 0 ? (const void *)"" : at;
        at += ret[i].key.size;
        if (ret[i].value.data != NULL)
            ret[i].value.data = ret[i].value.size == 0 ? (const void *)"" : at;
        at += ret[i].value.size;
    }
    *ret_count = count;
    return OK;
}

enum result compacted_view_bounds(struct compacted_view *view, int64_t *ret_first, int64_t *ret_end, struct error *err)
{
    sqlite3_stmt *query = view->queries[BOUNDS];
    enum result result = OK;
    look_take(view);
    if (sqlite3_step(query) != SQLITE_ROW) {
        result = failed(view, err);
    } else {
        bool empty = sqlite3_column_type(query, 1) == SQLITE_NULL;
        *ret_first = empty ? 0 : sqlite3_column_int64(query, 0);
        *ret_end = empty ? 0 : sqlite3_column_int64(query, 1) + 1;
    }
    look_give(view, query);
    return result;
}
