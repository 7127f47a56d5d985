/*
 * The vault: everything that needs a secret. libsodium behind it; keys live in locked memory and are wiped.
 * Immutable after opening, shared by all threads. Nothing here reads or writes the log.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"
#include "broker/event/care_event.h"
#include "broker/event/data_key.h"

struct vault;

enum { DATA_KEY_SIZE = 32, PATIENT_REF_SIZE = 33 /* with the NUL */, SEAL_OVERHEAD = 24 + 16 };

/* Makes a new region's secret file (64 random bytes as text, mode 0600). REJECTED: there is one already. */
enum result vault_create(const char *path, struct error *err);
/* REJECTED: missing, not ours, or readable by others; the reason says what to do. */
enum result vault_open(const char *path, struct vault **ret, struct error *err);
void vault_close(struct vault *vault);
/* False: the kernel refused (RLIMIT_MEMLOCK); the keys may be swapped out. Usable all the same; worth a note at start.
 */
bool vault_memory_is_locked(const struct vault *vault);

/* patientRef: keyed BLAKE2b, 24 bytes as 32 characters of base64url. The two kinds have different prefixes under the
 * hash. */
void vault_patient_ref_of_nhs_number(const struct vault *vault, struct view nhs_number, char ret[PATIENT_REF_SIZE]);
void vault_patient_ref_of_local_id(const struct vault *vault, struct view assigner, struct view value,
                                   char ret[PATIENT_REF_SIZE]);

/* The event id of event `index` of the message (publisher, source, id) that was sent at message_time_ms. Not keyed:
 * others can check it. */
struct event_id vault_event_id(struct view publisher, struct view source, struct view id, int32_t index,
                               int64_t message_time_ms);
/* Keyed hash of a message's content. */
void vault_content_hash(const struct vault *vault, struct view content, uint8_t ret[HASH_SIZE]);
/* Plain BLAKE2b of several parts, each after its length (8 bytes, big-endian); size 1 to 64. For ids that others can
 * compute (alert ids, Idempotency-Key ids). */
void vault_hash(const struct view *parts, size_t count, uint8_t *ret, size_t size);

/* ---- data keys ---- */

/* Random key and id (1 to 2^63 - 1) for the owner, of at most LIMIT_KEY_BYTES; out is what stands in tidings.keys. */
void vault_data_key_create(const struct vault *vault, struct view owner, uint64_t *ret_id,
                           uint8_t ret_wrapped[WRAPPED_KEY_SIZE]);

/* Unwrapped keys of one thread, in a cache of locked memory that grows as it fills, up to `entries` of 48 bytes
 * (rounded up); then the least recently used of a set of eight goes. */
struct key_cache;
struct key_cache *key_cache_create(const struct vault *vault, size_t entries);
void key_cache_destroy(struct key_cache *cache);
bool key_cache_is_locked(const struct key_cache *cache); /* as vault_memory_is_locked */
/* The key if it is in the cache; NULL: not. Lives until the next call on this cache. */
const uint8_t *key_cache_find(struct key_cache *cache, struct view owner, uint64_t id);
/* Unwraps and keeps it. REJECTED: not wrapped by this region, or for another owner or id. */
enum result key_cache_add(struct key_cache *cache, const struct data_key *wrapped, const uint8_t **ret,
                          struct error *err);
void key_cache_forget(struct key_cache *cache, struct view owner, uint64_t id);

/* ---- seals ---- XChaCha20-Poly1305 (libsodium); 24 bytes of nonce, the ciphertext, 16 of tag. */

/* Appends. The nonce is a keyed hash of the header and the plaintext: the same event sealed again is the same bytes. */
void vault_seal(const uint8_t key[DATA_KEY_SIZE], struct view header, struct view plain, struct buffer *to);
/* For what is sealed once and never again by the same bytes (states): nonces that count from a random start, at a third
 * of the cost. One `struct nonces` a thread; not stored, not copied. */
struct nonces {
    uint8_t bytes[24];
};
void nonces_start(struct nonces *nonces);
void vault_seal_once(const uint8_t key[DATA_KEY_SIZE], struct nonces *nonces, struct view header, struct view plain,
                     struct buffer *to);
/* Appends the plaintext. REJECTED: not sealed by this key, or under another header. */
enum result vault_unseal(const uint8_t key[DATA_KEY_SIZE], struct view header, struct view sealed, struct buffer *to,
                         struct error *err);

/* ---- tokens ---- */

/* A new token: id (16 characters) and the whole text "<id>.<43 characters>"; hash: what is stored. */
enum { TOKEN_ID_SIZE = 17, TOKEN_TEXT_SIZE = 17 + 43 + 1, TOKEN_HASH_SIZE = 32 };
void vault_token_create(char ret_id[TOKEN_ID_SIZE], char ret_text[TOKEN_TEXT_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE]);
/* The same, but always the same for the same seed, and only this region can tell it: for a request that is made again
 * under one Idempotency-Key. */
void vault_token_derive(const struct vault *vault, struct view seed, char ret_id[TOKEN_ID_SIZE],
                        char ret_text[TOKEN_TEXT_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE]);
/* Splits and hashes a presented token. False: not the form of one. */
bool vault_token_read(struct view text, char ret_id[TOKEN_ID_SIZE], uint8_t ret_hash[TOKEN_HASH_SIZE]);
bool vault_equal(const void *a, const void *b, size_t size); /* in constant time */

void vault_random(void *ret, size_t size);
/* Never in a core file, if the kernel lets us; RLIMIT_CORE 0 and PR_SET_DUMPABLE off. Called by main first. */
void vault_protect_process(void);
