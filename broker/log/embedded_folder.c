/* The embedded log's folder. */
#include "broker/log/embedded_folder.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"
#include "broker/log/segment_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 4096, TEXT_SIZE = 64, IDENTITY_BYTES = 16 };

static enum result folder_make(const char *folder, struct error *err)
{
    if (mkdir(folder, 0700) != 0 && errno != EEXIST)
        return error_set(err, REJECTED, "%.150s cannot be made: %s", folder, strerror(errno));
    return OK;
}

enum result embedded_folder_own(const char *log_folder, int *ret_lock, struct error *err)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/lock", log_folder) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    char *end = strrchr(path, '/'); /* of "/lock"; then of "/log" */
    *end = '\0';
    char *parent_end = strrchr(path, '/');
    *parent_end = '\0';
    enum result result = folder_make(path, err);
    *parent_end = '/';
    if (result == OK)
        result = folder_make(path, err);
    *end = '/';
    if (result != OK)
        return result;
    int lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return error_set(err, REJECTED, "%.150s: %s", path, strerror(errno));
    if (flock(lock, LOCK_EX | LOCK_NB) != 0) {
        result = errno == EWOULDBLOCK
                     ? error_set(err, REJECTED, "another tidings is running on %.150s: stop it, or use another --data",
                                 log_folder)
                     : error_set(err, REJECTED, "%.150s cannot be locked: %s", path, strerror(errno));
        (void)close(lock);
        return result;
    }
    *ret_lock = lock;
    return OK;
}

/* The whole of a small text file, without its line's end. NOTHING: no such file. */
static enum result text_read(const char *folder, const char *name, char ret[TEXT_SIZE], struct error *err)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    int file = open(path, O_RDONLY | O_CLOEXEC);
    if (file < 0 && errno == ENOENT)
        return NOTHING;
    ssize_t size = file < 0 ? -1 : read(file, ret, TEXT_SIZE - 1);
    int why = errno;
    if (file >= 0)
        (void)close(file);
    if (size < 0)
        return error_set(err, FATAL, "%.150s: %s", path, strerror(why));
    ret[size] = '\0';
    ret[strcspn(ret, "\n")] = '\0';
    return OK;
}

/* Whole or not at all, and durable. */
static enum result text_write(const char *folder, const char *name, const char *text, struct error *err)
{
    char path[PATH_SIZE], fresh[PATH_SIZE + 8], line[TEXT_SIZE + 1];
    if (snprintf(path, sizeof path, "%s/%s", folder, name) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    (void)snprintf(fresh, sizeof fresh, "%s.new", path);
    int size = snprintf(line, sizeof line, "%s\n", text);
    int file = open(fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    bool done = file >= 0 && write(file, line, (size_t)size) == size && fsync(file) == 0;
    if (file >= 0)
        (void)close(file);
    if (!done || rename(fresh, path) != 0 || segment_folder_sync(folder) != 0)
        return error_set(err, REJECTED, "%.150s cannot be written: %s", path, strerror(errno));
    return OK;
}

/* The identity comes last: with it the log is made. */
static enum result folder_found(const char *folder, int32_t partitions, char *ret_identity, struct error *err)
{
    uint8_t bytes[IDENTITY_BYTES];
    char text[TEXT_SIZE];
    struct buffer hex = {0};
    if (getrandom(bytes, sizeof bytes, 0) != (ssize_t)sizeof bytes)
        return error_set(err, FATAL, "no random bytes: %s", strerror(errno));
    bytes_add_hex(&hex, VIEW_OF(bytes));
    memcpy(text, hex.data, IDENTITY_TEXT_SIZE - 1);
    text[IDENTITY_TEXT_SIZE - 1] = '\0';
    memcpy(ret_identity, text, IDENTITY_TEXT_SIZE);
    buffer_destroy(&hex);
    (void)snprintf(text, sizeof text, "%d", (int)partitions);
    enum result result = text_write(folder, "partitions", text, err);
    return result == OK ? text_write(folder, "identity", ret_identity, err) : result;
}

enum result embedded_folder_read(const char *log_folder, int32_t asked, bool may_make,
                                 char ret_identity[IDENTITY_TEXT_SIZE], int32_t *ret_partitions, struct error *err)
{
    char identity[TEXT_SIZE], text[TEXT_SIZE];
    int64_t partitions;
    if (asked < 0 || asked > LIMIT_PARTITIONS)
        return error_set(err, REJECTED, "--partitions %d: at most %d", (int)asked, LIMIT_PARTITIONS);
    enum result result = text_read(log_folder, "identity", identity, err);
    if (result == NOTHING && !may_make)
        return error_set(err, REJECTED, "there is no log in %.150s", log_folder);
    if (result == NOTHING) {
        *ret_partitions = asked == 0 ? DEFAULT_PARTITIONS : asked;
        return folder_found(log_folder, *ret_partitions, ret_identity, err);
    }
    if (result != OK)
        return result;
    result = text_read(log_folder, "partitions", text, err);
    if (result == FATAL || result == REJECTED)
        return result;
    if (result != OK || strlen(identity) != IDENTITY_TEXT_SIZE - 1 ||
        !view_to_number(view_of_text(text), &partitions) || partitions < 1 || partitions > LIMIT_PARTITIONS)
        return error_set(err, FATAL,
                         "%.150s: identity and partitions are not as they were made: restore them from a copy",
                         log_folder);
    if (asked != 0 && asked != partitions)
        return error_set(err, REJECTED,
                         "--partitions %d: this log has %d, and the number is final for the life of a log", (int)asked,
                         (int)partitions);
    memcpy(ret_identity, identity, IDENTITY_TEXT_SIZE);
    *ret_partitions = (int32_t)partitions;
    return OK;
}
