/* A space's table and its statements: the one place that holds their SQL. */
#include "broker/store/file.h"

#include <assert.h>
#include <ctype.h>
#include <stdio.h>

enum { NAME_SIZE = 32, SQL_SIZE = 256 };

/* A value stands in its row, or in a segment (values.h). */
static const char make_sql[] =
    "CREATE TABLE IF NOT EXISTS %s("
    "key BLOB PRIMARY KEY, value BLOB, segment INTEGER, at INTEGER, size INTEGER) WITHOUT ROWID";
static const char exists_sql[] = "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1";
static const char find_sql[] = "SELECT key, value, segment, at, size FROM %s WHERE key = ?1";
static const char scan_sql[] = "SELECT key, value, segment, at, size FROM %s WHERE key >= ?1 ORDER BY key";
static const char put_sql[] = "INSERT INTO %s(key, value, segment, at, size) VALUES(?1, ?2, ?3, ?4, ?5) "
                              "ON CONFLICT(key) DO UPDATE SET value = excluded.value, segment = excluded.segment, "
                              "at = excluded.at, size = excluded.size";
static const char remove_sql[] = "DELETE FROM %s WHERE key = ?1";

/* SQLite's names do not tell upper from lower case. */
static void name_of(uint8_t space, char ret[NAME_SIZE])
{
    if (space == SPACE_POSITIONS)
        (void)snprintf(ret, NAME_SIZE, "position");
    else if (space == SPACE_WATERMARKS)
        (void)snprintf(ret, NAME_SIZE, "watermark");
    else
        (void)snprintf(ret, NAME_SIZE, "%s_%c", isupper(space) ? "capital" : "space", tolower(space));
}

static enum result prepare(struct store_file *file, uint8_t space, const char *form, sqlite3_stmt **ret)
{
    if (*ret != NULL)
        return OK;
    char name[NAME_SIZE];
    name_of(space, name);
    char *sql = sqlite3_mprintf(form, name);
    int code = sql == NULL ? SQLITE_NOMEM : sqlite3_prepare_v3(file->db, sql, -1, SQLITE_PREPARE_PERSISTENT, ret, NULL);
    sqlite3_free(sql);
    return file_result(file, code, "read");
}

/* Once there, a table stays. */
static enum result look_for(struct store_file *file, uint8_t space)
{
    struct space_table *table = &file->spaces[space];
    if (table->exists)
        return OK;
    char name[NAME_SIZE];
    sqlite3_stmt *statement = NULL;
    name_of(space, name);
    int code = sqlite3_prepare_v2(file->db, exists_sql, -1, &statement, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_bind_text(statement, 1, name, -1, SQLITE_STATIC);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    table->exists = code == SQLITE_ROW;
    (void)sqlite3_finalize(statement);
    return file_result(file, code, "read");
}

enum result file_make_space(struct store_file *file, uint8_t space)
{
    assert(isalpha(space) || space == SPACE_POSITIONS || space == SPACE_WATERMARKS);
    enum result result = look_for(file, space);
    if (result != OK || file->spaces[space].exists)
        return result;
    sqlite3_stmt *statement = NULL;
    file_rollback(file); /* the read transaction: a table is made for good, in a transaction of its own */
    result = prepare(file, space, make_sql, &statement);
    if (result == OK)
        result = file_result(file, sqlite3_step(statement), "written");
    (void)sqlite3_finalize(statement);
    file->spaces[space].exists = result == OK;
    return result;
}

enum result file_find_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret)
{
    struct space_table *table = &file->spaces[space];
    enum result result = look_for(file, space);
    if (result == OK && table->exists)
        result = prepare(file, space, find_sql, &table->find);
    if (result == OK)
        *ret = table->find;
    return result;
}

enum result file_scan_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret)
{
    struct space_table *table = &file->spaces[space];
    *ret = NULL;
    enum result result = look_for(file, space);
    if (result != OK || !table->exists)
        return result;
    *ret = table->scan; /* taken out: a scan within a scan gets one of its own */
    table->scan = NULL;
    return prepare(file, space, scan_sql, ret);
}

void file_scan_done(struct store_file *file, uint8_t space, sqlite3_stmt *statement)
{
    struct space_table *table = &file->spaces[space];
    (void)sqlite3_reset(statement);
    if (table->scan == NULL)
        table->scan = statement;
    else
        (void)sqlite3_finalize(statement);
}

enum result file_put_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret)
{
    enum result result = prepare(file, space, put_sql, &file->spaces[space].put);
    *ret = file->spaces[space].put;
    return result;
}

enum result file_remove_statement(struct store_file *file, uint8_t space, sqlite3_stmt **ret)
{
    enum result result = prepare(file, space, remove_sql, &file->spaces[space].remove);
    *ret = file->spaces[space].remove;
    return result;
}
