/* Data keys: bound to region, owner and id; kept unwrapped in a fixed number of places. */
#include "region.h"

#include "broker/base/memory.h"
#include "broker/event/limits.h"

#include <sys/mman.h>
#include <sys/resource.h>

static struct data_key new_key(const struct vault *vault, struct view owner)
{
    struct data_key key = {.owner = owner};
    vault_data_key_create(vault, owner, &key.id, key.wrapped);
    return key;
}

static void a_key_that_was_added_is_found_until_it_is_forgotten(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, 8);
    struct data_key key = new_key(region.vault, VIEW("A81001.subscription"));
    const uint8_t *added = NULL;
    assert_true(key.id != 0 && key.id <= INT64_MAX);
    assert_null(key_cache_find(cache, key.owner, key.id));
    assert_int_equal(key_cache_add(cache, &key, &added, &region.err), OK);
    assert_ptr_equal(key_cache_find(cache, key.owner, key.id), added);
    assert_null(key_cache_find(cache, key.owner, key.id + 1));
    assert_null(key_cache_find(cache, VIEW("A81001.subscriptioN"), key.id));
    assert_null(key_cache_find(cache, key.owner, 0));
    key_cache_forget(cache, key.owner, key.id);
    assert_null(key_cache_find(cache, key.owner, key.id));
    key_cache_forget(cache, key.owner, key.id);
    key_cache_destroy(cache);
    region_close(&region);
}

static void an_owner_may_have_several_keys(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, 8);
    struct data_key a = new_key(region.vault, VIEW("owner")), b = new_key(region.vault, VIEW("owner"));
    uint8_t key_a[DATA_KEY_SIZE];
    const uint8_t *found;
    assert_int_equal(key_cache_add(cache, &a, &found, &region.err), OK);
    memcpy(key_a, found, sizeof key_a);
    assert_int_equal(key_cache_add(cache, &b, &found, &region.err), OK);
    assert_memory_not_equal(key_a, found, sizeof key_a);
    assert_memory_equal(key_a, key_cache_find(cache, a.owner, a.id), sizeof key_a);
    key_cache_destroy(cache);
    region_close(&region);
}

static void assert_refused(struct key_cache *cache, const struct data_key *key)
{
    const uint8_t *found = NULL;
    struct error err;
    assert_int_equal(key_cache_add(cache, key, &found, &err), REJECTED);
    assert_null(found);
    assert_null(key_cache_find(cache, key->owner, key->id));
}

static void a_key_of_another_region_owner_or_id_is_refused(void **state)
{
    (void)state;
    struct region region, other;
    region_open(&region, NULL);
    region_open(&other, NULL);
    struct key_cache *cache = key_cache_create(region.vault, 8);
    struct data_key good = new_key(region.vault, VIEW("owner")), key = new_key(other.vault, VIEW("owner"));
    assert_refused(cache, &key);
    key = good;
    key.owner = VIEW("ownes");
    assert_refused(cache, &key);
    key = good;
    key.id ^= 1;
    assert_refused(cache, &key);
    key.id = 0;
    assert_refused(cache, &key);
    for (size_t i = 0; i < WRAPPED_KEY_SIZE; i++) {
        key = good;
        key.wrapped[i] ^= 0x80;
        assert_refused(cache, &key);
    }
    key_cache_destroy(cache);
    region_close(&region);
    region_close(&other);
}

static void an_owner_that_is_longer_than_any_key_is_refused(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, 8);
    static char name[LIMIT_KEY_BYTES + 1];
    memset(name, 'x', sizeof name);
    struct data_key longest = new_key(region.vault, view_make(name, LIMIT_KEY_BYTES)), key = longest;
    const uint8_t *found;
    assert_int_equal(key_cache_add(cache, &longest, &found, &region.err), OK);
    assert_ptr_equal(key_cache_find(cache, longest.owner, longest.id), found);
    key.owner = view_make(name, sizeof name);
    assert_refused(cache, &key);
    name[LIMIT_KEY_BYTES - 1] = 'y';
    assert_null(key_cache_find(cache, longest.owner, longest.id));
    key_cache_destroy(cache);
    region_close(&region);
}

static void the_least_recently_used_key_goes(void **state)
{
    (void)state;
    enum { SET = 8 };
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, SET);
    struct data_key keys[SET + 1];
    const uint8_t *found;
    for (size_t i = 0; i <= SET; i++) {
        if (i == SET)
            assert_non_null(key_cache_find(cache, keys[0].owner, keys[0].id)); /* so keys[1] is the oldest */
        keys[i] = new_key(region.vault, VIEW("owner"));
        assert_int_equal(key_cache_add(cache, &keys[i], &found, &region.err), OK);
    }
    for (size_t i = 0; i <= SET; i++)
        assert_int_equal(key_cache_find(cache, keys[i].owner, keys[i].id) != NULL, i != 1);
    key_cache_destroy(cache);
    region_close(&region);
}

static void it_grows_as_it_fills_and_forgets_nothing_by_growing(void **state)
{
    (void)state;
    enum { KEYS = 3000, ROOM = 64 * 1024 };
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, ROOM);
    struct data_key *keys = calloc(KEYS, sizeof *keys);
    const uint8_t *found;
    size_t kept = 0;
    for (size_t i = 0; i < KEYS; i++) {
        keys[i] = new_key(region.vault, VIEW("owner"));
        assert_int_equal(key_cache_add(cache, &keys[i], &found, &region.err), OK);
    }
    for (size_t i = 0; i < KEYS; i++)
        kept += key_cache_find(cache, keys[i].owner, keys[i].id) != NULL;
    assert_true(kept > KEYS * 9 / 10); /* a set may overflow while the cache is small; what is there is right */
    assert_int_equal(key_cache_add(cache, &keys[7], &found, &region.err), OK);
    uint8_t first[DATA_KEY_SIZE];
    memcpy(first, found, sizeof first);
    assert_memory_equal(key_cache_find(cache, keys[7].owner, keys[7].id), first, sizeof first);
    free(keys);
    key_cache_destroy(cache);
    region_close(&region);
}

/* Against the plainest model there is: an array in order of use. */
static void a_long_random_walk_agrees_with_a_list(void **state)
{
    (void)state;
    enum { KEYS = 24, PLACES = 8, STEPS = 20000 };
    struct region region;
    region_open(&region, NULL);
    struct key_cache *cache = key_cache_create(region.vault, PLACES);
    struct data_key keys[KEYS];
    char owners[KEYS][120];
    size_t list[KEYS], count = 0; /* oldest first */
    const uint8_t *found;
    for (size_t i = 0; i < KEYS; i++) {
        int size = snprintf(owners[i], sizeof owners[i], "%0*zu", i % 3 == 0 ? 100 : 32, i);
        keys[i] = new_key(region.vault, view_make(owners[i], (size_t)size));
    }
    uint64_t random = 88172645463325252U;
    for (size_t step = 0; step < STEPS; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t i = random % KEYS, at = 0;
        while (at < count && list[at] != i)
            at++;
        found = key_cache_find(cache, keys[i].owner, keys[i].id);
        assert_int_equal(found != NULL, at < count);
        if (at < count)
            memmove(&list[at], &list[at + 1], (--count - at) * sizeof *list);
        if (random >> 32 & 1) {
            key_cache_forget(cache, keys[i].owner, keys[i].id);
            continue;
        }
        if (found == NULL)
            assert_int_equal(key_cache_add(cache, &keys[i], &found, &region.err), OK);
        if (count == PLACES)
            memmove(&list[0], &list[1], --count * sizeof *list);
        list[count++] = i;
    }
    key_cache_destroy(cache);
    region_close(&region);
}

static void a_key_works_where_the_kernel_will_not_lock_and_says_so(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, NULL);
    struct rlimit before, none;
    assert_int_equal(getrlimit(RLIMIT_MEMLOCK, &before), 0);
    none = before;
    none.rlim_cur = 0;
    uid_t user = geteuid();
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &none), 0);
    if (user == 0)
        assert_int_equal(seteuid(65534), 0); /* root may lock whatever the limit */
    struct key_cache *cache = key_cache_create(region.vault, 100);
    struct data_key key = new_key(region.vault, VIEW("owner"));
    const uint8_t *found;
    enum result result = key_cache_add(cache, &key, &found, &region.err);
    bool locked = key_cache_is_locked(cache);
    bool lockable = mlock(&key, sizeof key) == 0; /* sanitizers swallow mlock, and say it worked */
    key_cache_destroy(cache);
    assert_int_equal(seteuid(user), 0);
    assert_int_equal(setrlimit(RLIMIT_MEMLOCK, &before), 0);
    assert_int_equal(result, OK);
    assert_int_equal(locked, lockable);
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_key_that_was_added_is_found_until_it_is_forgotten),
        cmocka_unit_test(an_owner_may_have_several_keys),
        cmocka_unit_test(a_key_of_another_region_owner_or_id_is_refused),
        cmocka_unit_test(an_owner_that_is_longer_than_any_key_is_refused),
        cmocka_unit_test(the_least_recently_used_key_goes),
        cmocka_unit_test(it_grows_as_it_fills_and_forgets_nothing_by_growing),
        cmocka_unit_test(a_long_random_walk_agrees_with_a_list),
        cmocka_unit_test(a_key_works_where_the_kernel_will_not_lock_and_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
