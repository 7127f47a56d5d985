/* Frames: records as bytes in a segment file. */
#include "broker/log/segment_frame.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"

enum {
    AT_MAGIC = 0,
    AT_CHECKSUM = 4,
    AT_KEY_SIZE = 8,
    AT_VALUE_SIZE = 12,
    AT_ADDRESS = 16,
    AT_ORDINAL = 24,
    AT_TIMESTAMP = 32,
    AT_PARTITION = 40,
    AT_BACK = 44,
};

static const uint32_t magic = 0x54444631;    /* "TDF1" */
static const uint32_t no_value = UINT32_MAX; /* a tombstone's value size */

static size_t frame_size(const uint8_t *frame)
{
    uint32_t value = bytes_get_u32(frame + AT_VALUE_SIZE);
    return SEGMENT_FRAME_HEADER + (size_t)bytes_get_u32(frame + AT_KEY_SIZE) + (value == no_value ? 0 : value);
}

void segment_frame_add(struct buffer *to, int32_t partition, struct view key, struct view value)
{
    size_t size = SEGMENT_FRAME_HEADER + key.size + value.size;
    buffer_reserve(to, size);
    uint8_t *frame = to->data + to->size;
    bytes_put_u32(frame + AT_MAGIC, magic);
    bytes_put_u32(frame + AT_KEY_SIZE, (uint32_t)key.size);
    bytes_put_u32(frame + AT_VALUE_SIZE, value.data == NULL ? no_value : (uint32_t)value.size);
    bytes_put_u32(frame + AT_PARTITION, (uint32_t)partition);
    if (key.size > 0)
        memcpy(frame + SEGMENT_FRAME_HEADER, key.data, key.size);
    if (value.size > 0)
        memcpy(frame + SEGMENT_FRAME_HEADER + key.size, value.data, value.size);
    to->size += size;
}

size_t segment_frame_finish(uint8_t *frame, int64_t address, int64_t ordinal, int64_t timestamp_ms, uint32_t back)
{
    size_t size = segment_frame_place(frame, address);
    bytes_put_u64(frame + AT_ORDINAL, (uint64_t)ordinal);
    bytes_put_u64(frame + AT_TIMESTAMP, (uint64_t)timestamp_ms);
    bytes_put_u32(frame + AT_BACK, back);
    bytes_put_u32(frame + AT_CHECKSUM, bytes_crc32c(0, frame + AT_KEY_SIZE, size - AT_KEY_SIZE));
    return size;
}

size_t segment_frame_place(uint8_t *frame, int64_t address)
{
    bytes_put_u64(frame + AT_ADDRESS, (uint64_t)address);
    return frame_size(frame);
}

void segment_frame_parse(const uint8_t *frame, struct segment_frame *ret)
{
    uint32_t key = bytes_get_u32(frame + AT_KEY_SIZE), value = bytes_get_u32(frame + AT_VALUE_SIZE);
    ret->address = (int64_t)bytes_get_u64(frame + AT_ADDRESS);
    ret->ordinal = (int64_t)bytes_get_u64(frame + AT_ORDINAL);
    ret->timestamp_ms = (int64_t)bytes_get_u64(frame + AT_TIMESTAMP);
    ret->partition = (int32_t)bytes_get_u32(frame + AT_PARTITION);
    ret->back = bytes_get_u32(frame + AT_BACK);
    ret->key = view_make(frame + SEGMENT_FRAME_HEADER, key);
    ret->value = value == no_value ? VIEW_NONE : view_make(frame + SEGMENT_FRAME_HEADER + key, value);
    ret->size = frame_size(frame);
}

enum frame_check segment_frame_check(struct view bytes, int64_t address, struct segment_frame *ret)
{
    const uint8_t *frame = bytes.data;
    if (bytes.size < SEGMENT_FRAME_HEADER) {
        ret->size = SEGMENT_FRAME_HEADER;
        return FRAME_SHORT;
    }
    if (bytes_get_u32(frame + AT_MAGIC) != magic || bytes_get_u64(frame + AT_ADDRESS) != (uint64_t)address)
        return FRAME_NONE;
    if (bytes_get_u32(frame + AT_KEY_SIZE) > LIMIT_KEY_BYTES ||
        bytes_get_u32(frame + AT_VALUE_SIZE) > LIMIT_RECORD_BYTES)
        return FRAME_DAMAGED;
    ret->size = frame_size(frame);
    if (bytes.size < ret->size)
        return FRAME_SHORT;
    if (bytes_get_u32(frame + AT_CHECKSUM) != bytes_crc32c(0, frame + AT_KEY_SIZE, ret->size - AT_KEY_SIZE))
        return FRAME_DAMAGED;
    segment_frame_parse(frame, ret);
    return FRAME_WHOLE;
}
