/* Seals: XChaCha20-Poly1305 with a nonce that is a keyed hash of what is sealed, so that sealing again gives the same
 * bytes. */
#include "broker/vault/vault.h"

#include "broker/base/bytes.h"

#include <assert.h>
#include <sodium.h>

enum {
    NONCE_SIZE = crypto_aead_xchacha20poly1305_ietf_NPUBBYTES,
    TAG_SIZE = crypto_aead_xchacha20poly1305_ietf_ABYTES
};
static_assert(SEAL_OVERHEAD == NONCE_SIZE + TAG_SIZE);

/* Keyed with the data key itself, personalised: two different texts never meet under one nonce, and a text that was
 * sealed twice tells no more than that. */
static void nonce_of(const uint8_t key[DATA_KEY_SIZE], struct view header, struct view plain, uint8_t ret[NONCE_SIZE])
{
    static const unsigned char use[crypto_generichash_blake2b_PERSONALBYTES] = "tidings-nonce--";
    crypto_generichash_blake2b_state state;
    uint8_t header_size[8];
    bytes_put_u64(header_size, header.size);
    (void)crypto_generichash_blake2b_init_salt_personal(&state, key, DATA_KEY_SIZE, NONCE_SIZE, NULL, use);
    (void)crypto_generichash_blake2b_update(&state, header_size, sizeof header_size);
    (void)crypto_generichash_blake2b_update(&state, header.data, header.size);
    (void)crypto_generichash_blake2b_update(&state, plain.data, plain.size);
    (void)crypto_generichash_blake2b_final(&state, ret, NONCE_SIZE);
    sodium_memzero(&state, sizeof state);
}

static void seal(const uint8_t key[DATA_KEY_SIZE], const uint8_t nonce[NONCE_SIZE], struct view header,
                 struct view plain, struct buffer *to)
{
    buffer_reserve(to, plain.size + SEAL_OVERHEAD);
    uint8_t *out = to->data + to->size;
    memcpy(out, nonce, NONCE_SIZE);
    (void)crypto_aead_xchacha20poly1305_ietf_encrypt(out + NONCE_SIZE, NULL, plain.data, plain.size, header.data,
                                                     header.size, NULL, out, key);
    to->size += plain.size + SEAL_OVERHEAD;
}

void vault_seal(const uint8_t key[DATA_KEY_SIZE], struct view header, struct view plain, struct buffer *to)
{
    uint8_t nonce[NONCE_SIZE];
    nonce_of(key, header, plain, nonce);
    seal(key, nonce, header, plain, to);
}

void nonces_start(struct nonces *nonces)
{
    randombytes_buf(nonces->bytes, sizeof nonces->bytes);
}

void vault_seal_once(const uint8_t key[DATA_KEY_SIZE], struct nonces *nonces, struct view header, struct view plain,
                     struct buffer *to)
{
    sodium_increment(nonces->bytes, sizeof nonces->bytes);
    seal(key, nonces->bytes, header, plain, to);
}

enum result vault_unseal(const uint8_t key[DATA_KEY_SIZE], struct view header, struct view sealed, struct buffer *to,
                         struct error *err)
{
    if (sealed.size < SEAL_OVERHEAD)
        return error_set(err, REJECTED, "sealed bytes shorter than a seal");
    buffer_reserve(to, sealed.size - SEAL_OVERHEAD + 1);
    const uint8_t *nonce = sealed.data;
    if (crypto_aead_xchacha20poly1305_ietf_decrypt(to->data + to->size, NULL, NULL, nonce + NONCE_SIZE,
                                                   sealed.size - NONCE_SIZE, header.data, header.size, nonce, key) != 0)
        return error_set(err, REJECTED, "not sealed by this key, or under another header");
    to->size += sealed.size - SEAL_OVERHEAD;
    return OK;
}
