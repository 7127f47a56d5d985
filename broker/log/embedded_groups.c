/* Group offsets of the embedded log. */
#include "broker/log/embedded_groups.h"

#include "broker/base/memory.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdlib.h>
#include <unistd.h>

static const char settings[] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-256;"
                               "CREATE TABLE IF NOT EXISTS progress (name TEXT, topic TEXT, partition INTEGER,"
                               " next INTEGER NOT NULL, PRIMARY KEY (name, topic, partition)) WITHOUT ROWID;";
static const char find_sql[] = "SELECT next FROM progress WHERE name = ?1 AND topic = ?2 AND partition = ?3";
static const char put_sql[] = "INSERT OR REPLACE INTO progress (name, topic, partition, next) VALUES (?1, ?2, ?3, ?4)";

struct embedded_groups {
    pthread_mutex_t mutex;
    sqlite3 *database; /* NULL: read_only, and no file was there */
    sqlite3_stmt *find, *put;
    bool read_only;
};

static enum result open_database(struct embedded_groups *groups, const char *path, struct error *err)
{
    int flags = groups->read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE;
    if (sqlite3_open_v2(path, &groups->database, flags | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_busy_timeout(groups->database, 5000) != SQLITE_OK ||
        (!groups->read_only && sqlite3_exec(groups->database, settings, NULL, NULL, NULL) != SQLITE_OK) ||
        sqlite3_prepare_v3(groups->database, find_sql, -1, SQLITE_PREPARE_PERSISTENT, &groups->find, NULL) !=
            SQLITE_OK ||
        sqlite3_prepare_v3(groups->database, put_sql, -1, SQLITE_PREPARE_PERSISTENT, &groups->put, NULL) != SQLITE_OK)
        return error_set(err, FATAL, "%.120s: %s", path, sqlite3_errmsg(groups->database));
    return OK;
}

enum result embedded_groups_open(const char *path, bool read_only, struct embedded_groups **ret, struct error *err)
{
    struct embedded_groups *groups = memory_take(sizeof *groups);
    enum result result = OK;
    (void)pthread_mutex_init(&groups->mutex, NULL);
    groups->read_only = read_only;
    if (!read_only || access(path, F_OK) == 0)
        result = open_database(groups, path, err);
    if (result == OK) {
        *ret = groups;
        groups = NULL;
    }
    embedded_groups_close(groups);
    return result;
}

void embedded_groups_close(struct embedded_groups *groups)
{
    if (groups == NULL)
        return;
    (void)sqlite3_finalize(groups->find);
    (void)sqlite3_finalize(groups->put);
    (void)sqlite3_close(groups->database);
    (void)pthread_mutex_destroy(&groups->mutex);
    free(groups);
}

static void bind(sqlite3_stmt *statement, const char *group, enum topic topic, int32_t partition)
{
    (void)sqlite3_bind_text(statement, 1, group, -1, SQLITE_STATIC);
    (void)sqlite3_bind_text(statement, 2, topic_name(topic), -1, SQLITE_STATIC);
    (void)sqlite3_bind_int(statement, 3, partition);
}

enum result embedded_groups_find(struct embedded_groups *groups, const char *group, enum topic topic, int32_t partition,
                                 int64_t *ret, struct error *err)
{
    enum result result = OK;
    int64_t next = -1;
    if (groups->database != NULL) {
        (void)pthread_mutex_lock(&groups->mutex);
        bind(groups->find, group, topic, partition);
        int code = sqlite3_step(groups->find);
        if (code == SQLITE_ROW)
            next = sqlite3_column_int64(groups->find, 0);
        else if (code != SQLITE_DONE)
            result = error_set(err, FATAL, "group offsets cannot be read: %s", sqlite3_errmsg(groups->database));
        (void)sqlite3_reset(groups->find);
        (void)pthread_mutex_unlock(&groups->mutex);
    }
    if (result == OK)
        *ret = next;
    return result;
}

enum result embedded_groups_put(struct embedded_groups *groups, const char *group, enum topic topic, int32_t partition,
                                int64_t next_offset, struct error *err)
{
    enum result result = OK;
    if (groups->read_only)
        return error_set(err, REJECTED, "the log was opened for reading only");
    (void)pthread_mutex_lock(&groups->mutex);
    bind(groups->put, group, topic, partition);
    (void)sqlite3_bind_int64(groups->put, 4, next_offset);
    if (sqlite3_step(groups->put) != SQLITE_DONE)
        result = error_set(err, AGAIN, "a group offset cannot be written: %s", sqlite3_errmsg(groups->database));
    (void)sqlite3_reset(groups->put);
    (void)pthread_mutex_unlock(&groups->mutex);
    return result;
}
