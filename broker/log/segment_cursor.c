/* Cursors: frames by address. */
#include "broker/log/segment_cursor.h"

#include <errno.h>
#include <unistd.h>

void segment_cursor_start(struct segment_cursor *cursor, struct segment_stream *stream, size_t ahead)
{
    *cursor = (struct segment_cursor){.stream = stream, .ahead = ahead, .file = -1};
}

void segment_cursor_stop(struct segment_cursor *cursor)
{
    if (cursor->file >= 0)
        (void)close(cursor->file);
    cursor->file = -1;
    buffer_destroy(&cursor->window);
}

void segment_cursor_forget(struct segment_cursor *cursor)
{
    buffer_clear(&cursor->window);
}

/* Opens the file that holds address, unless it is open. */
static enum result file_choose(struct segment_cursor *cursor, int64_t address, struct error *err)
{
    int64_t first;
    if (cursor->file >= 0 && address >= cursor->file_first && address < cursor->file_next &&
        cursor->file_next != INT64_MAX)
        return OK;
    segment_stream_find(cursor->stream, address, &first,
                        &cursor->file_next); /* the last file may have a follower now */
    if (cursor->file >= 0 && first == cursor->file_first)
        return OK;
    if (cursor->file >= 0)
        (void)close(cursor->file);
    cursor->file_first = first;
    cursor->file = segment_stream_open_file(cursor->stream, first);
    if (cursor->file < 0)
        return error_set(err, FATAL, "the segment that begins at %lld cannot be opened: %s", (long long)first,
                         strerror(errno));
    return OK;
}

/* Makes the window begin at address, with at least `least` bytes where there are as many below limit. */
static enum result window_read(struct segment_cursor *cursor, int64_t address, int64_t limit, size_t least,
                               struct error *err)
{
    buffer_clear(&cursor->window);
    enum result result = file_choose(cursor, address, err);
    if (result != OK)
        return result;
    if (limit > cursor->file_next)
        limit = cursor->file_next;
    size_t want = least > cursor->ahead ? least : cursor->ahead;
    if ((int64_t)want > limit - address)
        want = (size_t)(limit - address);
    buffer_reserve(&cursor->window, want);
    cursor->window_address = address;
    while (cursor->window.size < want) {
        off_t at = (off_t)(SEGMENT_FILE_HEADER + address - cursor->file_first + (int64_t)cursor->window.size);
        ssize_t got = pread(cursor->file, cursor->window.data + cursor->window.size, want - cursor->window.size, at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return error_set(err, FATAL, "the log cannot be read at position %lld: %s", (long long)address,
                             strerror(errno));
        if (got == 0)
            break;
        cursor->window.size += (size_t)got;
    }
    return OK;
}

static struct view window_from(const struct segment_cursor *cursor, int64_t address)
{
    int64_t into = address - cursor->window_address;
    if (into < 0 || into >= (int64_t)cursor->window.size)
        return view_make("", 0);
    return view_after(buffer_view(&cursor->window), (size_t)into);
}

static enum result as_result(enum frame_check check)
{
    switch (check) {
    case FRAME_WHOLE:
        return OK;
    case FRAME_NONE:
        return NOTHING;
    case FRAME_SHORT:
    case FRAME_DAMAGED:
        return REJECTED;
    }
    return REJECTED;
}

enum result segment_cursor_look(struct segment_cursor *cursor, int64_t address, int64_t limit, bool may_read,
                                struct segment_frame *ret, struct error *err)
{
    enum frame_check check = segment_frame_check(window_from(cursor, address), address, ret);
    /* Twice: the header says how much the frame needs. */
    for (int i = 0; i < 2 && check == FRAME_SHORT; i++) {
        if ((int64_t)ret->size > limit - address)
            return REJECTED;
        if (!may_read)
            return AGAIN;
        enum result result = window_read(cursor, address, limit, ret->size, err);
        if (result != OK)
            return result;
        check = segment_frame_check(window_from(cursor, address), address, ret);
    }
    return as_result(check);
}

enum result segment_cursor_seek(struct segment_cursor *cursor, int64_t address, int64_t limit,
                                struct segment_frame *ret, struct error *err)
{
    while (limit - address >= SEGMENT_FRAME_HEADER) {
        enum result result = segment_cursor_look(cursor, address, limit, true, ret, err);
        if (result == OK || result == FATAL)
            return result;
        struct view rest = window_from(cursor, address);
        const void *found = rest.size < 2 ? NULL : memchr((const char *)rest.data + 1, 'T', rest.size - 1);
        int64_t step = (int64_t)rest.size;
        if (found != NULL)
            step = (const char *)found - (const char *)rest.data;
        address += step > 0 ? step : 1;
    }
    return NOTHING;
}
