/* Segments of values, read: one record where a row says, or all of them in order. */
#include "broker/store/values.h"

#include "broker/base/bytes.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

enum { READ_BYTES = 1024 * 1024, READER_SEGMENTS = 64 };

static bool record_is_whole(const uint8_t *record, size_t size)
{
    return bytes_get_u32(record) == bytes_crc32c(0, record + 4, size - 4);
}

static size_t record_key_size(const uint8_t *record)
{
    return (size_t)record[8] << 8 | record[9];
}

static size_t record_size(const uint8_t *record)
{
    return VALUE_HEADER + record_key_size(record) + bytes_get_u32(record + 4);
}

/* False: not that many bytes there. */
static bool read_at(int fd, void *ret, size_t size, int64_t at)
{
    uint8_t *to = ret;
    while (size > 0) {
        ssize_t count = pread(fd, to, size, at);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return false;
        to += count;
        at += count;
        size -= (size_t)count;
    }
    return true;
}

static enum result segment_for_read(struct values *values, int64_t id, struct value_segment **ret)
{
    *ret = values_find_segment(values, id);
    if (*ret == NULL && !values->file->read_only)
        return file_result(values->file, SQLITE_CORRUPT, "read");
    if (*ret == NULL) {
        if (values->count == READER_SEGMENTS)
            values_forget_all(values); /* the owner may have removed some: let their bytes go */
        *ret = values_add(values, id);
    }
    return values_open_segment(values, *ret, values->file->read_only ? O_RDONLY : O_RDWR);
}

enum result values_read(struct values *values, const struct value_place *place, uint8_t space, struct view key,
                        struct buffer *scratch, struct view *ret)
{
    struct value_segment *segment = NULL;
    enum result result = values->file->read_only ? OK : values_load(values);
    if (result == OK)
        result = segment_for_read(values, place->segment, &segment);
    if (result != OK)
        return result;
    size_t size = (size_t)place->size;
    if (place->size < VALUE_HEADER || place->size > INT32_MAX || place->at < 0)
        return file_result(values->file, SQLITE_CORRUPT, "read");
    buffer_clear(scratch);
    buffer_reserve(scratch, size);
    const uint8_t *record = scratch->data;
    if (!read_at(segment->fd, scratch->data, size, place->at) || record[10] != space ||
        record_key_size(record) != key.size || record_size(record) != size ||
        !view_is(view_make(record + VALUE_HEADER, key.size), key) || !record_is_whole(record, size))
        return file_result(values->file, SQLITE_CORRUPT, "read");
    scratch->size = size;
    *ret = view_make(record + VALUE_HEADER + key.size, size - VALUE_HEADER - key.size);
    return OK;
}

/* What was read of a segment ahead of where the walk is. */
struct window {
    struct buffer bytes;
    size_t used;
    int64_t read_to;
};

/* Reads on until size bytes stand in the window. */
static enum result window_fill(struct values *values, const struct value_segment *segment, struct window *window,
                               size_t size)
{
    if (window->bytes.size - window->used >= size)
        return OK;
    buffer_remove_front(&window->bytes, window->used);
    window->used = 0;
    int64_t more = (int64_t)size + READ_BYTES;
    if (more > segment->bytes - window->read_to)
        more = segment->bytes - window->read_to;
    buffer_reserve(&window->bytes, (size_t)more);
    if (!read_at(segment->fd, window->bytes.data + window->bytes.size, (size_t)more, window->read_to))
        return file_result(values->file, SQLITE_CORRUPT, "read");
    window->bytes.size += (size_t)more;
    window->read_to += more;
    return window->bytes.size >= size ? OK : file_result(values->file, SQLITE_CORRUPT, "read");
}

enum result values_each(struct values *values, struct value_segment *segment,
                        enum result (*each)(void *context, uint8_t space, struct view key, struct view value,
                                            const struct value_place *place),
                        void *context)
{
    struct window window = {0};
    struct value_place place = {.segment = segment->id};
    enum result result = values_open_segment(values, segment, O_RDWR);
    while (result == OK && place.at < segment->bytes) {
        result = window_fill(values, segment, &window, VALUE_HEADER);
        if (result != OK)
            break;
        size_t size = record_size(window.bytes.data + window.used);
        result = window_fill(values, segment, &window, size);
        if (result != OK)
            break;
        const uint8_t *record = window.bytes.data + window.used;
        size_t key_size = record_key_size(record);
        if (!record_is_whole(record, size)) {
            result = file_result(values->file, SQLITE_CORRUPT, "read");
            break;
        }
        place.size = (int64_t)size;
        result = each(context, record[10], view_make(record + VALUE_HEADER, key_size),
                      view_make(record + VALUE_HEADER + key_size, size - VALUE_HEADER - key_size), &place);
        place.at += place.size;
        window.used += size;
    }
    buffer_destroy(&window.bytes);
    return result;
}
