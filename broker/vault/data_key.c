/* Data keys under the region's master key: XChaCha20-Poly1305, bound to the owner and the key's id. */
#include "broker/vault/keys.h"

#include "broker/base/bytes.h"
#include "broker/event/limits.h"

#include <assert.h>
#include <sodium.h>

#define BOUND_FORM "tidings-data-key-1 "

enum {
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    BOUND_FORM_SIZE = sizeof BOUND_FORM - 1,
    BOUND_MOST = BOUND_FORM_SIZE + LIMIT_KEY_BYTES + 8,
};
static_assert(WRAPPED_KEY_SIZE == NONCE_SIZE + DATA_KEY_SIZE + crypto_aead_xchacha20poly1305_ietf_ABYTES);
static_assert(DATA_KEY_SIZE == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);

/* What the wrapping is bound to; returns its size. */
static size_t write_bound(struct view owner, uint64_t id, uint8_t ret[BOUND_MOST])
{
    memcpy(ret, BOUND_FORM, BOUND_FORM_SIZE);
    if (owner.size > 0)
        memcpy(ret + BOUND_FORM_SIZE, owner.data, owner.size);
    bytes_put_u64(ret + BOUND_FORM_SIZE + owner.size, id);
    return BOUND_FORM_SIZE + owner.size + 8;
}

void vault_data_key_create(const struct vault *vault, struct view owner, uint64_t *ret_id,
                           uint8_t ret_wrapped[WRAPPED_KEY_SIZE])
{
    assert(owner.size <= LIMIT_KEY_BYTES);
    struct {
        uint8_t key[DATA_KEY_SIZE], nonce[NONCE_SIZE];
        uint64_t id;
    } fresh;
    uint8_t bound[BOUND_MOST];
    do {
        randombytes_buf(&fresh, sizeof fresh); /* at once: each call asks the kernel */
        fresh.id &= INT64_MAX;                 /* Avro's long and JSON's readers have a sign */
    } while (fresh.id == 0);
    memcpy(ret_wrapped, fresh.nonce, NONCE_SIZE);
    size_t bound_size = write_bound(owner, fresh.id, bound);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(ret_wrapped + NONCE_SIZE, NULL, fresh.key, sizeof fresh.key, bound,
                                                     bound_size, NULL, fresh.nonce, vault->master);
    *ret_id = fresh.id;
    sodium_memzero(&fresh, sizeof fresh);
}

enum result data_key_unwrap(const struct vault *vault, const struct data_key *wrapped, uint8_t ret[DATA_KEY_SIZE],
                            struct error *err)
{
    uint8_t bound[BOUND_MOST];
    if (wrapped->owner.size > LIMIT_KEY_BYTES || wrapped->id == 0)
        return error_set(err, REJECTED, "a data key without an id, or with an owner of more than %d bytes",
                         (int)LIMIT_KEY_BYTES);
    size_t bound_size = write_bound(wrapped->owner, wrapped->id, bound);
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(ret, NULL, NULL, wrapped->wrapped + NONCE_SIZE,
                                                   WRAPPED_KEY_SIZE - NONCE_SIZE, bound, bound_size, wrapped->wrapped,
                                                   vault->master) != 0)
        return error_set(err, REJECTED, "a data key that this region did not wrap, or wrapped for another owner or id");
    return OK;
}
