/* A cursor: reads a stream's frames by address through a window of memory. Belongs to one thread. */
#pragma once

#include "broker/log/segment_frame.h"
#include "broker/log/segment_stream.h"

struct segment_cursor {
    struct segment_stream *stream;
    size_t ahead; /* how much to read at once */
    int file;     /* -1: none */
    int64_t file_first, file_next;
    struct buffer window;
    int64_t window_address;
};

void segment_cursor_start(struct segment_cursor *cursor, struct segment_stream *stream, size_t ahead);
void segment_cursor_stop(struct segment_cursor *cursor);

/* The frame at address; no byte at or beyond limit is looked at. ret's views live until a call that reads. may_read
 * false: only from the window. NOTHING: no frame begins there. AGAIN: not in the window. REJECTED: one begins there and
 * is not whole. FATAL: the file cannot be read. */
enum result segment_cursor_look(struct segment_cursor *cursor, int64_t address, int64_t limit, bool may_read,
                                struct segment_frame *ret, struct error *err);
/* The first whole frame at or after address. NOTHING: none below limit. */
enum result segment_cursor_seek(struct segment_cursor *cursor, int64_t address, int64_t limit,
                                struct segment_frame *ret, struct error *err);
/* Forgets the window: what is read next is read from the file. */
void segment_cursor_forget(struct segment_cursor *cursor);
