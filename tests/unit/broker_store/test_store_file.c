/* A store's file when things go wrong: killed, full, damaged, another log's. */
#include "folder.h"

#include <sys/resource.h>
#include <sys/wait.h>

/* ---- killed ---- */

/* In every commit all keys, the position and the watermark say the same number. */
static _Noreturn void commit_until_killed(struct folder *folder, int started)
{
    struct store *store = NULL;
    int64_t number = 0;
    if (store_open(folder->file, THIS_LOG, 1, &store, NULL) != OK)
        _exit(1);
    struct store_position position = {.last_offset = -1};
    if (store_position_find(store, 0, 0, &position) == OK)
        number = position.next_offset;
    for (;;) {
        number++;
        for (int i = 0; i < 200; i++) {
            char key[16];
            (void)snprintf(key, sizeof key, "%d", i * 7919 % 200);
            store_put(store, "sd"[i % 2], view_of_text(key), VIEW_OF(((int64_t[500]){number})));
        }
        position.next_offset = number;
        store_position_put(store, &position);
        store_watermark_put(store, &(struct store_watermark){.offset = number});
        if (store_commit(store, NULL) != OK || write(started, "x", 1) != 1)
            _exit(1);
    }
}

static void add_number(void *context, const struct store_watermark *watermark)
{
    *(int64_t *)context += watermark->offset;
}

static bool check_number(void *context, struct view key, struct view value)
{
    int64_t number;
    (void)key;
    memcpy(&number, value.data, sizeof number);
    assert_int_equal(number, *(int64_t *)context);
    return true;
}

static int64_t assert_all_say_the_same(struct store *store)
{
    struct store_position position = {0};
    int64_t watermarks = 0;
    if (store_position_find(store, 0, 0, &position) == OK) {
        assert_int_equal(store_scan(store, 's', VIEW_NONE, VIEW_NONE, check_number, &position.next_offset), OK);
        assert_int_equal(store_scan(store, 'd', VIEW_NONE, VIEW_NONE, check_number, &position.next_offset), OK);
    }
    assert_int_equal(store_watermark_each(store, add_number, &watermarks), OK);
    assert_int_equal(watermarks, position.next_offset);
    return position.next_offset;
}

static void killed_at_any_moment_states_and_positions_are_committed_together_or_not_at_all(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    int64_t last = 0;
    for (unsigned round = 0; round < 25; round++) {
        int started[2];
        char byte;
        store_close(folder.store);
        folder.store = NULL;
        assert_int_equal(pipe(started), 0);
        pid_t child = fork();
        assert_true(child >= 0);
        if (child == 0)
            commit_until_killed(&folder, started[1]);
        (void)close(started[1]);
        for (unsigned i = 0; i <= round % 4; i++)
            assert_int_equal(read(started[0], &byte, 1), 1);
        volatile unsigned spin = 0; /* a moment within a commit that differs from round to round */
        while (spin < round * 40000)
            spin++;
        assert_int_equal(kill(child, SIGKILL), 0);
        assert_int_equal(waitpid(child, NULL, 0), child);
        (void)close(started[0]);
        folder_open(&folder);
        int64_t number = assert_all_say_the_same(folder.store);
        assert_true(number > last); /* and what was committed is there */
        last = number;
    }
    folder_remove(&folder);
}

/* ---- a full disk ---- */

static void a_full_disk_loses_nothing_and_heals(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "before", "1");
    commit(&folder);
    struct rlimit before, small;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 100 * 1024;
    (void)signal(SIGXFSZ, SIG_IGN);
    uint8_t value[1000] = {7};
    for (uint32_t i = 0; i < 1000; i++)
        store_put(folder.store, 's', VIEW_OF(((uint32_t[]){i})), VIEW_OF(value));
    store_position_put(folder.store, &(struct store_position){.next_offset = 9});
    size_t dirty = 1001;
    for (int tries = 0; tries < 3; tries++) {
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
        enum result result = store_commit(folder.store, &folder.err);
        assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
        assert_int_equal(result, AGAIN);
        assert_non_null(strstr(folder.err.text, "now"));
        assert_int_equal(store_dirty_count(folder.store), dirty);
        struct store *reader = NULL;
        struct store_position position;
        assert_int_equal(store_open_read_only(folder.file, &reader, &folder.err), OK);
        assert_found(reader, 's', "before", "1");
        assert_int_equal(store_position_find(reader, 0, 0, &position), NOTHING);
        store_close(reader);
        put(folder.store, 's', "before", "2"); /* and folding goes on meanwhile */
        store_remove(folder.store, 's', VIEW_OF(((uint32_t[]){4})));
        store_put(folder.store, 's', VIEW_OF(((uint32_t[]){5})), VIEW("5"));
        assert_int_equal(store_position_find(folder.store, 0, 0, &position), OK);
        dirty = 1002;
    }
    commit(&folder);
    folder_reopen(&folder);
    struct buffer found = {0};
    for (uint32_t i = 0; i < 1000; i++) {
        enum result result = store_find(folder.store, 's', VIEW_OF(((uint32_t[]){i})), &found);
        assert_int_equal(result, i == 4 ? NOTHING : OK);
        if (result == OK)
            assert_int_equal(found.size, i == 5 ? 1 : sizeof value);
    }
    assert_found(folder.store, 's', "before", "2");
    buffer_destroy(&found);
    folder_remove(&folder);
}

/* ---- whose it is ---- */

static void a_store_of_another_log_is_refused_and_kept(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    store_close(folder.store);
    folder.store = NULL;
    for (int shape = 1; shape <= 2; shape++) {
        assert_int_equal(store_open(folder.file, OTHER_LOG, shape, &folder.store, &folder.err), REJECTED);
        assert_null(folder.store);
        assert_non_null(strstr(folder.err.text, "this store was made from another log: "));
        assert_non_null(strstr(folder.err.text, OTHER_LOG));
    }
    folder_open(&folder);
    assert_found(folder.store, 's', "a", "1");
    folder_remove(&folder);
}

static void a_second_owner_is_refused(void **state)
{
    (void)state;
    struct folder folder;
    struct store *second = NULL;
    folder_make(&folder);
    assert_int_equal(store_open(folder.file, THIS_LOG, 1, &second, &folder.err), REJECTED);
    assert_non_null(strstr(folder.err.text, "in use already"));
    assert_null(second);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    folder_reopen(&folder);
    assert_found(folder.store, 's', "a", "1");
    folder_remove(&folder);
}

static void nobody_else_may_read_a_stores_files(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    store_put(folder.store, 's', VIEW("a"), view_make((uint8_t[200]){1}, 200));
    commit(&folder);
    DIR *files = opendir(folder.path);
    const struct dirent *file;
    size_t count = 0;
    while ((file = readdir(files)) != NULL) {
        struct stat facts;
        if (file->d_name[0] == '.')
            continue;
        assert_int_equal(fstatat(dirfd(files), file->d_name, &facts, 0), 0);
        assert_int_equal(facts.st_mode & 0777, 0600);
        count++;
    }
    assert_int_equal(count, 5); /* database, WAL, its index, lock, values */
    (void)closedir(files);
    folder_remove(&folder);
}

static void a_store_of_another_shape_is_made_anew(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    store_position_put(folder.store, &(struct store_position){.next_offset = 9});
    commit(&folder);
    store_close(folder.store);
    struct store_position position;
    assert_int_equal(store_open(folder.file, THIS_LOG, 2, &folder.store, &folder.err), OK);
    assert_found(folder.store, 's', "a", NULL);
    assert_int_equal(store_position_find(folder.store, 0, 0, &position), NOTHING);
    put(folder.store, 's', "b", "2");
    commit(&folder);
    store_close(folder.store);
    assert_int_equal(store_open(folder.file, THIS_LOG, 2, &folder.store, &folder.err), OK);
    assert_found(folder.store, 's', "b", "2");
    folder_remove(&folder);
}

static void overwrite(const char *path, off_t at, const char *bytes, size_t size)
{
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, size, at), (ssize_t)size);
    assert_int_equal(close(fd), 0);
}

static void a_file_that_is_no_store_any_more_is_made_anew(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    for (int damage = 0; damage < 4; damage++) {
        put(folder.store, 's', "a", "1");
        commit(&folder);
        store_close(folder.store);
        folder.store = NULL;
        static const char noise[600] = "this is not a database";
        if (damage == 0)
            overwrite(folder.file, 0, noise, sizeof noise);
        else if (damage == 1)
            assert_int_equal(truncate(folder.file, 1000), 0);
        else if (damage == 2)
            overwrite(folder.file, 100, noise, sizeof noise); /* the list of tables */
        else
            assert_int_equal(truncate(folder.file, 0), 0);
        folder_open(&folder);
        assert_found(folder.store, 's', "a", NULL);
    }
    folder_remove(&folder);
}

static void damage_that_shows_late_is_fatal_once_and_then_the_store_is_made_anew(void **state)
{
    (void)state;
    struct folder folder;
    struct buffer found = {0};
    folder_make(&folder);
    uint8_t value[500] = {7};
    for (uint32_t i = 0; i < 1000; i++)
        store_put(folder.store, 's', VIEW_OF(((uint32_t[]){i})), VIEW_OF(value));
    commit(&folder);
    store_close(folder.store); /* checkpoints */
    struct stat facts;
    assert_int_equal(stat(folder.file, &facts), 0);
    static const char noise[4096] = {1, 2, 3};
    for (off_t at = 40960; at < facts.st_size; at += (off_t)sizeof noise)
        overwrite(folder.file, at, noise, sizeof noise);
    folder_open(&folder);
    enum result result = OK;
    for (uint32_t i = 0; i < 1000 && result == OK; i++)
        result = store_find(folder.store, 's', VIEW_OF(((uint32_t[]){i})), &found);
    assert_int_equal(result, FATAL);
    assert_non_null(strstr(store_why(folder.store), "made anew from the log"));
    folder_reopen(&folder);
    assert_int_equal(store_find(folder.store, 's', VIEW_OF(((uint32_t[]){1})), &found), NOTHING);
    buffer_destroy(&found);
    folder_remove(&folder);
}

static void somebody_elses_database_is_refused_and_kept(void **state)
{
    (void)state;
    struct folder folder;
    folder_make(&folder);
    put(folder.store, 's', "a", "1");
    commit(&folder);
    store_close(folder.store);
    folder.store = NULL;
    overwrite(folder.file, 68, "Else", 4); /* the application id (SQLite's file format, 1.3) */
    assert_int_equal(store_open(folder.file, THIS_LOG, 1, &folder.store, &folder.err), REJECTED);
    assert_non_null(strstr(folder.err.text, "somebody else's"));
    assert_int_equal(store_open_read_only(folder.file, &folder.store, &folder.err), REJECTED);
    overwrite(folder.file, 68, "Tids", 4);
    folder_open(&folder);
    assert_found(folder.store, 's', "a", "1");
    folder_remove(&folder);
}

static void a_store_where_there_is_no_folder_says_so(void **state)
{
    (void)state;
    struct store *store = NULL;
    struct error err = {0};
    assert_int_equal(store_open("/tmp/tidings-no-such-folder/a.store", THIS_LOG, 1, &store, &err), AGAIN);
    assert_non_null(strstr(err.text, "/tmp/tidings-no-such-folder/a.store"));
    assert_null(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(killed_at_any_moment_states_and_positions_are_committed_together_or_not_at_all),
        cmocka_unit_test(a_full_disk_loses_nothing_and_heals),
        cmocka_unit_test(a_store_of_another_log_is_refused_and_kept),
        cmocka_unit_test(a_second_owner_is_refused),
        cmocka_unit_test(nobody_else_may_read_a_stores_files),
        cmocka_unit_test(a_store_of_another_shape_is_made_anew),
        cmocka_unit_test(a_file_that_is_no_store_any_more_is_made_anew),
        cmocka_unit_test(damage_that_shows_late_is_fatal_once_and_then_the_store_is_made_anew),
        cmocka_unit_test(somebody_elses_database_is_refused_and_kept),
        cmocka_unit_test(a_store_where_there_is_no_folder_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
