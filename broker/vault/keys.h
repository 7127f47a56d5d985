/* The region's keys, private to the vault: one page of locked memory, read-only once it is open. */
#pragma once

#include "broker/vault/vault.h"

enum { REGION_SECRET_SIZE = 64, REGION_SUBKEY_SIZE = 32 };

/* Each use has a key of its own: BLAKE2b of nothing, keyed with the region's secret, personalised with the use's name.
 */
struct vault {
    uint8_t patient_ref[REGION_SUBKEY_SIZE];
    uint8_t content[REGION_SUBKEY_SIZE];
    uint8_t master[REGION_SUBKEY_SIZE]; /* wraps data keys */
    uint8_t token[REGION_SUBKEY_SIZE];  /* makes tokens that can be made again */
    bool locked;
};

/* The file that holds the region's secret: "tidings-region-key-1 " and 86 characters of base64url, one line. */
enum result region_key_create(const char *path, struct error *err);
enum result region_key_read(const char *path, uint8_t ret[REGION_SECRET_SIZE], struct error *err);

/* Guarded memory that never goes to swap or into a core file. Locking may fail (RLIMIT_MEMLOCK): it is usable all the
 * same. Freed, and wiped, by sodium_free. */
void *secret_take(size_t size, bool *ret_locked);

/* Opens a wrapped data key. REJECTED: not wrapped by this region, or for another owner or id. */
enum result data_key_unwrap(const struct vault *vault, const struct data_key *wrapped, uint8_t ret[DATA_KEY_SIZE],
                            struct error *err);
