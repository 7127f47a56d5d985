/* Readers beside a store's owner. */
#include "folder.h"

static void a_reader_beside_the_owner_sees_only_what_is_committed(void **state)
{
    (void)state;
    struct folder folder;
    struct store *reader = NULL;
    folder_make(&folder);
    assert_int_equal(store_open_read_only(folder.file, &reader, &folder.err), OK);
    assert_found(reader, 's', "a", NULL);
    assert_scan(reader, 's', NULL, NULL, "");
    put(folder.store, 's', "a", "1");
    assert_found(folder.store, 's', "a", "1");
    assert_found(reader, 's', "a", NULL);
    commit(&folder);
    assert_found(reader, 's', "a", "1");
    put(folder.store, 's', "b", "2");
    store_remove(folder.store, 's', VIEW("a"));
    store_position_put(folder.store, &(struct store_position){.next_offset = 9});
    assert_scan(folder.store, 's', NULL, NULL, "b=2 ");
    assert_scan(reader, 's', NULL, NULL, "a=1 ");
    struct store_position position;
    assert_int_equal(store_position_find(reader, 0, 0, &position), NOTHING);
    commit(&folder);
    assert_scan(reader, 's', NULL, NULL, "b=2 ");
    assert_int_equal(store_position_find(reader, 0, 0, &position), OK);
    assert_int_equal(position.next_offset, 9);
    store_close(reader);
    folder_remove(&folder);
}

static void a_reader_needs_no_running_owner(void **state)
{
    (void)state;
    struct folder folder;
    struct store *reader = NULL;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    store_close(folder.store);
    folder.store = NULL;
    assert_int_equal(store_open_read_only(folder.file, &reader, &folder.err), OK);
    assert_found(reader, 's', "a", "1");
    folder_open(&folder);
    put(folder.store, 's', "a", "2");
    commit(&folder);
    assert_found(reader, 's', "a", "2");
    store_close(reader);
    folder_remove(&folder);
}

static void a_reader_goes_over_to_the_store_that_was_made_anew(void **state)
{
    (void)state;
    struct folder folder;
    struct store *reader = NULL;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    assert_int_equal(store_open_read_only(folder.file, &reader, &folder.err), OK);
    assert_found(reader, 's', "a", "1");
    store_close(folder.store);
    assert_int_equal(store_open(folder.file, THIS_LOG, 2, &folder.store, &folder.err), OK);
    assert_found(reader, 's', "a", NULL);
    put(folder.store, 's', "a", "2");
    commit(&folder);
    assert_found(reader, 's', "a", "2");
    store_close(reader);
    folder_remove(&folder);
}

static void a_reader_of_a_store_that_is_not_there_yet_is_told_so_and_makes_none(void **state)
{
    (void)state;
    struct store *reader = NULL;
    struct error err = {0};
    assert_int_equal(store_open_read_only("/tmp/tidings-no-such.store", &reader, &err), NOTHING);
    assert_non_null(strstr(err.text, "no store"));
    assert_null(reader);
    assert_int_equal(access("/tmp/tidings-no-such.store", F_OK), -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_reader_beside_the_owner_sees_only_what_is_committed),
        cmocka_unit_test(a_reader_needs_no_running_owner),
        cmocka_unit_test(a_reader_goes_over_to_the_store_that_was_made_anew),
        cmocka_unit_test(a_reader_of_a_store_that_is_not_there_yet_is_told_so_and_makes_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
