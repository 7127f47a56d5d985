/* Unwrapped data keys of one thread, in locked memory: 48 bytes each, in sets of eight whose least recently used goes.
 * It begins small and grows as it fills, up to a fixed number. */
#include "broker/vault/keys.h"

#include "broker/base/memory.h"
#include "broker/event/limits.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum { NAME_SIZE = crypto_shorthash_siphashx24_BYTES, WAYS = 8, FIRST_SETS = 128 };

/* A name of all zeros is a free place. */
struct place {
    uint8_t name[NAME_SIZE]; /* keyed hash of owner and id: nobody can choose two that meet */
    uint8_t key[DATA_KEY_SIZE];
};

struct key_cache {
    const struct vault *vault;
    struct place (*sets)[WAYS]; /* one block of locked memory; in a set the newest stands first */
    size_t set_count, set_limit, count;
    bool locked;
    uint8_t hash_key[crypto_shorthash_siphashx24_KEYBYTES];
};

static const uint8_t no_name[NAME_SIZE];

static bool place_is_free(const struct place *place)
{
    return memcmp(place->name, no_name, NAME_SIZE) == 0;
}

static void sets_take(struct key_cache *cache, size_t count)
{
    cache->sets = secret_take(count * sizeof *cache->sets, &cache->locked);
    cache->set_count = count;
    memset(cache->sets, 0, count * sizeof *cache->sets);
}

struct key_cache *key_cache_create(const struct vault *vault, size_t entries)
{
    assert(entries >= 1 && entries < UINT32_MAX);
    struct key_cache *cache = memory_take(sizeof *cache);
    cache->vault = vault;
    cache->set_limit = 1;
    while (cache->set_limit * WAYS < entries)
        cache->set_limit *= 2;
    sets_take(cache, cache->set_limit < FIRST_SETS ? cache->set_limit : FIRST_SETS);
    randombytes_buf(cache->hash_key, sizeof cache->hash_key);
    return cache;
}

void key_cache_destroy(struct key_cache *cache)
{
    if (cache == NULL)
        return;
    sodium_free(cache->sets);
    free(cache);
}

bool key_cache_is_locked(const struct key_cache *cache)
{
    return cache->locked;
}

/* False: an owner longer than any, which has no keys. */
static bool name_make(const struct key_cache *cache, struct view owner, uint64_t id, uint8_t ret[NAME_SIZE])
{
    uint8_t whole[sizeof id + LIMIT_KEY_BYTES];
    if (owner.size > LIMIT_KEY_BYTES)
        return false;
    memcpy(whole, &id, sizeof id);
    if (owner.size > 0)
        memcpy(whole + sizeof id, owner.data, owner.size);
    (void)crypto_shorthash_siphashx24(ret, whole, sizeof id + owner.size, cache->hash_key);
    ret[0] |= (uint8_t)(memcmp(ret, no_name, NAME_SIZE) == 0); /* never the name of a free place */
    return true;
}

static struct place *set_of(const struct key_cache *cache, const uint8_t name[NAME_SIZE])
{
    uint64_t hash;
    memcpy(&hash, name, sizeof hash);
    return cache->sets[hash & (cache->set_count - 1)];
}

/* The place in its set; WAYS: not there. */
static size_t place_find(const struct place *set, const uint8_t name[NAME_SIZE])
{
    size_t at = 0;
    while (at < WAYS && memcmp(set[at].name, name, NAME_SIZE) != 0)
        at++;
    return at;
}

/* Makes the place at `at` the set's newest. */
static void place_renew(struct place *set, size_t at)
{
    if (at == 0)
        return;
    struct place renewed = set[at];
    memmove(set + 1, set, at * sizeof *set);
    set[0] = renewed;
    sodium_memzero(&renewed, sizeof renewed);
}

/* Puts a key first in its set; the last of a full one goes. */
static void place_put(struct key_cache *cache, const uint8_t name[NAME_SIZE], const uint8_t key[DATA_KEY_SIZE])
{
    struct place *set = set_of(cache, name);
    size_t at = place_find(set, name);
    if (at == WAYS) {
        at = WAYS - 1;
        cache->count += place_is_free(&set[at]);
    }
    memcpy(set[at].name, name, NAME_SIZE);
    memcpy(set[at].key, key, DATA_KEY_SIZE);
    place_renew(set, at);
}

static void grow(struct key_cache *cache)
{
    struct place(*old)[WAYS] = cache->sets;
    size_t old_count = cache->set_count;
    sets_take(cache, old_count * 2);
    cache->count = 0;
    for (size_t i = 0; i < old_count; i++)
        for (size_t way = WAYS; way > 0; way--) /* the oldest first, so that the newest ends up first again */
            if (!place_is_free(&old[i][way - 1]))
                place_put(cache, old[i][way - 1].name, old[i][way - 1].key);
    sodium_free(old);
}

const uint8_t *key_cache_find(struct key_cache *cache, struct view owner, uint64_t id)
{
    uint8_t name[NAME_SIZE];
    if (!name_make(cache, owner, id, name))
        return NULL;
    struct place *set = set_of(cache, name);
    size_t at = place_find(set, name);
    if (at == WAYS)
        return NULL;
    place_renew(set, at);
    return set[0].key;
}

enum result key_cache_add(struct key_cache *cache, const struct data_key *wrapped, const uint8_t **ret,
                          struct error *err)
{
    uint8_t key[DATA_KEY_SIZE], name[NAME_SIZE];
    enum result result = data_key_unwrap(cache->vault, wrapped, key, err);
    if (result != OK)
        return result;
    if (!name_make(cache, wrapped->owner, wrapped->id, name))
        return error_set(err, REJECTED, "a data key of an owner with too long a name");
    if (cache->count >= cache->set_count * WAYS * 3 / 4 && cache->set_count < cache->set_limit)
        grow(cache);
    place_put(cache, name, key);
    sodium_memzero(key, sizeof key);
    *ret = set_of(cache, name)[0].key;
    return OK;
}

void key_cache_forget(struct key_cache *cache, struct view owner, uint64_t id)
{
    uint8_t name[NAME_SIZE];
    if (!name_make(cache, owner, id, name))
        return;
    struct place *set = set_of(cache, name);
    size_t at = place_find(set, name);
    if (at == WAYS)
        return;
    memmove(set + at, set + at + 1, (WAYS - 1 - at) * sizeof *set); /* free places stand last */
    sodium_memzero(&set[WAYS - 1], sizeof *set);
    cache->count--;
}
