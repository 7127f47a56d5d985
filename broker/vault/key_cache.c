/* Unwrapped data keys of one thread: a hash table with a fixed number of places in locked memory; the least recently
 * used goes. */
#include "broker/vault/keys.h"

#include "broker/base/memory.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>

enum { OWNER_INSIDE = 71, OWNER_HASHED = 255, OWNER_HASH_SIZE = 32, CACHE_LINE = 64 };

/* Place 0 holds no key: it closes the ring from newest to oldest, and means "none" in chains. */
struct place {
    uint8_t key[DATA_KEY_SIZE];
    uint64_t id; /* 0: free, and in no chain */
    uint32_t hash;
    uint32_t chain; /* the next place of the same bucket */
    uint32_t newer, older;
    uint8_t owner_size; /* or OWNER_HASHED: owner holds the hash of a longer one */
    uint8_t owner[OWNER_INSIDE];
};
static_assert(sizeof(struct place) == 2 * CACHE_LINE);

struct key_cache {
    const struct vault *vault;
    struct place *places; /* the one block of locked memory: places, then buckets */
    uint32_t *buckets;
    uint32_t mask;
    bool locked;
    uint8_t hash_key[crypto_shorthash_KEYBYTES]; /* so that nobody can choose ids that fall into one bucket */
};

/* An owner as it stands in a place. */
struct owner_name {
    uint8_t size;
    struct view bytes;
    uint8_t hashed[OWNER_HASH_SIZE];
};

static void place_unlink(struct place *places, uint32_t at)
{
    places[places[at].newer].older = places[at].older;
    places[places[at].older].newer = places[at].newer;
}

static void place_link_newest(struct place *places, uint32_t at)
{
    places[at].newer = 0;
    places[at].older = places[0].older;
    places[places[0].older].newer = at;
    places[0].older = at;
}

static void place_link_oldest(struct place *places, uint32_t at)
{
    places[at].older = 0;
    places[at].newer = places[0].newer;
    places[places[0].newer].older = at;
    places[0].newer = at;
}

struct key_cache *key_cache_create(const struct vault *vault, size_t entries)
{
    assert(entries >= 1 && entries < UINT32_MAX / 4);
    struct key_cache *cache = memory_take(sizeof *cache);
    size_t buckets = CACHE_LINE;
    while (buckets < entries * 2)
        buckets *= 2;
    size_t places_bytes = (entries + 1) * sizeof(struct place);
    size_t bytes = places_bytes + buckets * sizeof(uint32_t); /* whole cache lines, so the block begins on one */
    cache->vault = vault;
    cache->mask = (uint32_t)buckets - 1;
    cache->places = secret_take(bytes, &cache->locked);
    cache->buckets = (void *)((uint8_t *)cache->places + places_bytes);
    memset(cache->places, 0, bytes);
    randombytes_buf(cache->hash_key, sizeof cache->hash_key);
    for (uint32_t at = 1; at <= entries; at++)
        place_link_oldest(cache->places, at);
    return cache;
}

void key_cache_destroy(struct key_cache *cache)
{
    if (cache == NULL)
        return;
    sodium_free(cache->places);
    free(cache);
}

bool key_cache_is_locked(const struct key_cache *cache)
{
    return cache->locked;
}

static void owner_name_make(struct view owner, struct owner_name *ret)
{
    ret->size = (uint8_t)owner.size;
    ret->bytes = owner;
    if (owner.size <= OWNER_INSIDE)
        return;
    (void)crypto_generichash_blake2b(ret->hashed, sizeof ret->hashed, owner.data, owner.size, NULL, 0);
    ret->size = OWNER_HASHED;
    ret->bytes = VIEW_OF(ret->hashed);
}

static uint32_t hash_of(const struct key_cache *cache, const struct owner_name *owner, uint64_t id)
{
    uint64_t hash;
    static_assert(sizeof hash == crypto_shorthash_BYTES);
    (void)crypto_shorthash((unsigned char *)&hash, owner->bytes.data, owner->bytes.size, cache->hash_key);
    return (uint32_t)((hash ^ id) * 0x9E3779B97F4A7C15U >> 32);
}

static uint32_t place_find(const struct key_cache *cache, const struct owner_name *owner, uint64_t id, uint32_t hash)
{
    uint32_t at = cache->buckets[hash & cache->mask];
    while (at != 0) {
        const struct place *place = &cache->places[at];
        if (place->hash == hash && place->id == id && place->owner_size == owner->size &&
            view_is(view_make(place->owner, owner->bytes.size), owner->bytes))
            break;
        at = place->chain;
    }
    return at;
}

/* Out of its chain and wiped; it stays in the ring. */
static void place_empty(struct key_cache *cache, uint32_t at)
{
    struct place *place = &cache->places[at];
    if (place->id == 0)
        return;
    uint32_t *link = &cache->buckets[place->hash & cache->mask];
    while (*link != at)
        link = &cache->places[*link].chain;
    *link = place->chain;
    sodium_memzero(place->key, sizeof place->key);
    place->id = 0;
}

const uint8_t *key_cache_find(struct key_cache *cache, struct view owner, uint64_t id)
{
    struct owner_name name;
    owner_name_make(owner, &name);
    uint32_t at = id == 0 ? 0 : place_find(cache, &name, id, hash_of(cache, &name, id));
    if (at == 0)
        return NULL;
    if (cache->places[0].older != at) {
        place_unlink(cache->places, at);
        place_link_newest(cache->places, at);
    }
    return cache->places[at].key;
}

enum result key_cache_add(struct key_cache *cache, const struct data_key *wrapped, const uint8_t **ret,
                          struct error *err)
{
    uint8_t key[DATA_KEY_SIZE];
    enum result result = data_key_unwrap(cache->vault, wrapped, key, err);
    if (result != OK)
        return result;
    struct owner_name name;
    owner_name_make(wrapped->owner, &name);
    uint32_t hash = hash_of(cache, &name, wrapped->id);
    uint32_t at = place_find(cache, &name, wrapped->id, hash);
    if (at == 0) {
        at = cache->places[0].newer; /* the oldest */
        place_empty(cache, at);
        struct place *place = &cache->places[at];
        place->id = wrapped->id;
        place->hash = hash;
        place->owner_size = name.size;
        if (name.bytes.size > 0)
            memcpy(place->owner, name.bytes.data, name.bytes.size);
        place->chain = cache->buckets[hash & cache->mask];
        cache->buckets[hash & cache->mask] = at;
    }
    memcpy(cache->places[at].key, key, sizeof key);
    sodium_memzero(key, sizeof key);
    place_unlink(cache->places, at);
    place_link_newest(cache->places, at);
    *ret = cache->places[at].key;
    return OK;
}

void key_cache_forget(struct key_cache *cache, struct view owner, uint64_t id)
{
    struct owner_name name;
    owner_name_make(owner, &name);
    uint32_t at = id == 0 ? 0 : place_find(cache, &name, id, hash_of(cache, &name, id));
    if (at == 0)
        return;
    place_empty(cache, at);
    place_unlink(cache->places, at);
    place_link_oldest(cache->places, at);
}
