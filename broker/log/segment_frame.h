/*
 * One record as it stands in a segment file, version 1. Numbers are big-endian.
 *
 *    0  "TDF1"
 *    4  CRC-32C of everything from byte 8 to the end of the frame
 *    8  size of the key          12  size of the value
 *   16  address: this frame's own place in the stream, which is the record's offset
 *   24  ordinal: how many records of the topic stand before it
 *   32  timestamp, in ms
 *   40  partition
 *   44  back: how many bytes of the same commit stand before it
 *   48  key, value
 *
 * A frame names its own address, so bytes that merely look like one are not taken for one, and names the commit it
 * belongs to, so a torn last commit can be told from damage to what was durable.
 */
#pragma once

#include "broker/base/buffer.h"

enum { SEGMENT_FRAME_HEADER = 48 };

struct segment_frame {
    int64_t address, ordinal, timestamp_ms;
    int32_t partition;
    uint32_t back;
    struct view key, value; /* value: NULL data for a tombstone, which only a queue holds, never a file */
    size_t size;            /* of the whole frame */
};

enum frame_check {
    FRAME_WHOLE,
    FRAME_NONE,    /* no frame begins here */
    FRAME_SHORT,   /* one may begin here; ret->size bytes are needed to know */
    FRAME_DAMAGED, /* one begins here, and its bytes are not what was written */
};

/* Adds a frame whose place is not known yet. */
void segment_frame_add(struct buffer *to, int32_t partition, struct view key, struct view value);
/* Gives it its place, and its checksum. Returns its size. */
size_t segment_frame_finish(uint8_t *frame, int64_t address, int64_t ordinal, int64_t timestamp_ms, uint32_t back);
/* Only the place: for what goes into a table. Returns its size. */
size_t segment_frame_place(uint8_t *frame, int64_t address);
/* Reads bytes of our own making, unchecked. */
void segment_frame_parse(const uint8_t *frame, struct segment_frame *ret);
/* Reads bytes from a file at this address. ret is whole only with FRAME_WHOLE. */
enum frame_check segment_frame_check(struct view bytes, int64_t address, struct segment_frame *ret);
