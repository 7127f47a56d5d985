/* Segment files: "00000000000000000000.segment", a header of 32 bytes, then frames. */
#include "broker/log/segment_files.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"
#include "broker/log/segment_stream.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { AT_MAGIC = 0, AT_FIRST = 8, AT_ORDINAL = 16, AT_CHECKSUM = 24, NAME_DIGITS = 20, PATH_SIZE = 4096 };

static const char magic[8] = {'T', 'D', 'S', 'E', 'G', 'M', 'T', '1'};
static const char ending[] = ".segment";

static bool path_of(char *ret, const char *folder, int64_t first)
{
    return snprintf(ret, PATH_SIZE, "%s/%020lld%s", folder, (long long)first, ending) < PATH_SIZE;
}

static void header_write(uint8_t *header, int64_t first, int64_t ordinal)
{
    memset(header, 0, SEGMENT_FILE_HEADER);
    memcpy(header + AT_MAGIC, magic, sizeof magic);
    bytes_put_u64(header + AT_FIRST, (uint64_t)first);
    bytes_put_u64(header + AT_ORDINAL, (uint64_t)ordinal);
    bytes_put_u32(header + AT_CHECKSUM, bytes_crc32c(0, header, AT_CHECKSUM));
}

/* The ordinal, or -1 when the header is not whole. */
static int64_t header_read(int file, int64_t first)
{
    uint8_t header[SEGMENT_FILE_HEADER];
    if (pread(file, header, sizeof header, 0) != (ssize_t)sizeof header || memcmp(header, magic, sizeof magic) != 0 ||
        bytes_get_u64(header + AT_FIRST) != (uint64_t)first ||
        bytes_get_u32(header + AT_CHECKSUM) != bytes_crc32c(0, header, AT_CHECKSUM))
        return -1;
    return (int64_t)bytes_get_u64(header + AT_ORDINAL);
}

int segment_folder_sync(const char *folder)
{
    int file = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return -1;
    int failed = fsync(file);
    (void)close(file);
    return failed;
}

int segment_file_open(const char *folder, int64_t first, bool read_only)
{
    char path[PATH_SIZE];
    if (!path_of(path, folder, first)) {
        errno = ENAMETOOLONG;
        return -1;
    }
    int file = open(path, (read_only ? O_RDONLY : O_RDWR) | O_CLOEXEC);
    if (file >= 0 && header_read(file, first) < 0) {
        (void)close(file);
        errno = EBADMSG;
        return -1;
    }
    return file;
}

enum result segment_file_make(const char *folder, int64_t first, int64_t ordinal, int *ret_file, struct error *err)
{
    char path[PATH_SIZE];
    uint8_t header[SEGMENT_FILE_HEADER];
    if (!path_of(path, folder, first))
        return error_set(err, REJECTED, "the data folder's name is too long");
    header_write(header, first, ordinal);
    int file = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (file < 0)
        return error_set(err, AGAIN, "a new segment cannot be made: %s", strerror(errno));
    errno = ENOSPC; /* what a short write means */
    if (pwrite(file, header, sizeof header, 0) != (ssize_t)sizeof header || fdatasync(file) != 0 ||
        segment_folder_sync(folder) != 0) {
        enum result result = error_set(err, AGAIN, "a new segment cannot be written: %s", strerror(errno));
        (void)close(file);
        if (unlink(path) != 0)
            return error_set(err, FATAL, "a half-made segment cannot be removed: %s", strerror(errno));
        return result;
    }
    *ret_file = file;
    return OK;
}

enum result segment_file_remove(const char *folder, int64_t first, struct error *err)
{
    char path[PATH_SIZE];
    if (!path_of(path, folder, first) || unlink(path) != 0 || segment_folder_sync(folder) != 0)
        return error_set(err, FATAL, "a half-made segment cannot be removed: %s", strerror(errno));
    return OK;
}

/* The address in a file's name. False: not a segment's name. */
static bool name_read(const char *name, int64_t *ret)
{
    uint64_t number = 0;
    if (strlen(name) != NAME_DIGITS + sizeof ending - 1 || strcmp(name + NAME_DIGITS, ending) != 0)
        return false;
    for (int i = 0; i < NAME_DIGITS; i++) {
        if (name[i] < '0' || name[i] > '9' || number > INT64_MAX / 10)
            return false;
        number = number * 10 + (uint64_t)(name[i] - '0');
    }
    *ret = (int64_t)number;
    return number <= INT64_MAX;
}

static int by_address(const void *a, const void *b)
{
    const struct segment_file *left = a, *right = b;
    return (left->first > right->first) - (left->first < right->first);
}

static enum result file_look(const char *folder, struct segment_file *segment, struct error *err)
{
    char path[PATH_SIZE];
    struct stat facts;
    int file = path_of(path, folder, segment->first) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
    if (file < 0 || fstat(file, &facts) != 0) {
        enum result result =
            error_set(err, FATAL, "segment %lld cannot be read: %s", (long long)segment->first, strerror(errno));
        if (file >= 0)
            (void)close(file);
        return result;
    }
    segment->ordinal = header_read(file, segment->first);
    segment->bytes = facts.st_size < SEGMENT_FILE_HEADER ? 0 : facts.st_size - SEGMENT_FILE_HEADER;
    (void)close(file);
    return OK;
}

/* Each begins where the one before it ends; only the last may have been interrupted while it was made. */
static enum result files_check(const struct segment_file *files, size_t count, struct error *err)
{
    for (size_t i = 0; i < count; i++) {
        if (files[i].ordinal < 0 && (i + 1 < count || files[i].bytes > 0))
            return error_set(err, FATAL, "segment %lld does not begin as a segment does: restore it from a copy",
                             (long long)files[i].first);
        if (i + 1 < count && files[i].first + files[i].bytes != files[i + 1].first)
            return error_set(err, FATAL, "the log has a gap: segment %lld ends at %lld, and the next begins at %lld",
                             (long long)files[i].first, (long long)(files[i].first + files[i].bytes),
                             (long long)files[i + 1].first);
    }
    return OK;
}

enum result segment_files_list(const char *folder, struct segment_file **ret, size_t *ret_count, struct error *err)
{
    struct segment_file *files = NULL;
    size_t count = 0;
    enum result result = OK;
    DIR *entries = opendir(folder);
    if (entries == NULL)
        return error_set(err, FATAL, "%.150s: %s", folder, strerror(errno));
    for (struct dirent *entry = readdir(entries); entry != NULL; entry = readdir(entries)) {
        struct segment_file segment = {0};
        if (!name_read(entry->d_name, &segment.first))
            continue;
        if ((count & (count - 1)) == 0)
            files = memory_grow(files, (count == 0 ? 1 : 2 * count) * sizeof *files);
        files[count++] = segment;
    }
    if (count > 0)
        qsort(files, count, sizeof *files, by_address);
    /* Sizes only when all names are known: beside an owner that appends, what has a follower no longer grows. */
    for (size_t i = 0; i < count && result == OK; i++)
        result = file_look(folder, &files[i], err);
    if (result != OK)
        goto out;
    result = files_check(files, count, err);
    if (result != OK)
        goto out;
    *ret = files;
    *ret_count = count;
    files = NULL;
out:
    free(files);
    (void)closedir(entries);
    return result;
}
