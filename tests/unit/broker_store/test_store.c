/* Keys, values, scans, positions and watermarks of a store. */
#include "folder.h"

static void what_is_written_is_found_at_once_and_after_a_commit(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    assert_found(folder.store, 's', "a", NULL);
    put(folder.store, 's', "a", "1");
    assert_found(folder.store, 's', "a", "1");
    assert_found(folder.store, 'd', "a", NULL);
    assert_int_equal(store_dirty_count(folder.store), 1);
    commit(&folder);
    assert_int_equal(store_dirty_count(folder.store), 0);
    assert_found(folder.store, 's', "a", "1");
    folder_reopen(&folder);
    assert_found(folder.store, 's', "a", "1");
    put(folder.store, 's', "a", "2, which is longer");
    assert_found(folder.store, 's', "a", "2, which is longer");
    put(folder.store, 's', "a", "3");
    assert_found(folder.store, 's', "a", "3");
    commit(&folder);
    assert_found(folder.store, 's', "a", "3");
    folder_remove(&folder);
}

static void what_is_not_committed_is_gone_after_closing(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    put(folder.store, 's', "a", "2");
    put(folder.store, 's', "b", "2");
    folder_reopen(&folder);
    assert_found(folder.store, 's', "a", "1");
    assert_found(folder.store, 's', "b", NULL);
    folder_remove(&folder);
}

static void what_is_removed_is_gone_at_once_and_after_a_commit(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    put(folder.store, 's', "b", "1");
    commit(&folder);
    store_remove(folder.store, 's', VIEW("a"));
    store_remove(folder.store, 's', VIEW("never was"));
    assert_found(folder.store, 's', "a", NULL);
    assert_scan(folder.store, 's', NULL, NULL, "b=1 ");
    commit(&folder);
    assert_found(folder.store, 's', "a", NULL);
    assert_scan(folder.store, 's', NULL, NULL, "b=1 ");
    put(folder.store, 's', "a", "2");
    store_remove(folder.store, 's', VIEW("b"));
    put(folder.store, 's', "b", "2");
    assert_scan(folder.store, 's', NULL, NULL, "a=2 b=2 ");
    commit(&folder);
    assert_scan(folder.store, 's', NULL, NULL, "a=2 b=2 ");
    folder_remove(&folder);
}

static void scans_see_what_was_written_since_the_commit_in_order(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    assert_scan(folder.store, 'd', NULL, NULL, "");
    put(folder.store, 'd', "b", "1");
    put(folder.store, 'd', "d", "1");
    put(folder.store, 'd', "f", "1");
    assert_scan(folder.store, 'd', NULL, NULL, "b=1 d=1 f=1 ");
    commit(&folder);
    put(folder.store, 'd', "a", "2");
    put(folder.store, 'd', "d", "2");
    put(folder.store, 'd', "e", "2");
    put(folder.store, 'd', "g", "2");
    put(folder.store, 's', "c", "other space");
    store_remove(folder.store, 'd', VIEW("f"));
    assert_scan(folder.store, 'd', NULL, NULL, "a=2 b=1 d=2 e=2 g=2 ");
    assert_scan(folder.store, 'd', "b", "e", "b=1 d=2 ");
    assert_scan(folder.store, 'd', "c", NULL, "d=2 e=2 g=2 ");
    assert_scan(folder.store, 'd', "h", NULL, "");
    assert_scan(folder.store, 'd', "b", "b", "");
    folder_remove(&folder);
}

struct first {
    struct store *store;
    size_t most, seen;
};

static bool stop_after_most(void *context, struct view key, struct view value)
{
    struct first *first = context;
    (void)key, (void)value;
    return ++first->seen < first->most;
}

static void a_scan_stops_when_it_is_told_to(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 'd', "a", "1");
    put(folder.store, 'd', "c", "1");
    commit(&folder);
    put(folder.store, 'd', "b", "2");
    put(folder.store, 'd', "d", "2");
    for (size_t most = 1; most <= 4; most++) {
        struct first first = {.store = folder.store, .most = most};
        assert_int_equal(store_scan(folder.store, 'd', VIEW_NONE, VIEW_NONE, stop_after_most, &first), OK);
        assert_int_equal(first.seen, most);
    }
    folder_remove(&folder);
}

static bool scan_and_find_within(void *context, struct view key, struct view value)
{
    struct first *outer = context, inner = {.store = outer->store, .most = 100};
    struct buffer found = {0};
    assert_int_equal(store_find(outer->store, 'd', key, &found), OK);
    assert_true(view_is(buffer_view(&found), value));
    assert_int_equal(store_scan(outer->store, 'd', key, VIEW_NONE, stop_after_most, &inner), OK);
    assert_int_equal(inner.seen, 3 - outer->seen);
    buffer_destroy(&found);
    outer->seen++;
    return true;
}

static void a_scan_may_find_and_scan_within(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 'd', "a", "1");
    put(folder.store, 'd', "b", "1");
    commit(&folder);
    put(folder.store, 'd', "b", "2");
    put(folder.store, 'd', "c", "2");
    struct first outer = {.store = folder.store};
    assert_int_equal(store_scan(folder.store, 'd', VIEW_NONE, VIEW_NONE, scan_and_find_within, &outer), OK);
    assert_int_equal(outer.seen, 3);
    folder_remove(&folder);
}

static void keys_and_values_may_be_empty_large_or_any_bytes(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct buffer found = {0};
    size_t size = 1000 * 1000;
    uint8_t *large = memory_take(size);
    for (size_t i = 0; i < size; i++)
        large[i] = (uint8_t)(i * 7);
    store_put(folder.store, 's', VIEW(""), VIEW("empty key"));
    store_put(folder.store, 's', VIEW("empty value"), VIEW(""));
    store_put(folder.store, 's', VIEW("nul\0a"), view_make(large, size));
    store_put(folder.store, 's', VIEW("nul\0b"), VIEW("\0"));
    store_put(folder.store, 'S', VIEW(""), VIEW("capital"));
    for (int committed = 0; committed < 2; committed++) {
        assert_found(folder.store, 's', "", "empty key");
        assert_found(folder.store, 's', "empty value", "");
        assert_found(folder.store, 'S', "", "capital");
        assert_int_equal(store_find(folder.store, 's', VIEW("nul\0a"), &found), OK);
        assert_true(view_is(buffer_view(&found), view_make(large, size)));
        assert_int_equal(store_find(folder.store, 's', VIEW("nul\0b"), &found), OK);
        assert_true(view_is(buffer_view(&found), VIEW("\0")));
        assert_int_equal(store_find(folder.store, 's', VIEW("nul\0"), &found), NOTHING);
        commit(&folder);
    }
    buffer_destroy(&found);
    free(large);
    folder_remove(&folder);
}

static const struct store_position known_position = {
    .topic = 1, .partition = 47, .next_offset = 1LL << 40, .last_offset = 17, .last_hash = {1, 2, 255}, .rules = 3};

static void a_position_comes_back_as_it_was(void **state)
{
    (void)state;
    struct folder folder;
    struct store_position found = {.topic = 99}, none = {.partition = 1, .next_offset = -1, .last_offset = -1};
    folder_make(&folder);
    assert_int_equal(store_position_find(folder.store, 1, 47, &found), NOTHING);
    assert_int_equal(found.topic, 99);
    store_position_put(folder.store, &known_position);
    store_position_put(folder.store, &none);
    for (int committed = 0; committed < 2; committed++) {
        assert_int_equal(store_position_find(folder.store, 1, 47, &found), OK);
        assert_int_equal(found.next_offset, known_position.next_offset);
        assert_int_equal(found.last_offset, known_position.last_offset);
        assert_int_equal(found.rules, known_position.rules);
        assert_memory_equal(found.last_hash, known_position.last_hash, HASH_SIZE);
        assert_int_equal(store_position_find(folder.store, 0, 1, &found), OK);
        assert_int_equal(found.next_offset, -1);
        assert_int_equal(found.last_offset, -1);
        assert_int_equal(store_position_find(folder.store, 1, 46, &found), NOTHING);
        commit(&folder);
        folder_reopen(&folder);
    }
    folder_remove(&folder);
}

static void list_watermark(void *context, const struct store_watermark *watermark)
{
    buffer_add_format(context, "%d/%d<%d/%d:%lld.%d ", watermark->topic, watermark->partition, watermark->source_topic,
                      watermark->source, (long long)watermark->offset, watermark->index);
}

static void watermarks_come_back_each_once_with_the_last_value(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    struct store_watermark watermark = {1, 2, 0, 3, 1LL << 33, 4};
    store_watermark_put(folder.store, &watermark);
    watermark.source = 2;
    store_watermark_put(folder.store, &watermark);
    commit(&folder);
    watermark.index = 5;
    store_watermark_put(folder.store, &watermark);
    for (int committed = 0; committed < 2; committed++) {
        struct buffer list = {0};
        assert_int_equal(store_watermark_each(folder.store, list_watermark, &list), OK);
        assert_true(view_is_text(buffer_view(&list), "1/2<0/2:8589934592.5 1/2<0/3:8589934592.4 "));
        buffer_destroy(&list);
        commit(&folder);
    }
    folder_remove(&folder);
}

/* ---- against the plainest model there is ---- */

enum { WALK_KEYS = 200, WALK_STEPS = 30000 };

struct walk {
    bool there[2][WALK_KEYS];
    uint64_t value[2][WALK_KEYS];
    size_t space, next, to;
};

static void walk_key(size_t key, char ret[16])
{
    (void)snprintf(ret, 16, key % 2 == 0 ? "k%03zu" : "key-%06zu", key);
}

static bool walk_each(void *context, struct view key, struct view value)
{
    struct walk *walk = context;
    char expected[16];
    uint64_t number;
    while (walk->next < walk->to && !walk->there[walk->space][walk->next])
        walk->next += 2;
    assert_true(walk->next < walk->to);
    walk_key(walk->next, expected);
    assert_true(view_is_text(key, expected));
    assert_true(value.size >= sizeof number);
    memcpy(&number, value.data, sizeof number);
    assert_int_equal(number, walk->value[walk->space][walk->next]);
    walk->next += 2;
    return true;
}

static void walk_scan(struct folder *folder, struct walk *walk, size_t space, size_t a, size_t b)
{
    size_t from = (a < b ? a : b) / 2 * 2, to = (a < b ? b : a) / 2 * 2;
    char from_key[16], to_key[16];
    walk_key(from, from_key);
    walk_key(to, to_key);
    walk->space = space;
    walk->next = from;
    walk->to = to;
    assert_int_equal(
        store_scan(folder->store, "sd"[space], view_of_text(from_key), view_of_text(to_key), walk_each, walk), OK);
    for (; walk->next < to; walk->next += 2)
        assert_false(walk->there[space][walk->next]);
}

static void a_long_random_walk_agrees_with_an_array(void **state)
{
    (void)state;
    struct folder folder;
    struct walk *walk = memory_take(sizeof *walk);
    struct buffer found = {0};
    uint8_t value[300] = {0};
    folder_make(&folder);
    uint64_t random = 88172645463325252U;
    for (size_t step = 0; step < WALK_STEPS; step++) {
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        size_t space = random & 1, key = random / 8 % WALK_KEYS, what = random >> 32 & 63;
        char text[16];
        walk_key(key, text);
        if (what < 30) {
            memcpy(value, &random, sizeof random);
            store_put(folder.store, "sd"[space], view_of_text(text), view_make(value, 8 + (random >> 40) % 292));
            walk->there[space][key] = true;
            walk->value[space][key] = random;
        } else if (what < 40) {
            store_remove(folder.store, "sd"[space], view_of_text(text));
            walk->there[space][key] = false;
        } else if (what < 60) {
            enum result result = store_find(folder.store, "sd"[space], view_of_text(text), &found);
            assert_int_equal(result, walk->there[space][key] ? OK : NOTHING);
            if (result == OK)
                assert_memory_equal(found.data, &walk->value[space][key], sizeof random);
        } else if (what == 60) {
            commit(&folder);
            if (random >> 50 & 1)
                folder_reopen(&folder);
        } else {
            walk_scan(&folder, walk, space, key, (random >> 20) % WALK_KEYS);
        }
    }
    buffer_destroy(&found);
    free(walk);
    folder_remove(&folder);
}

static void memory_is_given_back_at_a_commit_and_bounded_by_what_is_written(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    uint8_t value[2000] = {0};
    for (size_t size = 1; size <= sizeof value; size++) /* one key that grows a little at each write */
        store_put(folder.store, 's', VIEW("hot"), view_make(value, size));
    assert_int_equal(store_dirty_count(folder.store), 1);
    assert_true(store_dirty_bytes(folder.store) < 300 * 1024); /* one chunk and the smallest table */
    commit(&folder);
    assert_int_equal(store_dirty_bytes(folder.store), 0);
    folder_remove(&folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_found_at_once_and_after_a_commit),
        cmocka_unit_test(what_is_not_committed_is_gone_after_closing),
        cmocka_unit_test(what_is_removed_is_gone_at_once_and_after_a_commit),
        cmocka_unit_test(scans_see_what_was_written_since_the_commit_in_order),
        cmocka_unit_test(a_scan_stops_when_it_is_told_to),
        cmocka_unit_test(a_scan_may_find_and_scan_within),
        cmocka_unit_test(keys_and_values_may_be_empty_large_or_any_bytes),
        cmocka_unit_test(a_position_comes_back_as_it_was),
        cmocka_unit_test(watermarks_come_back_each_once_with_the_last_value),
        cmocka_unit_test(a_long_random_walk_agrees_with_an_array),
        cmocka_unit_test(memory_is_given_back_at_a_commit_and_bounded_by_what_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
