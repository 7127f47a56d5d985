/* Where folding goes on, and what was last seen from where: rows of two spaces of the store's own, committed with the
 * rest. */
#include "broker/store/parts.h"

#include "broker/base/bytes.h"

enum { POSITION_KEY = 8, POSITION_VALUE = 8 + 8 + HASH_SIZE + 4, WATERMARK_KEY = 16, WATERMARK_VALUE = 8 + 4 };

static void position_key(int32_t topic, int32_t partition, uint8_t ret[POSITION_KEY])
{
    bytes_put_u32(ret, (uint32_t)topic);
    bytes_put_u32(ret + 4, (uint32_t)partition);
}

void store_position_put(struct store *store, const struct store_position *position)
{
    uint8_t key[POSITION_KEY], value[POSITION_VALUE];
    position_key(position->topic, position->partition, key);
    bytes_put_u64(value, (uint64_t)position->next_offset);
    bytes_put_u64(value + 8, (uint64_t)position->last_offset);
    memcpy(value + 16, position->last_hash, HASH_SIZE);
    bytes_put_u32(value + 16 + HASH_SIZE, (uint32_t)position->rules);
    space_put(store, SPACE_POSITIONS, VIEW_OF(key), VIEW_OF(value));
}

enum result store_position_find(struct store *store, int32_t topic, int32_t partition, struct store_position *ret)
{
    uint8_t key[POSITION_KEY];
    struct buffer value = {0};
    position_key(topic, partition, key);
    enum result result = space_find(store, SPACE_POSITIONS, VIEW_OF(key), &value);
    if (result == OK && value.size != POSITION_VALUE)
        result = file_result(&store->file, SQLITE_CORRUPT, "read");
    if (result != OK)
        goto out;
    *ret = (struct store_position){.topic = topic, .partition = partition};
    ret->next_offset = (int64_t)bytes_get_u64(value.data);
    ret->last_offset = (int64_t)bytes_get_u64(value.data + 8);
    memcpy(ret->last_hash, value.data + 16, HASH_SIZE);
    ret->rules = (int32_t)bytes_get_u32(value.data + 16 + HASH_SIZE);
out:
    buffer_destroy(&value);
    return result;
}

void store_watermark_put(struct store *store, const struct store_watermark *watermark)
{
    uint8_t key[WATERMARK_KEY], value[WATERMARK_VALUE];
    bytes_put_u32(key, (uint32_t)watermark->topic);
    bytes_put_u32(key + 4, (uint32_t)watermark->partition);
    bytes_put_u32(key + 8, (uint32_t)watermark->source_topic);
    bytes_put_u32(key + 12, (uint32_t)watermark->source);
    bytes_put_u64(value, (uint64_t)watermark->offset);
    bytes_put_u32(value + 8, (uint32_t)watermark->index);
    space_put(store, SPACE_WATERMARKS, VIEW_OF(key), VIEW_OF(value));
}

struct watermark_reader {
    void (*each)(void *context, const struct store_watermark *watermark);
    void *context;
    bool damaged;
};

static bool read_watermark(void *context, struct view key, struct view value)
{
    struct watermark_reader *reader = context;
    const uint8_t *at = key.data, *of = value.data;
    reader->damaged = key.size != WATERMARK_KEY || value.size != WATERMARK_VALUE;
    if (reader->damaged)
        return false;
    struct store_watermark watermark = {
        .topic = (int32_t)bytes_get_u32(at),
        .partition = (int32_t)bytes_get_u32(at + 4),
        .source_topic = (int32_t)bytes_get_u32(at + 8),
        .source = (int32_t)bytes_get_u32(at + 12),
        .offset = (int64_t)bytes_get_u64(of),
        .index = (int32_t)bytes_get_u32(of + 8),
    };
    reader->each(reader->context, &watermark);
    return true;
}

enum result store_watermark_each(struct store *store,
                                 void (*each)(void *context, const struct store_watermark *watermark), void *context)
{
    struct watermark_reader reader = {.each = each, .context = context};
    enum result result = space_scan(store, SPACE_WATERMARKS, VIEW_NONE, VIEW_NONE, read_watermark, &reader);
    return result == OK && reader.damaged ? file_result(&store->file, SQLITE_CORRUPT, "read") : result;
}
