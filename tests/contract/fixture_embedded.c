/* The embedded log, and the faulty one around it with nothing to do wrong. */
#include "tests/contract/contract.h"

#include "broker/base/memory.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static void *place_make(struct error *err)
{
    const char *parent = getenv("TMPDIR");
    char path[256];
    (void)snprintf(path, sizeof path, "%s/tidings-contract-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(path) == NULL) {
        (void)!error_set(err, FATAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return memory_text(view_of_text(path));
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void place_remove(void *place)
{
    (void)nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(place);
}

static const char *place_folder(void *place)
{
    return place;
}

static enum result embedded_open(void *place, int32_t partitions, bool read_only, struct log **ret, struct error *err)
{
    struct log_options options = {
        .where = "embedded", .data_folder = place, .partitions = partitions, .read_only = read_only};
    return log_open(&options, ret, err);
}

static enum result faulty_open(void *place, int32_t partitions, bool read_only, struct log **ret, struct error *err)
{
    struct log *inner;
    enum result result = embedded_open(place, partitions, read_only, &inner, err);
    return result == OK ? log_faulty_open(inner, "", ret, err) : result;
}

const struct contract contract_embedded = {
    .name = "embedded",
    .make = place_make,
    .remove = place_remove,
    .open = embedded_open,
    .folder = place_folder,
    .has_one_owner = true,
};

const struct contract contract_faulty = {
    .name = "faulty",
    .make = place_make,
    .remove = place_remove,
    .open = faulty_open,
    .folder = place_folder,
    .has_one_owner = true,
};
