/* Tokens: 96 bits of id, 256 bits of secret; kept as a hash, which is enough for a secret that nobody can guess. */
#include "broker/vault/keys.h"

#include "broker/base/bytes.h"

#include <assert.h>
#include <sodium.h>

enum { ID_BYTES = 12, SECRET_BYTES = 32, ID_CHARACTERS = TOKEN_ID_SIZE - 1, SECRET_CHARACTERS = 43 };
static_assert(TOKEN_TEXT_SIZE == ID_CHARACTERS + 1 + SECRET_CHARACTERS + 1);

static void token_hash(const char *text, uint8_t ret[TOKEN_HASH_SIZE])
{
    static const unsigned char use[crypto_generichash_blake2b_PERSONALBYTES] = "tidings-token--";
    (void)crypto_generichash_blake2b_salt_personal(ret, TOKEN_HASH_SIZE, (const unsigned char *)text,
                                                   TOKEN_TEXT_SIZE - 1, NULL, 0, NULL, use);
}

/* bytes: the id, then the secret; wiped. */
static void token_write(uint8_t bytes[ID_BYTES + SECRET_BYTES], char ret_id[TOKEN_ID_SIZE],
                        char ret_text[TOKEN_TEXT_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE])
{
    bytes_to_base64url(view_make(bytes, ID_BYTES), ret_id);
    memcpy(ret_text, ret_id, ID_CHARACTERS);
    ret_text[ID_CHARACTERS] = '.';
    bytes_to_base64url(view_make(bytes + ID_BYTES, SECRET_BYTES), ret_text + ID_CHARACTERS + 1);
    token_hash(ret_text, ret_hash);
    sodium_memzero(bytes, ID_BYTES + SECRET_BYTES);
}

void vault_token_create(char ret_id[TOKEN_ID_SIZE], char ret_text[TOKEN_TEXT_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE])
{
    uint8_t bytes[ID_BYTES + SECRET_BYTES];
    vault_random(bytes, sizeof bytes);
    token_write(bytes, ret_id, ret_text, ret_hash);
}

void vault_token_derive(const struct vault *vault, struct view seed, char ret_id[TOKEN_ID_SIZE],
                        char ret_text[TOKEN_TEXT_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE])
{
    uint8_t bytes[ID_BYTES + SECRET_BYTES];
    (void)crypto_generichash_blake2b(bytes, sizeof bytes, seed.data, seed.size, vault->token, sizeof vault->token);
    token_write(bytes, ret_id, ret_text, ret_hash);
}

bool vault_token_read(struct view text, char ret_id[TOKEN_ID_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE])
{
    uint8_t bytes[SECRET_BYTES];
    if (text.size != TOKEN_TEXT_SIZE - 1)
        return false;
    const char *character = text.data;
    bool good = bytes_from_base64url(view_make(character, ID_CHARACTERS), bytes, ID_BYTES) &&
                character[ID_CHARACTERS] == '.' &&
                bytes_from_base64url(view_make(character + ID_CHARACTERS + 1, SECRET_CHARACTERS), bytes, SECRET_BYTES);
    sodium_memzero(bytes, sizeof bytes);
    if (!good)
        return false;
    memcpy(ret_id, character, ID_CHARACTERS);
    ret_id[ID_CHARACTERS] = '\0';
    token_hash(character, ret_hash);
    return true;
}
