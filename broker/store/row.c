/* A row of a space's table: where its value stands, and how it is written. */
#include "broker/store/parts.h"

/* Columns of the find and scan statements, and parameters of the put statement (from 1). */
enum { KEY, VALUE, SEGMENT, AT, SIZE };

enum result row_begin_read(struct store *store)
{
    enum result result = file_begin_read(&store->file);
    if (store->made != store->file.made) {
        values_forget_all(&store->values);
        store->made = store->file.made;
    }
    return result;
}

static struct value_place place_of(sqlite3_stmt *statement)
{
    return (struct value_place){.segment = sqlite3_column_int64(statement, SEGMENT),
                                .at = sqlite3_column_int64(statement, AT),
                                .size = sqlite3_column_int64(statement, SIZE)};
}

enum result row_value(struct store *store, sqlite3_stmt *statement, uint8_t space, struct buffer *scratch,
                      struct view *ret)
{
    struct value_place place = place_of(statement);
    if (place.segment != 0)
        return values_read(&store->values, &place, space, column_view(statement, KEY), scratch, ret);
    *ret = column_view(statement, VALUE);
    return OK;
}

enum result row_place(struct store *store, uint8_t space, struct view key, struct value_place *ret)
{
    sqlite3_stmt *statement = NULL;
    enum result result = file_begin_read(&store->file);
    if (result == OK)
        result = file_find_statement(&store->file, space, &statement);
    if (result != OK || statement == NULL)
        return result == OK ? NOTHING : result;
    int code = bind_view(statement, 1, key);
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret = place_of(statement);
    else
        result = code == SQLITE_DONE ? NOTHING : file_result(&store->file, code, "read");
    (void)sqlite3_reset(statement);
    return result;
}

static enum result row_remove(struct store *store, const struct overlay_entry *entry)
{
    sqlite3_stmt *statement = NULL;
    enum result result = file_remove_statement(&store->file, entry->space, &statement);
    if (result != OK)
        return result;
    int code = bind_view(statement, 1, overlay_key(entry));
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    return file_result(&store->file, code, "written");
}

static enum result row_put(struct store *store, const struct overlay_entry *entry)
{
    sqlite3_stmt *statement = NULL;
    struct value_place place = {0};
    enum result result = file_put_statement(&store->file, entry->space, &statement);
    if (result == OK && entry->value_size > VALUE_INSIDE_MOST && entry->key_size <= VALUE_KEY_MOST)
        result = values_append(&store->values, entry->space, overlay_key(entry), overlay_value(entry), &place);
    if (result != OK)
        return result;
    int code = bind_view(statement, 1 + KEY, overlay_key(entry));
    if (code == SQLITE_OK && place.segment == 0)
        code = bind_view(statement, 1 + VALUE, overlay_value(entry));
    if (code == SQLITE_OK && place.segment != 0) {
        code = sqlite3_bind_int64(statement, 1 + SEGMENT, place.segment);
        (void)sqlite3_bind_int64(statement, 1 + AT, place.at);
        (void)sqlite3_bind_int64(statement, 1 + SIZE, place.size);
    }
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    (void)sqlite3_reset(statement);
    (void)sqlite3_clear_bindings(statement);
    return file_result(&store->file, code, "written");
}

enum result row_write(struct store *store, const struct overlay_entry *entry)
{
    struct value_place before;
    enum result result = row_place(store, entry->space, overlay_key(entry), &before);
    if (result == OK)
        values_forget(&store->values, &before);
    else if (result != NOTHING)
        return result;
    return entry->removed ? row_remove(store, entry) : row_put(store, entry);
}
