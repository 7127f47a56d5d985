/* The region's secret as a file: made once, whole or not at all, and opened only where nobody else can read it. */
#include "broker/vault/keys.h"

#include "broker/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define FORM "tidings-region-key-1 "

enum {
    FORM_SIZE = sizeof FORM - 1,
    SECRET_TEXT_SIZE = (REGION_SECRET_SIZE * 4 + 2) / 3,
    FILE_SIZE = FORM_SIZE + SECRET_TEXT_SIZE + 1,
};

struct key_file {
    uint8_t secret[REGION_SECRET_SIZE];
    char text[FILE_SIZE + 1];
};

static bool write_whole(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, text, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        text += count;
        size -= (size_t)count;
    }
    return fsync(fd) == 0;
}

static bool read_whole(int fd, char *ret, size_t size)
{
    while (size > 0) {
        ssize_t count = read(fd, ret, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        ret += count;
        size -= (size_t)count;
    }
    return true;
}

static bool sync_folder_of(const char *path)
{
    const char *slash = strrchr(path, '/');
    char *folder = slash == NULL ? memory_text(VIEW("."))
                                 : memory_text(view_make(path, slash == path ? 1 : (size_t)(slash - path)));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return synced;
}

/* Written beside its place and then linked to it, so that a process killed half-way leaves no half a key there. */
static enum result write_new(const char *path, const char *text, struct error *err)
{
    enum result result = OK;
    bool made = false;
    unsigned char suffix[8];
    char hex[2 * sizeof suffix + 1];
    randombytes_buf(suffix, sizeof suffix);
    size_t draft_size = strlen(path) + sizeof hex + sizeof "..new";
    char *draft = memory_take(draft_size);
    (void)snprintf(draft, draft_size, "%s.%s.new", path, sodium_bin2hex(hex, sizeof hex, suffix, sizeof suffix));

    int fd = open(draft, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0 || !write_whole(fd, text, FILE_SIZE)) {
        result = error_set(err, AGAIN, "the region key %s cannot be written: %s", path, strerror(errno));
        goto out;
    }
    if (link(draft, path) != 0) {
        result = errno == EEXIST
                     ? error_set(err, REJECTED,
                                 "there is a region key at %s already; it is never replaced, since every "
                                 "patientRef hangs on it",
                                 path)
                     : error_set(err, AGAIN, "the region key %s cannot be put in place: %s", path, strerror(errno));
        goto out;
    }
    made = true;
out:
    if (fd >= 0) {
        (void)close(fd);
        (void)unlink(draft);
    }
    if (made && !sync_folder_of(path))
        result = error_set(err, FATAL, "the folder of the region key %s cannot be synced: %s", path, strerror(errno));
    free(draft);
    return result;
}

enum result region_key_create(const char *path, struct error *err)
{
    struct key_file *file = secret_take(sizeof *file, NULL);
    randombytes_buf(file->secret, sizeof file->secret);
    memcpy(file->text, FORM, FORM_SIZE);
    (void)sodium_bin2base64(file->text + FORM_SIZE, SECRET_TEXT_SIZE + 1, file->secret, sizeof file->secret,
                            sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    file->text[FILE_SIZE - 1] = '\n';
    enum result result = write_new(path, file->text, err);
    sodium_free(file);
    return result;
}

static enum result check_who_may_read(const char *path, int fd, struct error *err)
{
    struct stat facts;
    if (fstat(fd, &facts) != 0)
        return error_set(err, REJECTED, "the region key %s cannot be looked at: %s", path, strerror(errno));
    if (!S_ISREG(facts.st_mode))
        return error_set(err, REJECTED, "the region key %s is not a file", path);
    if (facts.st_uid != geteuid())
        return error_set(err, REJECTED,
                         "the region key %s belongs to user %lu, not to the user %lu who runs this: chown it", path,
                         (unsigned long)facts.st_uid, (unsigned long)geteuid());
    if ((facts.st_mode & 077) != 0)
        return error_set(err, REJECTED,
                         "the region key %s can be read by others (mode %03o): chmod 600 it, and ask who has read it",
                         path, (unsigned)(facts.st_mode & 0777));
    if (facts.st_size != FILE_SIZE)
        return error_set(err, REJECTED, "the region key %s is %lld bytes long and not %d: copy it again, whole", path,
                         (long long)facts.st_size, (int)FILE_SIZE);
    return OK;
}

enum result region_key_read(const char *path, uint8_t ret[REGION_SECRET_SIZE], struct error *err)
{
    enum result result = OK;
    struct key_file *file = secret_take(sizeof *file, NULL);
    size_t size = 0;

    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0) {
        result = errno == ENOENT
                     ? error_set(err, REJECTED,
                                 "there is no region key at %s: copy it from the machine that made this log", path)
                     : error_set(err, REJECTED, "the region key %s cannot be opened: %s", path, strerror(errno));
        goto out;
    }
    result = check_who_may_read(path, fd, err);
    if (result != OK)
        goto out;
    if (!read_whole(fd, file->text, FILE_SIZE)) {
        result = error_set(err, REJECTED, "the region key %s cannot be read: %s", path, strerror(errno));
        goto out;
    }
    if (memcmp(file->text, FORM, FORM_SIZE) != 0 || file->text[FILE_SIZE - 1] != '\n' ||
        sodium_base642bin(file->secret, sizeof file->secret, file->text + FORM_SIZE, SECRET_TEXT_SIZE, NULL, &size,
                          NULL, sodium_base64_VARIANT_URLSAFE_NO_PADDING) != 0 ||
        size != sizeof file->secret) {
        result = error_set(err, REJECTED, "%s is not a region key (\"" FORM "\" and %d characters): copy it again",
                           path, (int)SECRET_TEXT_SIZE);
        goto out;
    }
    memcpy(ret, file->secret, sizeof file->secret);
out:
    if (fd >= 0)
        (void)close(fd);
    sodium_free(file);
    return result;
}
