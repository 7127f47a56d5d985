/* Ids that anybody can compute again: plain BLAKE2b over length-prefixed parts. */
#include "broker/vault/vault.h"

#include "broker/base/bytes.h"

#include <assert.h>
#include <sodium.h>

void vault_hash(const struct view *parts, size_t count, uint8_t *ret, size_t size)
{
    assert(size >= 1 && size <= crypto_generichash_blake2b_BYTES_MAX);
    crypto_generichash_blake2b_state state;
    (void)crypto_generichash_blake2b_init(&state, NULL, 0, size);
    for (size_t i = 0; i < count; i++) {
        uint8_t part_size[8];
        bytes_put_u64(part_size, parts[i].size);
        (void)crypto_generichash_blake2b_update(&state, part_size, sizeof part_size);
        (void)crypto_generichash_blake2b_update(&state, parts[i].data, parts[i].size);
    }
    (void)crypto_generichash_blake2b_final(&state, ret, size);
}

/* RFC 9562, section 5.8: bytes 0 to 5 are ours (the time), then 4 bits of version, 12 of ours, 2 of variant, 62 of
 * ours. */
struct event_id vault_event_id(struct view publisher, struct view source, struct view id, int32_t index,
                               int64_t message_time_ms)
{
    enum { TIME_BYTES = 6, VERSION_AT = 6, VARIANT_AT = 8 };
    const int64_t last = (1LL << 48) - 1;
    uint8_t index_bytes[4], time_bytes[8];
    struct event_id event;
    bytes_put_u32(index_bytes, (uint32_t)index);
    bytes_put_u64(time_bytes, (uint64_t)(message_time_ms < 0 ? 0 : message_time_ms > last ? last : message_time_ms));
    memcpy(event.bytes, time_bytes + 2, TIME_BYTES);
    vault_hash((const struct view[]){publisher, source, id, VIEW_OF(index_bytes)}, 4, event.bytes + TIME_BYTES,
               EVENT_ID_SIZE - TIME_BYTES);
    event.bytes[VERSION_AT] = (event.bytes[VERSION_AT] & 0x0F) | 0x80;
    event.bytes[VARIANT_AT] = (event.bytes[VARIANT_AT] & 0x3F) | 0x80;
    return event;
}
