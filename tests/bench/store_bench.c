/* How fast a store finds, scans and commits: keys of 32 characters, values of 350 bytes, scattered as pseudonyms are.
 */
#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/store/store.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <time.h>

enum { VALUE_BYTES = 350, KEY_BYTES = 32 };

struct bench {
    struct store *store;
    int64_t rows, batch;
    struct buffer found;
};

/* The key of a row: the same number always gives the same key, and neighbours are far apart. */
static struct view key_of(uint64_t row, char ret[KEY_BYTES + 1])
{
    uint64_t mixed = row + 1;
    for (int i = 0; i < 2; i++) {
        mixed *= 0x9E3779B97F4A7C15U;
        mixed ^= mixed >> 29;
        (void)snprintf(ret + (ptrdiff_t)i * 16, 17, "%016llx", (unsigned long long)mixed);
    }
    return view_make(ret, KEY_BYTES);
}

static uint64_t random_next(void)
{
    static uint64_t random = 88172645463325252U;
    random ^= random << 13, random ^= random >> 7, random ^= random << 17;
    return random;
}

static void commit(struct bench *bench)
{
    struct error err;
    if (store_commit(bench->store, &err) != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
}

/* What a commit cost: time, processor, and what went to the disk. */
static void commit_and_tell(struct bench *bench, double put_ns)
{
    struct rusage before, after;
    size_t bytes = store_dirty_bytes(bench->store);
    (void)getrusage(RUSAGE_SELF, &before);
    clock_t processor = clock();
    int64_t begun = time_monotonic_us();
    commit(bench);
    double seconds = (double)(time_monotonic_us() - begun) / 1e6;
    double busy = (double)(clock() - processor) / CLOCKS_PER_SEC;
    (void)getrusage(RUSAGE_SELF, &after);
    (void)printf("put %.0f ns, %zu MB in memory; commit %.2f s, %.2f s of processor, %ld MB written\n", put_ns,
                 bytes / 1000000, seconds, busy, (after.ru_oublock - before.ru_oublock) / 2048);
}

static void load(struct bench *bench)
{
    uint8_t value[VALUE_BYTES] = {1};
    char key[KEY_BYTES + 1];
    for (int64_t row = 0; row < bench->rows; row++) {
        store_put(bench->store, 's', key_of((uint64_t)row, key), VIEW_OF(value));
        if ((row + 1) % bench->batch == 0)
            commit(bench);
    }
    commit(bench);
}

static int times_compare(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return (left > right) - (left < right);
}

static int64_t processor_ns(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

/* The median of many small batches, in processor time: the machine may be busy with other things. */
static void finds(struct bench *bench, const char *what, uint64_t among)
{
    enum { BATCHES = 200, BATCH = 1000 };
    static char keys[BATCH][KEY_BYTES + 1];
    int64_t times[BATCHES];
    for (int i = 0; i < BATCHES; i++) {
        for (int j = 0; j < BATCH; j++)
            (void)key_of(random_next() % among, keys[j]);
        int64_t begun = processor_ns();
        for (int j = 0; j < BATCH; j++)
            (void)!store_find(bench->store, 's', view_make(keys[j], KEY_BYTES), &bench->found);
        times[i] = processor_ns() - begun;
    }
    qsort(times, BATCHES, sizeof *times, times_compare);
    (void)printf("%-44s %8lld ns\n", what, (long long)times[BATCHES / 2] / BATCH);
}

static bool count_each(void *context, struct view key, struct view value)
{
    (void)key, (void)value;
    return ++*(int64_t *)context < 100;
}

int main(int count, char **arguments)
{
    struct bench bench = {.rows = 1000 * 1000, .batch = 100 * 1000};
    struct error err;
    const char *path = count > 1 ? arguments[1] : "store_bench.store";
    if (count > 2)
        bench.rows = strtoll(arguments[2], NULL, 10);
    if (store_open(path, "bench", 1, &bench.store, &err) != OK) {
        (void)fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    int64_t begun = time_monotonic_us();
    load(&bench);
    (void)printf("%-44s %8.2f s\n", "load", (double)(time_monotonic_us() - begun) / 1e6);
    finds(&bench, "find in the file", (uint64_t)bench.rows);
    for (int round = 0; round < 20; round++) {
        uint8_t value[VALUE_BYTES] = {2};
        char key[KEY_BYTES + 1];
        begun = time_monotonic_us();
        for (int64_t i = 0; i < bench.batch; i++)
            store_put(bench.store, 's', key_of(random_next() % (uint64_t)bench.rows, key), VIEW_OF(value));
        int64_t written = time_monotonic_us();
        if (round == 0) {
            finds(&bench, "find, one in ten in memory", (uint64_t)bench.rows);
            int64_t seen = 0, from = time_monotonic_us();
            (void)!store_scan(bench.store, 's', VIEW("8"), VIEW_NONE, count_each, &seen);
            (void)printf("%-44s %8.2f ms\n", "scan of 100 over a full overlay",
                         (double)(time_monotonic_us() - from) / 1e3);
        }
        commit_and_tell(&bench, (double)(written - begun) * 1000.0 / (double)bench.batch);
    }
    uint8_t value[VALUE_BYTES] = {3};
    char key[KEY_BYTES + 1];
    for (uint64_t row = 0; row < (uint64_t)bench.batch; row++)
        store_put(bench.store, 's', key_of(row, key), VIEW_OF(value));
    finds(&bench, "find in memory", (uint64_t)bench.batch);
    buffer_destroy(&bench.found);
    store_close(bench.store);
    return 0;
}
