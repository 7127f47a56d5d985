/* Which segments of values there are, committed with the rows that refer to them; and their files, removed when they
 * are not. */
#include "broker/store/values.h"

#include "broker/base/memory.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define FILE_FORM "%s-values-%08lld"

static const char load_sql[] = "SELECT id, bytes, live FROM segment ORDER BY id";
static const char put_sql[] = "INSERT OR REPLACE INTO segment(id, bytes, live) VALUES(?1, ?2, ?3)";
static const char remove_sql[] = "DELETE FROM segment WHERE id = ?1";

char *values_path(const char *store_path, int64_t segment)
{
    size_t size = strlen(store_path) + sizeof "-values-" + 20;
    char *path = memory_take(size);
    (void)snprintf(path, size, FILE_FORM, store_path, (long long)segment);
    return path;
}

/* Is the file's name one of this store's segments, and of none that is known? */
static bool is_stranger(const char *name, const char *base, const struct value_segment *known, size_t count)
{
    struct view text = view_of_text(name), prefix = view_of_text(base);
    int64_t id;
    if (!view_starts_with(text, prefix))
        return false;
    text = view_after(text, prefix.size);
    if (!view_starts_with(text, VIEW("-values-")) || !view_to_number(view_after(text, sizeof "-values-" - 1), &id))
        return false;
    for (size_t i = 0; i < count; i++)
        if (known[i].id == id)
            return false;
    return true;
}

void values_remove_strangers(const char *path, const struct value_segment *known, size_t count)
{
    const char *slash = strrchr(path, '/'), *base = slash == NULL ? path : slash + 1;
    char *folder = slash == NULL ? memory_text(VIEW(".")) : memory_text(view_make(path, (size_t)(slash - path) + 1));
    DIR *files = opendir(folder);
    const struct dirent *file;
    while (files != NULL && (file = readdir(files)) != NULL)
        if (is_stranger(file->d_name, base, known, count))
            (void)unlinkat(dirfd(files), file->d_name, 0);
    if (files != NULL)
        (void)closedir(files);
    free(folder);
}

enum result values_load(struct values *values)
{
    if (values->loaded)
        return OK;
    sqlite3_stmt *statement = NULL;
    values_forget_all(values);
    int code = sqlite3_prepare_v2(values->file->db, load_sql, -1, &statement, NULL);
    while (code == SQLITE_OK || code == SQLITE_ROW) {
        code = sqlite3_step(statement);
        if (code != SQLITE_ROW)
            break;
        struct value_segment *segment = values_add(values, sqlite3_column_int64(statement, 0));
        segment->bytes = sqlite3_column_int64(statement, 1);
        segment->live = sqlite3_column_int64(statement, 2);
    }
    (void)sqlite3_finalize(statement);
    enum result result = file_result(values->file, code, "read");
    values->loaded = result == OK;
    return result;
}

/* The last is kept even when empty: its id must not be given again. */
static bool is_empty(const struct values *values, size_t i)
{
    return values->segments[i].live <= 0 && i + 1 < values->count;
}

enum result values_write(struct values *values)
{
    sqlite3_stmt *put = NULL, *remove = NULL;
    enum result result = values_sync(values);
    if (result != OK)
        return result;
    int code = sqlite3_prepare_v2(values->file->db, put_sql, -1, &put, NULL);
    if (code == SQLITE_OK)
        code = sqlite3_prepare_v2(values->file->db, remove_sql, -1, &remove, NULL);
    for (size_t i = 0; i < values->count && code == SQLITE_OK; i++) {
        const struct value_segment *segment = &values->segments[i];
        if (!segment->changed)
            continue;
        sqlite3_stmt *statement = is_empty(values, i) ? remove : put;
        (void)sqlite3_bind_int64(statement, 1, segment->id);
        if (statement == put) {
            (void)sqlite3_bind_int64(statement, 2, segment->bytes);
            (void)sqlite3_bind_int64(statement, 3, segment->live);
        }
        code = sqlite3_step(statement);
        if (code == SQLITE_DONE)
            code = sqlite3_reset(statement);
    }
    (void)sqlite3_finalize(put);
    (void)sqlite3_finalize(remove);
    return file_result(values->file, code, "written");
}

void values_committed(struct values *values)
{
    size_t kept = 0;
    for (size_t i = 0; i < values->count; i++) {
        struct value_segment segment = values->segments[i];
        if (segment.changed && is_empty(values, i)) {
            if (segment.fd >= 0)
                (void)close(segment.fd);
            values->doomed = memory_grow(values->doomed, (values->doomed_count + 1) * sizeof *values->doomed);
            values->doomed[values->doomed_count++] = segment.id;
            values->doomed_bytes += segment.bytes;
            continue;
        }
        segment.changed = segment.swept = segment.fresh = false;
        values->segments[kept++] = segment;
    }
    values->count = kept;
    buffer_destroy(&values->pending);
}

void values_remove_doomed(struct values *values)
{
    for (size_t i = 0; i < values->doomed_count; i++) {
        char *path = values_path(values->file->path, values->doomed[i]);
        (void)unlink(path);
        free(path);
    }
    values->doomed_count = 0;
    values->doomed_bytes = 0;
}
