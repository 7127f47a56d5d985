/* Opens the region's secret, splits it into a key for each use, and makes what hangs on them alone. */
#include "broker/vault/keys.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <sodium.h>

enum { REF_SIZE = 24 };

void *secret_take(size_t size, bool *ret_locked)
{
    void *memory = sodium_malloc(size);
    if (memory == NULL)
        memory = memory_array(SIZE_MAX, 2);        /* cannot be had: ends the process in the one place that does */
    bool locked = sodium_mlock(memory, size) == 0; /* sodium_malloc has tried, but does not say */
    if (ret_locked != NULL)
        *ret_locked = locked;
    return memory;
}

static void derive(const uint8_t secret[REGION_SECRET_SIZE], const char use[crypto_generichash_blake2b_PERSONALBYTES],
                   uint8_t ret[REGION_SUBKEY_SIZE])
{
    (void)crypto_generichash_blake2b_salt_personal(ret, REGION_SUBKEY_SIZE, NULL, 0, secret, REGION_SECRET_SIZE, NULL,
                                                   (const unsigned char *)use);
}

enum result vault_create(const char *path, struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, FATAL, "libsodium cannot start: the system gives no random numbers");
    return region_key_create(path, err);
}

enum result vault_open(const char *path, struct vault **ret, struct error *err)
{
    if (sodium_init() < 0)
        return error_set(err, FATAL, "libsodium cannot start: the system gives no random numbers");
    bool locked;
    uint8_t *secret = secret_take(REGION_SECRET_SIZE, NULL);
    struct vault *vault = secret_take(sizeof *vault, &locked);
    enum result result = region_key_read(path, secret, err);
    if (result != OK)
        goto out;
    derive(secret, "tidings-ref-----", vault->patient_ref);
    derive(secret, "tidings-content-", vault->content);
    derive(secret, "tidings-master--", vault->master);
    derive(secret, "tidings-retoken-", vault->token);
    vault->locked = locked;
    if (sodium_mprotect_readonly(vault) != 0) {
        result = error_set(err, FATAL, "the memory of the region's keys cannot be protected");
        goto out;
    }
    *ret = vault;
    vault = NULL;
out:
    sodium_free(secret);
    sodium_free(vault);
    return result;
}

void vault_close(struct vault *vault)
{
    sodium_free(vault);
}

bool vault_memory_is_locked(const struct vault *vault)
{
    return vault->locked;
}

/* kind: one byte that keeps the two kinds of number apart under the hash, for ever. */
static void patient_ref(const struct vault *vault, char kind, struct view assigner, struct view value,
                        char ret[PATIENT_REF_SIZE])
{
    crypto_generichash_blake2b_state state;
    uint8_t prefix[1 + 8], hash[REF_SIZE];
    prefix[0] = (uint8_t)kind;
    bytes_put_u64(prefix + 1, assigner.size); /* so that "R0" "A1" is not "R0A" "1" */
    (void)crypto_generichash_blake2b_init(&state, vault->patient_ref, sizeof vault->patient_ref, sizeof hash);
    (void)crypto_generichash_blake2b_update(&state, prefix, sizeof prefix);
    (void)crypto_generichash_blake2b_update(&state, assigner.data, assigner.size);
    (void)crypto_generichash_blake2b_update(&state, value.data, value.size);
    (void)crypto_generichash_blake2b_final(&state, hash, sizeof hash);
    sodium_memzero(&state, sizeof state);
    bytes_to_base64url(VIEW_OF(hash), ret);
}

void vault_patient_ref_of_nhs_number(const struct vault *vault, struct view nhs_number, char ret[PATIENT_REF_SIZE])
{
    patient_ref(vault, 'N', VIEW_NONE, nhs_number, ret);
}

void vault_patient_ref_of_local_id(const struct vault *vault, struct view assigner, struct view value,
                                   char ret[PATIENT_REF_SIZE])
{
    patient_ref(vault, 'L', assigner, value, ret);
}

void vault_content_hash(const struct vault *vault, struct view content, uint8_t ret[HASH_SIZE])
{
    (void)crypto_generichash_blake2b(ret, HASH_SIZE, content.data, content.size, vault->content, sizeof vault->content);
}
