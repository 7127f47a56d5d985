/* Scans: what stands in the file and what was written since, merged in order of key. */
#include "broker/store/parts.h"

#include <stdlib.h>

enum { RESTARTS_MOST = 16 };

/* Merged rather than written out first: a scan then costs no write, and a commit stays one sorted pass. */
struct scan {
    struct overlay_place *places;
    size_t count, next;
    sqlite3_stmt *statement;
    int code; /* of the last step: SQLITE_ROW while there is a row */
    struct view to;
    struct view key;       /* of the row */
    struct buffer scratch; /* for its value */
    struct buffer from;    /* the key from which it was begun again */
    int restarts;          /* without getting on */
};

static void step(struct scan *scan)
{
    if (scan->statement == NULL) {
        scan->code = SQLITE_DONE;
        return;
    }
    scan->code = sqlite3_step(scan->statement);
    if (scan->code != SQLITE_ROW)
        return;
    scan->key = column_view(scan->statement, 0);
    if (scan->to.data != NULL && view_compare(scan->key, scan->to) >= 0)
        scan->code = SQLITE_DONE;
}

/* A reader met a row whose value the owner has moved since: the rows from here on are read as they stand now. */
static enum result begin_again(struct store *store, struct scan *scan)
{
    if (++scan->restarts > RESTARTS_MOST)
        return error_set(&store->file.why, AGAIN, "the store %s changes faster than it can be read", store->file.path);
    buffer_clear(&scan->from);
    buffer_add_view(&scan->from, scan->key);
    (void)sqlite3_reset(scan->statement);
    enum result result = file_result(&store->file, bind_view(scan->statement, 1, buffer_view(&scan->from)), "read");
    if (result == OK)
        step(scan);
    return result;
}

static enum result merge(struct store *store, uint8_t space, struct scan *scan,
                         bool (*each)(void *context, struct view key, struct view value), void *context)
{
    bool more = true;
    struct view value;
    step(scan);
    while (more && (scan->code == SQLITE_ROW || (scan->code == SQLITE_DONE && scan->next < scan->count))) {
        const struct overlay_entry *written = scan->next < scan->count ? scan->places[scan->next].entry : NULL;
        int order = written == NULL ? -1 : scan->code != SQLITE_ROW ? 1 : view_compare(scan->key, overlay_key(written));
        if (order < 0) {
            enum result result = row_value(store, scan->statement, space, &scan->scratch, &value);
            if (result == NOTHING) {
                result = begin_again(store, scan);
                if (result == OK)
                    continue;
            }
            if (result != OK)
                return result;
            scan->restarts = 0;
            more = each(context, scan->key, value);
        } else {
            scan->next++;
            if (!written->removed)
                more = each(context, overlay_key(written), overlay_value(written));
        }
        if (more && order <= 0)
            step(scan); /* also past a row that was written over or removed */
    }
    return scan->code == SQLITE_ROW ? OK : file_result(&store->file, scan->code, "read");
}

enum result space_scan(struct store *store, uint8_t space, struct view from, struct view to,
                       bool (*each)(void *context, struct view key, struct view value), void *context)
{
    struct scan scan = {.to = to};
    enum result result = row_begin_read(store);
    if (result == OK)
        result = file_scan_statement(&store->file, space, &scan.statement);
    if (result != OK)
        return result;
    if (scan.statement != NULL)
        result = file_result(&store->file, bind_view(scan.statement, 1, from), "read");
    if (result != OK)
        goto out;
    scan.places = overlay_sorted(&store->overlay, space, from, to, &scan.count);
    store->file.scans++;
    result = merge(store, space, &scan, each, context);
    store->file.scans--;
out:
    if (scan.statement != NULL)
        file_scan_done(&store->file, space, scan.statement);
    free(scan.places);
    buffer_destroy(&scan.scratch);
    buffer_destroy(&scan.from);
    return result;
}

enum result store_scan(struct store *store, char space, struct view from, struct view to,
                       bool (*each)(void *context, struct view key, struct view value), void *context)
{
    return space_scan(store, (uint8_t)space, from, to, each, context);
}
