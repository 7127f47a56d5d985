/* What a store is made of. Private to the store. */
#pragma once

#include "broker/store/file.h"
#include "broker/store/overlay.h"
#include "broker/store/store.h"

struct store {
    struct store_file file;
    struct overlay overlay;
};

/* As store_find and store_put, of any space, ours included. */
enum result space_find(struct store *store, uint8_t space, struct view key, struct buffer *ret);
void space_put(struct store *store, uint8_t space, struct view key, struct view value);
enum result space_scan(struct store *store, uint8_t space, struct view from, struct view to,
                       bool (*each)(void *context, struct view key, struct view value), void *context);

static inline int bind_view(sqlite3_stmt *statement, int at, struct view view)
{
    return sqlite3_bind_blob64(statement, at, view.size == 0 ? "" : view.data, view.size, SQLITE_STATIC);
}

static inline struct view column_view(sqlite3_stmt *statement, int at)
{
    const void *data = sqlite3_column_blob(statement, at);
    return view_make(data == NULL ? "" : data, (size_t)sqlite3_column_bytes(statement, at));
}
