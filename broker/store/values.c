/* Segments of values: which there are, and how they are appended to. */
#include "broker/store/values.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

enum { WRITE_BYTES = 1024 * 1024 };
/* Segments grow with the store, so that there are about 64 of them and never thousands. */
enum { SEGMENT_LEAST = 1024 * 1024, SEGMENT_MOST = 64 * 1024 * 1024, SEGMENTS_OF_LIVE = 32 };

void values_open(struct values *values, struct store_file *file)
{
    *values = (struct values){.file = file};
}

void values_forget_all(struct values *values)
{
    for (size_t i = 0; i < values->count; i++)
        if (values->segments[i].fd >= 0)
            (void)close(values->segments[i].fd);
    free(values->segments);
    buffer_destroy(&values->pending);
    values->segments = NULL;
    values->count = 0;
    values->loaded = false;
}

void values_close(struct values *values)
{
    values_forget_all(values);
    free(values->doomed);
    values_open(values, values->file);
}

struct value_segment *values_find_segment(struct values *values, int64_t id)
{
    for (size_t i = values->count; i > 0; i--)
        if (values->segments[i - 1].id == id)
            return &values->segments[i - 1];
    return NULL;
}

struct value_segment *values_add(struct values *values, int64_t id)
{
    values->segments = memory_grow(values->segments, (values->count + 1) * sizeof *values->segments);
    struct value_segment *segment = &values->segments[values->count++];
    *segment = (struct value_segment){.id = id, .fd = -1};
    return segment;
}

enum result values_open_segment(struct values *values, struct value_segment *segment, int flags)
{
    if (segment->fd >= 0)
        return OK;
    char *path = values_path(values->file->path, segment->id);
    segment->fd = open(path, flags | O_CLOEXEC | O_NOFOLLOW, 0600);
    int why = errno;
    free(path);
    if (segment->fd >= 0)
        return OK;
    if (why == ENOENT)
        return values->file->read_only ? NOTHING : file_result(values->file, SQLITE_CORRUPT, "read");
    return file_system_result(values->file, why, "opened");
}

static enum result pending_write(struct values *values)
{
    if (values->pending.size == 0)
        return OK;
    struct value_segment *segment = &values->segments[values->count - 1];
    const uint8_t *from = values->pending.data;
    size_t left = values->pending.size;
    int64_t at = segment->bytes - (int64_t)left;
    while (left > 0) {
        ssize_t count = pwrite(segment->fd, from, left, at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return file_system_result(values->file, count < 0 ? errno : ENOSPC, "written");
        from += count;
        at += count;
        left -= (size_t)count;
    }
    buffer_clear(&values->pending);
    return OK;
}

static int64_t segment_limit(const struct values *values)
{
    int64_t live = 0;
    for (size_t i = 0; i < values->count; i++)
        live += values->segments[i].live;
    live /= SEGMENTS_OF_LIVE;
    return live < SEGMENT_LEAST ? SEGMENT_LEAST : live > SEGMENT_MOST ? SEGMENT_MOST : live;
}

/* The segment to append to, a new one where the last is full. */
static enum result segment_for_append(struct values *values, struct value_segment **ret)
{
    struct value_segment *last = values->count == 0 ? NULL : &values->segments[values->count - 1];
    if (last == NULL || last->bytes >= segment_limit(values)) {
        enum result result = pending_write(values);
        if (result != OK)
            return result;
        last = values_add(values, last == NULL ? 1 : last->id + 1);
        last->fresh = true;
    }
    *ret = last;
    return values_open_segment(values, last, last->fresh ? O_RDWR | O_CREAT | O_TRUNC : O_RDWR);
}

enum result values_append(struct values *values, uint8_t space, struct view key, struct view value,
                          struct value_place *ret)
{
    struct value_segment *segment = NULL;
    enum result result = segment_for_append(values, &segment);
    if (result != OK)
        return result;
    size_t begun = values->pending.size;
    uint8_t header[VALUE_HEADER] = {0};
    bytes_put_u32(header + 4, (uint32_t)value.size);
    header[8] = (uint8_t)(key.size >> 8);
    header[9] = (uint8_t)key.size;
    header[10] = space;
    buffer_add(&values->pending, header, sizeof header);
    buffer_add_view(&values->pending, key);
    buffer_add_view(&values->pending, value);
    uint8_t *record = values->pending.data + begun;
    size_t size = values->pending.size - begun;
    bytes_put_u32(record, bytes_crc32c(0, record + 4, size - 4));
    *ret = (struct value_place){.segment = segment->id, .at = segment->bytes, .size = (int64_t)size};
    segment->bytes += ret->size;
    segment->live += ret->size;
    segment->changed = true;
    return values->pending.size >= WRITE_BYTES ? pending_write(values) : OK;
}

void values_forget(struct values *values, const struct value_place *place)
{
    struct value_segment *segment = place->segment == 0 ? NULL : values_find_segment(values, place->segment);
    if (segment == NULL)
        return;
    segment->live -= place->size;
    segment->changed = true;
}

/* A new file's name is safe only when its folder is. */
static enum result sync_folder(struct values *values)
{
    const char *path = values->file->path, *slash = strrchr(path, '/');
    char *folder = slash == NULL ? memory_text(VIEW("."))
                                 : memory_text(view_make(path, slash == path ? 1 : (size_t)(slash - path)));
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    bool synced = fd >= 0 && fsync(fd) == 0;
    int why = errno;
    if (fd >= 0)
        (void)close(fd);
    free(folder);
    return synced ? OK : file_system_result(values->file, why, "synced");
}

enum result values_sync(struct values *values)
{
    bool made = false;
    enum result result = pending_write(values);
    for (size_t i = 0; i < values->count && result == OK; i++) {
        struct value_segment *segment = &values->segments[i];
        if (!segment->fresh && !(segment->changed && i + 1 == values->count))
            continue; /* only these were appended to */
        made = made || segment->fresh;
        if (segment->fd >= 0 && fdatasync(segment->fd) != 0)
            result = file_system_result(values->file, errno, "synced");
    }
    if (result == OK && made)
        result = sync_folder(values);
    return result;
}
