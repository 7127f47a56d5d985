/*
 * The yardstick of catch-up: reads every event of a log and appends as many records of the same size to alerts as the
 * tellings that stand there, and does nothing else.  bare_fold WHERE FOLDER TELLINGS_AN_EVENT TELLING_BYTES
 */
#include "tests/bench/world.h"

#include <stdio.h>
#include <stdlib.h>

enum { BATCH = 2000, LIMIT = 8 };

static int64_t at_the_start(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_START;
}

static void require(enum result result, const struct error *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

int main(int argc, char **argv)
{
    struct world world;
    struct error err = {0};
    if (argc < 5) {
        fprintf(stderr, "bare_fold WHERE FOLDER TELLINGS_AN_EVENT TELLING_BYTES\n");
        return 2;
    }
    size_t tellings = strtoul(argv[3], NULL, 10), bytes = strtoul(argv[4], NULL, 10), events = 0;
    if (tellings > LIMIT)
        return 2;
    world_open(&world, argv[1], argv[2], 1, 1);
    struct log_reader *reader;
    struct log_reader_options options = {.topic = TOPIC_EVENTS, .start = at_the_start};
    const struct log_record *records;
    size_t count;
    uint8_t *value = memory_take(bytes);
    struct log_entry *entries = memory_array(BATCH * LIMIT, sizeof *entries);
    require(log_reader_open(world.log, &options, &reader, &err), &err);
    double start = world_now();
    while (log_read(reader, BATCH, 2000, &records, &count, &err) == OK) {
        size_t out = 0;
        for (size_t i = 0; i < count; i++) {
            for (size_t j = 0; j < tellings; j++)
                entries[out++] = (struct log_entry){.topic = TOPIC_ALERTS,
                                                    .partition = (int32_t)((records[i].offset + (int64_t)j) % 48),
                                                    .key = VIEW("A00001"),
                                                    .value = view_make(value, bytes)};
        }
        require(log_append_and_wait(world.appender, entries, out, 60000, NULL, &err), &err);
        events += count;
    }
    double seconds = world_now() - start - 2; /* the last read waited in vain */
    printf("bare fold: %zu events, %zu tellings each, %.2f s: %.0f events/s\n", events, tellings, seconds,
           (double)events / seconds);
    free(entries);
    free(value);
    log_reader_close(reader);
    world_close(&world);
    return 0;
}
