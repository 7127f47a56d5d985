/* A store's transaction, and the checkpoints that only its owner does. */
#include "broker/store/file.h"

#include "broker/base/memory.h"

#include <stdlib.h>

enum { CHECKPOINT_PAGES = 4096 }; /* of WAL: fewer would write a hot page many times, more would cost disk */

static enum result run(struct store_file *file, const char *sql, const char *doing)
{
    return file_result(file, sqlite3_exec(file->db, sql, NULL, NULL, NULL), doing);
}

static bool in_transaction(const struct store_file *file)
{
    return file->db != NULL && sqlite3_get_autocommit(file->db) == 0;
}

static enum result reopen(struct store_file *file)
{
    struct store_file fresh;
    enum result result = file_open_read_only(&fresh, file->path, &file->why);
    if (result != OK)
        return result == NOTHING ? AGAIN : result;
    fresh.made = file->made + 1;
    file_close(file);
    *file = fresh;
    return OK;
}

enum result file_begin_read(struct store_file *file)
{
    if (!file->read_only)
        return in_transaction(file) ? OK : run(file, "BEGIN", "read");
    int moved = 0;
    if (file->scans == 0 && sqlite3_file_control(file->db, "main", SQLITE_FCNTL_HAS_MOVED, &moved) == SQLITE_OK &&
        moved != 0)
        return reopen(file);
    return OK;
}

enum result file_begin_write(struct store_file *file)
{
    return in_transaction(file) ? OK : run(file, "BEGIN", "written");
}

void file_rollback(struct store_file *file)
{
    if (in_transaction(file)) /* some failures have rolled back already */
        (void)sqlite3_exec(file->db, "ROLLBACK", NULL, NULL, NULL);
}

enum result file_commit(struct store_file *file)
{
    return run(file, "COMMIT", "committed");
}

bool file_checkpoint_is_due(const struct store_file *file)
{
    return file->wal_pages >= CHECKPOINT_PAGES;
}

enum result file_checkpoint(struct store_file *file, bool *ret_whole)
{
    int pages = 0, moved = 0;
    int code = sqlite3_wal_checkpoint_v2(file->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &pages, &moved);
    enum result result = file_result(file, code, "checkpointed");
    *ret_whole = result == OK && pages == moved;
    return file->damaged ? result : OK;
}
