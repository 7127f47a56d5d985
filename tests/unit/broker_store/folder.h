/* A store in a folder of its own, for the store's tests. */
#pragma once

#include "broker/base/memory.h"
#include "broker/store/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#define THIS_LOG  "00112233445566778899aabbccddeeff"
#define OTHER_LOG "ffeeddccbbaa99887766554433221100"

struct folder {
    char path[64];
    char file[96];
    struct store *store;
    struct error err;
};

static inline void folder_open(struct folder *folder)
{
    assert_int_equal(store_open(folder->file, THIS_LOG, 1, &folder->store, &folder->err), OK);
}

static inline void folder_make(struct folder *folder)
{
    *folder = (struct folder){0};
    (void)snprintf(folder->path, sizeof folder->path, "/tmp/tidings-store-XXXXXX");
    assert_non_null(mkdtemp(folder->path));
    (void)snprintf(folder->file, sizeof folder->file, "%s/match.store", folder->path);
    folder_open(folder);
}

static inline void folder_reopen(struct folder *folder)
{
    store_close(folder->store);
    folder->store = NULL;
    folder_open(folder);
}

static inline void folder_remove(struct folder *folder)
{
    store_close(folder->store);
    DIR *files = opendir(folder->path);
    const struct dirent *file;
    assert_non_null(files);
    while ((file = readdir(files)) != NULL)
        if (strncmp(file->d_name, "match.store", 11) == 0)
            (void)unlinkat(dirfd(files), file->d_name, 0);
    (void)closedir(files);
    assert_int_equal(rmdir(folder->path), 0); /* nothing else was left there */
}

static inline void put(struct store *store, char space, const char *key, const char *value)
{
    store_put(store, space, view_of_text(key), view_of_text(value));
}

/* The value under the key must be this one; NULL: there must be none. */
static inline void assert_found(struct store *store, char space, const char *key, const char *value)
{
    struct buffer found = {0};
    assert_int_equal(store_find(store, space, view_of_text(key), &found), value == NULL ? NOTHING : OK);
    if (value != NULL)
        assert_true(view_is_text(buffer_view(&found), value));
    buffer_destroy(&found);
}

static inline void commit(struct folder *folder)
{
    assert_int_equal(store_commit(folder->store, &folder->err), OK);
}

static inline bool list_each(void *context, struct view key, struct view value)
{
    struct buffer *list = context;
    buffer_add_format(list, "%.*s=%.*s ", VIEW_ARGS(key), VIEW_ARGS(value));
    return true;
}

/* What a scan gives, as "key=value key=value ". */
static inline void assert_scan(struct store *store, char space, const char *from, const char *to, const char *list)
{
    struct buffer found = {0};
    assert_int_equal(store_scan(store, space, view_of_text(from), view_of_text(to), list_each, &found), OK);
    assert_true(view_is_text(buffer_view(&found), list));
    buffer_destroy(&found);
}
