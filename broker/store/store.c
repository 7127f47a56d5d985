/* Keys and values of a fold: written to memory, found there or in the file, committed sorted and in one transaction. */
#include "broker/store/parts.h"

#include "broker/base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum result store_open(const char *path, const char *identity, int shape, struct store **ret, struct error *err)
{
    struct store *store = memory_take(sizeof *store);
    enum result result = file_open(&store->file, path, identity, shape, err);
    if (result == OK)
        *ret = store;
    else
        free(store);
    return result;
}

enum result store_open_read_only(const char *path, struct store **ret, struct error *err)
{
    struct store *store = memory_take(sizeof *store);
    enum result result = file_open_read_only(&store->file, path, err);
    if (result == OK)
        *ret = store;
    else
        free(store);
    return result;
}

void store_close(struct store *store)
{
    if (store == NULL)
        return;
    file_rollback(&store->file);
    file_close(&store->file);
    overlay_clear(&store->overlay);
    free(store);
}

enum result space_find(struct store *store, uint8_t space, struct view key, struct buffer *ret)
{
    const struct overlay_entry *entry = overlay_find(&store->overlay, space, key);
    if (entry != NULL) {
        if (entry->removed)
            return NOTHING;
        buffer_clear(ret);
        buffer_add_view(ret, overlay_value(entry));
        return OK;
    }
    sqlite3_stmt *statement = NULL;
    enum result result = file_begin_read(&store->file);
    if (result == OK)
        result = file_find_statement(&store->file, space, &statement);
    if (result != OK || statement == NULL)
        return result == OK ? NOTHING : result;
    int code = bind_view(statement, 1, key);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        buffer_clear(ret);
        buffer_add_view(ret, column_view(statement, 0));
    } else {
        result = code == SQLITE_DONE ? NOTHING : file_result(&store->file, code, "read");
    }
    (void)sqlite3_reset(statement);
    return result;
}

enum result store_find(struct store *store, char space, struct view key, struct buffer *ret)
{
    return space_find(store, (uint8_t)space, key, ret);
}

void space_put(struct store *store, uint8_t space, struct view key, struct view value)
{
    assert(!store->file.read_only);
    overlay_put(&store->overlay, space, key, value);
}

void store_put(struct store *store, char space, struct view key, struct view value)
{
    space_put(store, (uint8_t)space, key, value);
}

void store_remove(struct store *store, char space, struct view key)
{
    assert(!store->file.read_only);
    overlay_remove(&store->overlay, (uint8_t)space, key);
}

size_t store_dirty_count(const struct store *store)
{
    return store->overlay.count;
}

size_t store_dirty_bytes(const struct store *store)
{
    return overlay_bytes(&store->overlay);
}

const char *store_why(const struct store *store)
{
    return store->file.why.text;
}

static enum result write_entry(struct store *store, const struct overlay_entry *entry)
{
    sqlite3_stmt *statement = NULL;
    enum result result = entry->removed ? file_remove_statement(&store->file, entry->space, &statement)
                                        : file_put_statement(&store->file, entry->space, &statement);
    if (result != OK)
        return result;
    int code = bind_view(statement, 1, overlay_key(entry));
    if (code == SQLITE_OK && !entry->removed)
        code = bind_view(statement, 2, overlay_value(entry));
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return file_result(&store->file, code, "written");
}

/* In order of key, so that each page of the table is met once. */
static enum result write_space(struct store *store, uint8_t space)
{
    size_t count;
    struct overlay_place *places = overlay_sorted(&store->overlay, space, VIEW_NONE, VIEW_NONE, &count);
    enum result result = OK;
    for (size_t i = 0; i < count && result == OK; i++)
        result = write_entry(store, places[i].entry);
    free(places);
    return result;
}

enum result store_commit(struct store *store, struct error *err)
{
    enum result result = OK;
    if (store->overlay.count == 0)
        return OK;
    for (int space = 0; space < SPACES && result == OK; space++)
        if (store->overlay.newest[space] != NULL)
            result = file_make_space(&store->file, (uint8_t)space);
    if (result == OK)
        result = file_begin_write(&store->file);
    for (int space = 0; space < SPACES && result == OK; space++)
        if (store->overlay.newest[space] != NULL)
            result = write_space(store, (uint8_t)space);
    if (result == OK)
        result = file_commit(&store->file);
    if (result == OK) {
        overlay_clear(&store->overlay);
    } else {
        file_rollback(&store->file);
        if (err != NULL)
            *err = store->file.why;
    }
    return result;
}
