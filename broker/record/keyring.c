/* Finds data keys in tidings.keys, and makes new ones. */
#include "broker/record/keyring.h"

#include "broker/base/buffer.h"
#include "broker/base/bytes.h"

#include <stdio.h>
#include <stdlib.h>

enum { KEY_NAME_SIZE = 256 };

enum result keyring_open(struct log *log, const struct vault *vault, size_t cached_keys, struct keyring **ret,
                         struct error *err)
{
    struct log_fetcher *fetcher;
    enum result result = log_fetcher_open(log, &fetcher, err);
    if (result != OK)
        return result;
    struct keyring *keyring = memory_take(sizeof *keyring);
    keyring->vault = vault;
    keyring->fetcher = fetcher;
    keyring->cache = key_cache_create(vault, cached_keys);
    *ret = keyring;
    return OK;
}

void keyring_close(struct keyring *keyring)
{
    if (keyring == NULL)
        return;
    key_cache_destroy(keyring->cache);
    log_fetcher_close(keyring->fetcher);
    buffer_destroy(&keyring->value);
    buffer_destroy(&keyring->name);
    buffer_destroy(&keyring->plain);
    arena_destroy(&keyring->arena);
    free(keyring);
}

/* A key's name in tidings.keys: owner, a slash, 16 hex digits. */
static struct view key_name(struct view owner, uint64_t id, char ret[KEY_NAME_SIZE])
{
    int size = snprintf(ret, KEY_NAME_SIZE, "%.*s/%016llx", VIEW_ARGS(owner), (unsigned long long)id);
    return view_make(ret, size < KEY_NAME_SIZE ? (size_t)size : KEY_NAME_SIZE - 1);
}

static enum result key_take_in(struct keyring *keyring, const uint8_t **ret, uint64_t *ret_id, struct error *err)
{
    struct data_key wrapped;
    arena_reset(&keyring->arena);
    enum result result = schema_decode(SCHEMA_DATA_KEY, buffer_view(&keyring->value), &keyring->arena, &wrapped, err);
    if (result != OK)
        return result;
    *ret_id = wrapped.id;
    const uint8_t *known = key_cache_find(keyring->cache, wrapped.owner, wrapped.id);
    if (known != NULL) {
        *ret = known;
        return OK;
    }
    return key_cache_add(keyring->cache, &wrapped, ret, err);
}

enum result keyring_find(struct keyring *keyring, struct view owner, uint64_t id, const uint8_t **ret,
                         struct error *err)
{
    const uint8_t *known = key_cache_find(keyring->cache, owner, id);
    if (known != NULL) {
        *ret = known;
        return OK;
    }
    char name[KEY_NAME_SIZE];
    enum result result = log_find(keyring->fetcher, TOPIC_KEYS, key_name(owner, id, name), &keyring->value, err);
    if (result != OK)
        return result;
    uint64_t found;
    return key_take_in(keyring, ret, &found, err);
}

enum result keyring_find_any(struct keyring *keyring, struct view owner, uint64_t *ret_id, struct error *err)
{
    char name[KEY_NAME_SIZE];
    struct view prefix = key_name(owner, 0, name);
    prefix.size = owner.size + 1;
    enum result result = log_find_prefix(keyring->fetcher, TOPIC_KEYS, prefix, &keyring->name, &keyring->value, err);
    if (result != OK)
        return result;
    const uint8_t *key;
    return key_take_in(keyring, &key, ret_id, err);
}

struct log_entry keyring_new_key(struct keyring *keyring, struct view owner, uint64_t *ret_id, struct arena *arena)
{
    struct data_key made = {.owner = owner};
    vault_data_key_create(keyring->vault, owner, &made.id, made.wrapped);
    const uint8_t *key;
    if (key_cache_add(keyring->cache, &made, &key, NULL) != OK)
        abort(); /* a key wrapped a moment ago by the same vault */
    struct buffer value = {0};
    schema_encode(SCHEMA_DATA_KEY, &made, &value);
    char name[KEY_NAME_SIZE];
    struct log_entry entry = {
        .topic = TOPIC_KEYS,
        .partition = 0,
        .key = arena_copy(arena, key_name(owner, made.id, name)),
        .value = arena_copy(arena, buffer_view(&value)),
    };
    buffer_destroy(&value);
    *ret_id = made.id;
    return entry;
}
