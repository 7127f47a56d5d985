/* Keys and values of a fold: written to memory, found there or in the file, committed sorted and in one transaction. */
#include "broker/store/parts.h"

#include "broker/base/memory.h"

#include <assert.h>
#include <stdlib.h>

enum {
    READ_TRIES = 16, /* each meets a commit of the owner's between its row and its value */
    DOOMED_BYTES_MOST = 8 * 1024 * 1024,
};

/* What a commit that was cut off has left behind goes, once no power cut can bring the commit before it back. */
static enum result tidy(struct store *store, struct error *err)
{
    bool whole = false;
    enum result result = file_checkpoint(&store->file, &whole);
    if (result == OK)
        result = values_load(&store->values);
    if (result == OK && whole)
        values_remove_strangers(store->file.path, store->values.segments, store->values.count);
    if (result != OK && err != NULL)
        *err = store->file.why;
    return result;
}

static enum result open_once(const char *path, const char *identity, int shape, struct store **ret, bool *ret_damaged,
                             struct error *err)
{
    struct store *store = memory_take(sizeof *store);
    enum result result = file_open(&store->file, path, identity, shape, err);
    values_open(&store->values, &store->file);
    if (result == OK)
        result = tidy(store, err);
    *ret_damaged = store->file.damaged;
    if (result == OK)
        *ret = store;
    else
        store_close(store); /* and throws away what is damaged */
    return result;
}

enum result store_open(const char *path, const char *identity, int shape, struct store **ret, struct error *err)
{
    bool damaged = false;
    enum result result = open_once(path, identity, shape, ret, &damaged, err);
    return damaged ? open_once(path, identity, shape, ret, &damaged, err) : result;
}

enum result store_open_read_only(const char *path, struct store **ret, struct error *err)
{
    struct store *store = memory_take(sizeof *store);
    enum result result = file_open_read_only(&store->file, path, err);
    values_open(&store->values, &store->file);
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
    values_close(&store->values);
    file_close(&store->file);
    overlay_clear(&store->overlay);
    buffer_destroy(&store->scratch);
    free(store);
}

/* ret_moved: a reader met a row whose value the owner has moved since; the row says by now where to. */
static enum result file_find(struct store *store, uint8_t space, struct view key, struct buffer *ret, bool *ret_moved)
{
    sqlite3_stmt *statement = NULL;
    struct view value;
    enum result result = row_begin_read(store);
    if (result == OK)
        result = file_find_statement(&store->file, space, &statement);
    if (result != OK || statement == NULL)
        return result == OK ? NOTHING : result;
    int code = bind_view(statement, 1, key);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW) {
        result = row_value(store, statement, space, &store->scratch, &value);
        *ret_moved = result == NOTHING;
        if (result == OK) {
            buffer_clear(ret);
            buffer_add_view(ret, value);
        }
    } else {
        result = code == SQLITE_DONE ? NOTHING : file_result(&store->file, code, "read");
    }
    (void)sqlite3_reset(statement);
    return result == NOTHING && *ret_moved ? AGAIN : result;
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
    enum result result = NOTHING;
    for (int tries = 0; tries < READ_TRIES; tries++) {
        bool moved = false;
        result = file_find(store, space, key, ret, &moved);
        if (!moved)
            break;
    }
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

/* In order of key, so that each page of the table is met once. */
static enum result write_space(struct store *store, uint8_t space)
{
    size_t count;
    struct overlay_place *places = overlay_sorted(&store->overlay, space, VIEW_NONE, VIEW_NONE, &count);
    enum result result = OK;
    for (size_t i = 0; i < count && result == OK; i++)
        result = row_write(store, places[i].entry);
    free(places);
    return result;
}

static enum result write_all(struct store *store)
{
    enum result result = OK;
    for (int space = 0; space < SPACES && result == OK; space++)
        if (store->overlay.newest[space] != NULL)
            result = file_make_space(&store->file, (uint8_t)space);
    if (result == OK)
        result = file_begin_write(&store->file);
    for (int space = 0; space < SPACES && result == OK; space++)
        if (store->overlay.newest[space] != NULL)
            result = write_space(store, (uint8_t)space);
    if (result == OK)
        result = values_write(&store->values);
    return result == OK ? file_commit(&store->file) : result;
}

/* After a commit. FATAL: nobody may believe the file any more. */
static enum result checkpoint(struct store *store)
{
    bool whole = false;
    enum result result = file_checkpoint(&store->file, &whole);
    if (whole)
        values_remove_doomed(&store->values);
    return result;
}

enum result store_commit(struct store *store, struct error *err)
{
    if (store->overlay.count == 0)
        return OK;
    enum result result = store_sweep(store);
    if (result == OK)
        result = write_all(store);
    if (result == OK) {
        values_committed(&store->values);
        overlay_clear(&store->overlay);
        if (file_checkpoint_is_due(&store->file) || store->values.doomed_bytes > DOOMED_BYTES_MOST)
            result = checkpoint(store);
    } else {
        file_rollback(&store->file);
        store->values.loaded = false; /* it says what was not committed */
    }
    if (result != OK && err != NULL)
        *err = store->file.why;
    return result;
}
