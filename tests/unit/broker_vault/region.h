/* A region's key in a folder of its own, for the vault's tests. */
#pragma once

#include "broker/vault/vault.h"

#include <fcntl.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

/* The bytes 0 to 63: what the answers that another implementation computed are made with. */
#define KNOWN_REGION                                                                                                   \
    "tidings-region-key-1 AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUmJygpKissLS4vMDEyMzQ1Njc4OTo7PD0-Pw\n"

struct region {
    char folder[64];
    char path[96];
    struct vault *vault;
    struct error err;
};

static inline void region_folder(struct region *region)
{
    *region = (struct region){0};
    (void)snprintf(region->folder, sizeof region->folder, "/tmp/tidings-vault-XXXXXX");
    assert_non_null(mkdtemp(region->folder));
    (void)snprintf(region->path, sizeof region->path, "%s/region.key", region->folder);
}

static inline void region_write(struct region *region, const char *text, mode_t mode)
{
    int fd = open(region->path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
    assert_int_equal(fchmod(fd, mode), 0);
    assert_int_equal(close(fd), 0);
}

static inline void region_open(struct region *region, const char *text)
{
    region_folder(region);
    if (text != NULL)
        region_write(region, text, 0600);
    else
        assert_int_equal(vault_create(region->path, &region->err), OK);
    assert_int_equal(vault_open(region->path, &region->vault, &region->err), OK);
}

static inline void region_close(struct region *region)
{
    vault_close(region->vault);
    (void)unlink(region->path);
    assert_int_equal(rmdir(region->folder), 0); /* nothing else was left there */
}

static inline void assert_hex(struct view bytes, const char *hex)
{
    struct buffer text = {0};
    for (size_t i = 0; i < bytes.size; i++)
        buffer_add_format(&text, "%02x", ((const unsigned char *)bytes.data)[i]);
    buffer_add_byte(&text, 0);
    assert_string_equal((const char *)text.data, hex);
    buffer_destroy(&text);
}
