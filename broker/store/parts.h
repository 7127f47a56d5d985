/* What a store is made of. Private to the store. */
#pragma once

#include "broker/store/file.h"
#include "broker/store/overlay.h"
#include "broker/store/store.h"
#include "broker/store/values.h"

struct store {
    struct store_file file;
    struct overlay overlay;
    struct values values;
    unsigned made;         /* the file->made that values belong to */
    struct buffer scratch; /* a value that was read from a segment */
};

/* As store_find and store_put, of any space, ours included. */
enum result space_find(struct store *store, uint8_t space, struct view key, struct buffer *ret);
void space_put(struct store *store, uint8_t space, struct view key, struct view value);
enum result space_scan(struct store *store, uint8_t space, struct view from, struct view to,
                       bool (*each)(void *context, struct view key, struct view value), void *context);

/* ---- rows (row.c) ---- */

/* Begins to read, and leaves the files of a store that is no more. */
enum result row_begin_read(struct store *store);
/* The value of the row on which a find or scan statement stands; it lives in the statement or in scratch. NOTHING: the
 * owner has moved it meanwhile; look at the row again (readers only). */
enum result row_value(struct store *store, sqlite3_stmt *statement, uint8_t space, struct buffer *scratch,
                      struct view *ret);
/* Where the value under the key stands, of the owner's. NOTHING: no such row. */
enum result row_place(struct store *store, uint8_t space, struct view key, struct value_place *ret);
/* Writes the entry's row, and its value to a segment where it is large. */
enum result row_write(struct store *store, const struct overlay_entry *entry);

static inline int bind_view(sqlite3_stmt *statement, int at, struct view view)
{
    return sqlite3_bind_blob64(statement, at, view.size == 0 ? "" : view.data, view.size, SQLITE_STATIC);
}

static inline struct view column_view(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);
    return view_make(data == NULL ? "" : data, (size_t)sqlite3_column_bytes(statement, at));
}

/* Before a commit: lets what lives in crowded segments join it (sweep.c). */
enum result store_sweep(struct store *store);
