/*
 * MLLP frames out of a stream of bytes (HL7 Transport Specification: MLLP, release 1): 0B message 1C 0D.
 *
 * Bytes go in as they come, frames come out whole. A frame over the limit is read past: of it only the beginning is
 * kept. The block of one byte 06 or 15 (release 2, commit acknowledgement) is read and dropped.
 */
#pragma once

#include "broker/base/buffer.h"

enum frame_kind {
    FRAME_NONE,      /* no whole frame yet */
    FRAME_MESSAGE,   /* message: what stood between the start and the end block */
    FRAME_TOO_LARGE, /* over the limit; message: its beginning, at most FRAME_HEAD_BYTES of it */
    FRAME_JUNK,      /* more than LIMIT_MLLP_JUNK_BYTES outside a frame: close the connection */
};

enum { FRAME_HEAD_BYTES = 4096 }; /* what is kept of a frame that is too large: enough for its MSH segment */

struct frame {
    enum frame_kind kind;
    struct view message; /* lives until the next call with the deframer */
};

/* Zero-initialised but for limit is empty and valid. */
struct deframer {
    size_t limit; /* the largest message, in bytes */
    struct buffer bytes;
    size_t start;      /* where what is not yet given out begins in bytes */
    size_t scanned;    /* from start: searched for the end block without finding it */
    bool inside;       /* a start block was read, its end block not yet */
    bool skipping;     /* inside a frame that is over the limit */
    bool skipped_end;  /* skipping, and the last byte was 1C */
    bool given;        /* a frame was given out and not dropped */
    size_t frame_size; /* of the frame given out, with its end block */
    size_t junk;       /* bytes outside frames since the last frame */
    uint64_t junk_total;
};

void deframer_destroy(struct deframer *deframer);
void deframer_add(struct deframer *deframer, struct view bytes);
/* The next frame. The same one again until deframer_drop: a door that cannot take it now asks again later. */
struct frame deframer_next(struct deframer *deframer);
void deframer_drop(struct deframer *deframer);
/* Bytes that wait in it. */
static inline size_t deframer_size(const struct deframer *deframer)
{
    return deframer->bytes.size - deframer->start;
}
