/* Large values: in files beside the store's, swept when they are mostly garbage. */
#include "folder.h"

#include <sys/wait.h>

enum { KEYS = 2000, VALUE = 1000, LIMIT = 2 * KEYS * (VALUE + 50) + 18 * 1024 * 1024 };

struct shelf {
    struct folder folder;
    uint64_t numbers[KEYS]; /* what is committed; 0: nothing */
    uint64_t random;
    struct buffer found;
};

static uint64_t shelf_random(struct shelf *shelf)
{
    shelf->random ^= shelf->random << 13, shelf->random ^= shelf->random >> 7, shelf->random ^= shelf->random << 17;
    return shelf->random;
}

static struct view shelf_key(size_t key, char ret[16])
{
    return view_make(ret, (size_t)snprintf(ret, 16, "key-%06zu", key));
}

static void shelf_put(struct shelf *shelf, size_t key, size_t size)
{
    uint64_t value[VALUE / 8 + 1];
    char text[16];
    for (size_t i = 0; i < sizeof value / sizeof *value; i++)
        value[i] = shelf->random + i;
    value[0] = shelf_random(shelf);
    value[1] = key;
    store_put(shelf->folder.store, 's', shelf_key(key, text), view_make(value, size));
    shelf->numbers[key] = value[0];
}

static void assert_shelf(struct shelf *shelf, struct store *store)
{
    char text[16];
    for (size_t key = 0; key < KEYS; key++) {
        enum result result = store_find(store, 's', shelf_key(key, text), &shelf->found);
        assert_int_equal(result, shelf->numbers[key] == 0 ? NOTHING : OK);
        if (result == OK)
            assert_memory_equal(shelf->found.data, &shelf->numbers[key], sizeof shelf->numbers[key]);
    }
}

static off_t folder_bytes(const struct folder *folder, const char *what)
{
    off_t bytes = 0;
    DIR *files = opendir(folder->path);
    const struct dirent *file;
    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        struct stat facts;
        if (strstr(file->d_name, what) != NULL && fstatat(dirfd(files), file->d_name, &facts, 0) == 0)
            bytes += facts.st_size;
    }
    (void)closedir(files);
    return bytes;
}

static struct shelf *shelf_make(void)
{
    struct shelf *shelf = memory_take(sizeof *shelf);
    shelf->random = 88172645463325252U;
    folder_make(&shelf->folder);
    return shelf;
}

static void shelf_remove(struct shelf *shelf)
{
    buffer_destroy(&shelf->found);
    folder_remove(&shelf->folder);
    free(shelf);
}

static void shelf_rewrite(struct shelf *shelf, size_t count)
{
    for (size_t i = 0; i < count; i++)
        shelf_put(shelf, shelf_random(shelf) % KEYS, VALUE);
    commit(&shelf->folder);
}

static void values_written_over_again_and_again_do_not_fill_the_disk(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    for (int round = 0; round < 60; round++) {
        shelf_rewrite(shelf, KEYS);
        assert_true(folder_bytes(&shelf->folder, "-values-") < LIMIT);
        if (round % 10 == 9) {
            folder_reopen(&shelf->folder);
            assert_shelf(shelf, shelf->folder.store);
        }
    }
    shelf_remove(shelf);
}

static void a_hot_few_among_a_cold_many_do_not_fill_the_disk(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    for (size_t key = 0; key < KEYS; key++)
        shelf_put(shelf, key, VALUE);
    commit(&shelf->folder);
    for (int round = 0; round < 300; round++) {
        for (size_t i = 0; i < 200; i++)
            shelf_put(shelf, i * 10, VALUE);
        commit(&shelf->folder);
        assert_true(folder_bytes(&shelf->folder, "-values-") < LIMIT);
    }
    assert_shelf(shelf, shelf->folder.store);
    shelf_remove(shelf);
}

static void a_value_may_grow_out_of_its_row_and_shrink_back_and_go(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    static const size_t sizes[] = {16, VALUE, 64, 65, VALUE, 17};
    for (size_t round = 0; round < sizeof sizes / sizeof *sizes; round++) {
        for (size_t key = 0; key < KEYS; key++)
            shelf_put(shelf, key, sizes[round]);
        commit(&shelf->folder);
        assert_shelf(shelf, shelf->folder.store);
    }
    for (int round = 0; round < 12; round++) {
        shelf_rewrite(shelf, KEYS);
        for (size_t key = 0; key < KEYS; key++) {
            char text[16];
            store_remove(shelf->folder.store, 's', shelf_key(key, text));
            shelf->numbers[key] = 0;
        }
        commit(&shelf->folder);
    }
    folder_reopen(&shelf->folder);
    assert_shelf(shelf, shelf->folder.store);
    assert_true(folder_bytes(&shelf->folder, "-values-") < LIMIT - KEYS * VALUE);
    shelf_remove(shelf);
}

static bool count_each(void *context, struct view key, struct view value)
{
    uint64_t number;
    char text[16];
    assert_true(value.size >= 16);
    memcpy(&number, (const char *)value.data + 8, sizeof number);
    assert_true(view_is(key, shelf_key(number, text)));
    ++*(size_t *)context;
    return true;
}

static void a_reader_finds_everything_while_the_owner_sweeps(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    struct store *reader = NULL;
    for (size_t key = 0; key < KEYS; key++)
        shelf_put(shelf, key, VALUE);
    commit(&shelf->folder);
    assert_int_equal(store_open_read_only(shelf->folder.file, &reader, &shelf->folder.err), OK);
    for (int round = 0; round < 30; round++) {
        size_t count = 0;
        shelf_rewrite(shelf, KEYS);
        assert_shelf(shelf, reader);
        assert_int_equal(store_scan(reader, 's', VIEW_NONE, VIEW_NONE, count_each, &count), OK);
        assert_int_equal(count, KEYS);
    }
    store_close(reader);
    shelf_remove(shelf);
}

struct interrupted {
    struct shelf *shelf;
    size_t count;
};

/* The owner commits so much between two rows of a reader's scan that every segment the scan knew is gone. */
static bool rewrite_everything_at_the_tenth(void *context, struct view key, struct view value)
{
    struct interrupted *interrupted = context;
    size_t count = interrupted->count;
    (void)count_each(&interrupted->count, key, value);
    for (int round = 0; count == 10 && round < 30; round++)
        shelf_rewrite(interrupted->shelf, KEYS);
    return true;
}

static void a_readers_scan_goes_on_where_the_owner_moved_the_values_under_it(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    struct interrupted interrupted = {.shelf = shelf};
    struct store *reader = NULL;
    for (size_t key = 0; key < KEYS; key++)
        shelf_put(shelf, key, VALUE);
    commit(&shelf->folder);
    assert_int_equal(store_open_read_only(shelf->folder.file, &reader, &shelf->folder.err), OK);
    assert_int_equal(store_scan(reader, 's', VIEW_NONE, VIEW_NONE, rewrite_everything_at_the_tenth, &interrupted), OK);
    assert_int_equal(interrupted.count, KEYS);
    store_close(reader);
    shelf_remove(shelf);
}

/* Another process, at any moment between the owner's row and its value. */
static _Noreturn void read_until_told(const char *path, int told)
{
    struct store *reader = NULL;
    struct buffer found = {0};
    char text[16];
    uint64_t number;
    if (store_open_read_only(path, &reader, NULL) != OK || fcntl(told, F_SETFL, O_NONBLOCK) != 0)
        _exit(1);
    for (size_t i = 0; read(told, text, 1) != 0; i++) {
        size_t key = i * 7919 % KEYS;
        if (store_find(reader, 's', shelf_key(key, text), &found) != OK)
            _exit(2);
        memcpy(&number, found.data + 8, sizeof number);
        if (number != key)
            _exit(3);
    }
    _exit(0);
}

static void a_reader_in_another_process_finds_everything_while_the_owner_sweeps(void **state)
{
    (void)state;
    struct shelf *shelf = shelf_make();
    int told[2];
    for (size_t key = 0; key < KEYS; key++)
        shelf_put(shelf, key, VALUE);
    commit(&shelf->folder);
    store_close(shelf->folder.store); /* an open database must not be carried into a child */
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        (void)close(told[1]);
        read_until_told(shelf->folder.file, told[0]);
    }
    folder_open(&shelf->folder);
    for (int round = 0; round < 40; round++)
        shelf_rewrite(shelf, KEYS);
    (void)close(told[1]);
    (void)close(told[0]);
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    shelf_remove(shelf);
}

static void damage_values(const struct folder *folder, bool remove_them)
{
    DIR *files = opendir(folder->path);
    const struct dirent *file;
    assert_non_null(files);
    while ((file = readdir(files)) != NULL) {
        if (strstr(file->d_name, "-values-") == NULL)
            continue;
        if (remove_them) {
            assert_int_equal(unlinkat(dirfd(files), file->d_name, 0), 0);
            continue;
        }
        int fd = openat(dirfd(files), file->d_name, O_WRONLY);
        for (off_t at = 500; at < 3000000; at += 1000)
            assert_int_equal(pwrite(fd, "damage", 6, at), 6);
        (void)close(fd);
    }
    (void)closedir(files);
}

static void a_damaged_or_missing_value_is_fatal_once_and_then_the_store_is_made_anew(void **state)
{
    (void)state;
    for (int missing = 0; missing < 2; missing++) {
        struct shelf *shelf = shelf_make();
        char text[16];
        shelf_rewrite(shelf, KEYS);
        store_close(shelf->folder.store);
        damage_values(&shelf->folder, missing == 1);
        folder_open(&shelf->folder);
        enum result result = NOTHING;
        for (size_t key = 0; key < KEYS && (result == OK || result == NOTHING); key++)
            result = store_find(shelf->folder.store, 's', shelf_key(key, text), &shelf->found);
        assert_int_equal(result, FATAL);
        assert_non_null(strstr(store_why(shelf->folder.store), "made anew from the log"));
        folder_reopen(&shelf->folder);
        memset(shelf->numbers, 0, sizeof shelf->numbers);
        assert_shelf(shelf, shelf->folder.store);
        assert_int_equal(folder_bytes(&shelf->folder, "-values-"), 0);
        shelf_rewrite(shelf, KEYS);
        assert_shelf(shelf, shelf->folder.store);
        shelf_remove(shelf);
    }
}

static void a_values_file_that_nothing_refers_to_is_removed_and_others_are_left_alone(void **state)
{
    (void)state;
    static const char *const names[] = {"match.store-values-00000099", "match.store-values-new",
                                        "match.store2-values-00000099"};
    struct shelf *shelf = shelf_make();
    char path[3][128];
    for (size_t i = 0; i < 3; i++) {
        (void)snprintf(path[i], sizeof path[i], "%s/%s", shelf->folder.path, names[i]);
        int fd = open(path[i], O_WRONLY | O_CREAT, 0600);
        assert_true(fd >= 0);
        (void)close(fd);
    }
    folder_reopen(&shelf->folder);
    assert_int_equal(access(path[0], F_OK), -1);
    assert_int_equal(unlink(path[1]), 0);
    assert_int_equal(unlink(path[2]), 0);
    shelf_remove(shelf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_written_over_again_and_again_do_not_fill_the_disk),
        cmocka_unit_test(a_hot_few_among_a_cold_many_do_not_fill_the_disk),
        cmocka_unit_test(a_value_may_grow_out_of_its_row_and_shrink_back_and_go),
        cmocka_unit_test(a_reader_finds_everything_while_the_owner_sweeps),
        cmocka_unit_test(a_readers_scan_goes_on_where_the_owner_moved_the_values_under_it),
        cmocka_unit_test(a_reader_in_another_process_finds_everything_while_the_owner_sweeps),
        cmocka_unit_test(a_damaged_or_missing_value_is_fatal_once_and_then_the_store_is_made_anew),
        cmocka_unit_test(a_values_file_that_nothing_refers_to_is_removed_and_others_are_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
