/* Sentences about compacted topics: the newest value under a key, and certainty. */
#include "tests/contract/contract.h"

#include <stdio.h>

struct finder {
    struct log_fetcher *fetcher;
    struct buffer key, value;
};

static void finder_open(struct world *world, struct finder *finder)
{
    *finder = (struct finder){0};
    assert_int_equal(log_fetcher_open(world->log, &finder->fetcher, &world->err), OK);
}

static void finder_close(struct finder *finder)
{
    log_fetcher_close(finder->fetcher);
    buffer_destroy(&finder->key);
    buffer_destroy(&finder->value);
}

static void assert_found(struct world *world, struct finder *finder, const char *key, const char *value)
{
    enum result result = log_find(finder->fetcher, TOPIC_KEYS, view_of_text(key), &finder->value, &world->err);
    assert_int_equal(result, value == NULL ? NOTHING : OK);
    if (value != NULL)
        assert_true(view_is_text(buffer_view(&finder->value), value));
}

/* Without waiting: what was answered is found, what was not written is not there. */
static void a_key_is_found_as_soon_as_it_was_answered(void **state)
{
    struct world *world = *state;
    struct finder finder;
    world_open(world);
    finder_open(world, &finder);
    for (int i = 0; i < 50; i++) {
        char key[32], value[32];
        (void)snprintf(key, sizeof key, "key-%d", i);
        (void)snprintf(value, sizeof value, "value-%d", i);
        assert_found(world, &finder, key, NULL);
        (void)append(world, TOPIC_KEYS, 0, key, value);
        assert_found(world, &finder, key, value);
    }
    finder_close(&finder);
}

static void the_newest_value_is_found(void **state)
{
    struct world *world = *state;
    struct finder finder;
    world_open(world);
    finder_open(world, &finder);
    (void)append(world, TOPIC_KEYS, 0, "k", "old");
    (void)append(world, TOPIC_KEYS, 0, "other", "x");
    (void)append(world, TOPIC_KEYS, 0, "k", "new");
    assert_found(world, &finder, "k", "new");
    world->err.text[0] = '\0';
    finder_close(&finder);
    world_close(world);
    world_open(world);
    finder_open(world, &finder);
    assert_found(world, &finder, "k", "new");
    assert_found(world, &finder, "other", "x");
    finder_close(&finder);
}

static void a_tombstone_is_nothing_and_readers_learn_of_it(void **state)
{
    struct world *world = *state;
    struct finder finder;
    struct seen_list list = {0};
    struct log_entry tombstone = entry_of(TOPIC_KEYS, 0, "k", NULL);
    world_open(world);
    finder_open(world, &finder);
    (void)append(world, TOPIC_KEYS, 0, "k", "secret");
    (void)append(world, TOPIC_KEYS, 0, "other", "x");
    struct log_reader *reader = reader_open(world, TOPIC_KEYS, NULL, start_at_beginning, NULL);
    read_until(reader, 2, &list);
    append_surely(world, &tombstone, 1);
    assert_found(world, &finder, "k", NULL);
    assert_found(world, &finder, "other", "x");
    read_until(reader, 3, &list);
    assert_string_equal(list.items[2].key, "k");
    assert_true(list.items[2].is_tombstone);
    (void)append(world, TOPIC_KEYS, 0, "k", "again");
    assert_found(world, &finder, "k", "again");
    log_reader_close(reader);
    seen_clear(&list);
    finder_close(&finder);
}

static void the_first_live_key_with_a_prefix_is_found(void **state)
{
    struct world *world = *state;
    struct finder finder;
    struct log_entry tombstone = entry_of(TOPIC_KEYS, 0, "p1.a", NULL);
    world_open(world);
    finder_open(world, &finder);
    (void)append(world, TOPIC_KEYS, 0, "p1.b", "1b");
    (void)append(world, TOPIC_KEYS, 0, "p1.a", "1a");
    (void)append(world, TOPIC_KEYS, 0, "p2.a", "2a");
    (void)append(world, TOPIC_KEYS, 0, "\xff\xff.a", "ffa");
    const struct {
        const char *prefix, *key;
    } wanted[] = {{"p1.", "p1.a"}, {"p2.", "p2.a"}, {"p3.", NULL}, {"p1.b", "p1.b"}, {"\xff\xff", "\xff\xff.a"},
                  {"p0", NULL}};
    for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
        enum result result = log_find_prefix(finder.fetcher, TOPIC_KEYS, view_of_text(wanted[i].prefix), &finder.key,
                                             &finder.value, &world->err);
        assert_int_equal(result, wanted[i].key == NULL ? NOTHING : OK);
        if (wanted[i].key != NULL)
            assert_true(view_is_text(buffer_view(&finder.key), wanted[i].key));
    }
    append_surely(world, &tombstone, 1);
    assert_int_equal(log_find_prefix(finder.fetcher, TOPIC_KEYS, VIEW("p1."), &finder.key, &finder.value, &world->err),
                     OK);
    assert_true(view_is_text(buffer_view(&finder.key), "p1.b"));
    assert_true(view_is_text(buffer_view(&finder.value), "1b"));
    finder_close(&finder);
}

static void a_reader_of_a_compacted_topic_sees_every_keys_newest(void **state)
{
    struct world *world = *state;
    struct seen_list list = {0};
    world_open(world);
    for (int i = 0; i < 300; i++) {
        char key[32], value[32];
        (void)snprintf(key, sizeof key, "%d", i % 100);
        (void)snprintf(value, sizeof value, "%d", i);
        (void)append(world, TOPIC_DIRECTORY, 0, key, value);
    }
    struct log_reader *reader = reader_open(world, TOPIC_DIRECTORY, NULL, start_at_beginning, NULL);
    int newest[100] = {0}, seen = 0;
    while (seen < 100) {
        size_t before = list.count;
        read_until(reader, before + 1, &list);
        for (size_t i = before; i < list.count; i++) {
            int key, value;
            assert_int_equal(sscanf(list.items[i].key, "%d", &key), 1);
            assert_int_equal(sscanf(list.items[i].value, "%d", &value), 1);
            assert_true(value >= newest[key]);
            newest[key] = value;
            seen += value >= 200;
        }
    }
    (void)append(world, TOPIC_DIRECTORY, 0, "7", "fresh");
    list.count = 0;
    read_until(reader, 1, &list);
    assert_true(seen_is(&list.items[0], "7", "fresh"));
    log_reader_close(reader);
    seen_clear(&list);
}

SENTENCES(finding, SENTENCE(a_key_is_found_as_soon_as_it_was_answered), SENTENCE(the_newest_value_is_found),
          SENTENCE(a_tombstone_is_nothing_and_readers_learn_of_it), SENTENCE(the_first_live_key_with_a_prefix_is_found),
          SENTENCE(a_reader_of_a_compacted_topic_sees_every_keys_newest));
