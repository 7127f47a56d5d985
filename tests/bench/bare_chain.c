/*
 * The yardstick of latency: two chained bare appends on the same log. A record is appended to events; whoever reads it
 * appends as many records as there would be tellings to alerts; whoever reads those takes the time.  bare_chain WHERE
 * FOLDER RATE SECONDS [TELLINGS]
 */
#include "broker/base/bytes.h"
#include "broker/base/time.h"
#include "tests/bench/world.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { EVENT_BYTES = 450, TELLING_BYTES = 700, SAMPLES = 1000000, TELLINGS_LIMIT = 16 };

struct chain {
    struct log *log;
    int tellings;
    atomic_bool stop;
    double *samples_ms;
    size_t count;
};

static int64_t at_the_end(void *context, int32_t partition, int64_t committed)
{
    (void)context;
    (void)partition;
    (void)committed;
    return LOG_END;
}

static void require(enum result result, const struct error *err)
{
    if (result == OK)
        return;
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static struct log_reader *reader_open(struct chain *chain, enum topic topic)
{
    struct error err = {0};
    struct log_reader *reader;
    struct log_reader_options options = {.topic = topic, .start = at_the_end};
    const struct log_record *records;
    size_t count;
    require(log_reader_open(chain->log, &options, &reader, &err), &err);
    (void)!log_read(reader, 1, 0, &records, &count, &err); /* takes its partitions before anything is sent */
    return reader;
}

static void *match_run(void *context)
{
    struct chain *chain = context;
    struct error err = {0};
    struct log_appender *appender;
    struct log_reader *reader = reader_open(chain, TOPIC_EVENTS);
    const struct log_record *records;
    size_t count;
    require(log_appender_open(chain->log, &appender, &err), &err);
    while (!atomic_load(&chain->stop)) {
        if (log_read(reader, 1000, 100, &records, &count, &err) != OK)
            continue;
        static uint8_t values[1000][TELLING_BYTES];
        static struct log_entry entries[1000 * TELLINGS_LIMIT];
        size_t out = 0;
        for (size_t i = 0; i < count; i++) {
            memcpy(values[i], records[i].value.data, 8);
            for (int j = 0; j < chain->tellings; j++)
                entries[out++] = (struct log_entry){.topic = TOPIC_ALERTS,
                                                    .partition = (records[i].partition + j) % 48,
                                                    .key = records[i].key,
                                                    .value = VIEW_OF(values[i])};
        }
        require(log_append_and_wait(appender, entries, out, 60000, NULL, &err), &err);
    }
    log_reader_close(reader);
    log_appender_close(appender);
    return NULL;
}

static void *number_run(void *context)
{
    struct chain *chain = context;
    struct error err = {0};
    struct log_reader *reader = reader_open(chain, TOPIC_ALERTS);
    const struct log_record *records;
    size_t count;
    while (!atomic_load(&chain->stop)) {
        if (log_read(reader, 1000, 100, &records, &count, &err) != OK)
            continue;
        int64_t now_us = time_monotonic_us();
        for (size_t i = 0; i < count && chain->count < SAMPLES; i++)
            chain->samples_ms[chain->count++] =
                (double)(now_us - (int64_t)bytes_get_u64(records[i].value.data)) / 1000.0;
    }
    log_reader_close(reader);
    return NULL;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
    struct world world;
    struct error err = {0};
    if (argc < 5) {
        fprintf(stderr, "bare_chain WHERE FOLDER RATE SECONDS [TELLINGS]\n");
        return 2;
    }
    double rate = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
    world_open(&world, argv[1], argv[2], 1, 1);
    struct chain chain = {.log = world.log, .tellings = argc > 5 ? (int)strtol(argv[5], NULL, 10) : 3};
    pthread_t match, number;
    chain.samples_ms = memory_array(SAMPLES, sizeof *chain.samples_ms);
    if (pthread_create(&match, NULL, match_run, &chain) != 0 || pthread_create(&number, NULL, number_run, &chain) != 0)
        return 1;
    (void)poll(NULL, 0, 500);
    double start = world_now();
    uint64_t sent = 0, answered = 0;
    while (world_now() - start < seconds) { /* open loop: one record each 1/rate seconds, answered or not */
        struct log_answer answer;
        while ((double)sent < (world_now() - start) * rate) {
            uint8_t value[EVENT_BYTES] = {0};
            bytes_put_u64(value, (uint64_t)time_monotonic_us());
            struct log_entry entry = {.topic = TOPIC_EVENTS,
                                      .partition = (int32_t)(sent % 48),
                                      .key = VIEW("patient"),
                                      .value = VIEW_OF(value)};
            require(log_append(world.appender, &entry, 1, sent++, &err), &err);
        }
        while (log_collect(world.appender, 0, &answer) == OK)
            answered++;
        (void)poll(NULL, 0, 1);
    }
    (void)poll(NULL, 0, 1000);
    atomic_store(&chain.stop, true);
    (void)pthread_join(match, NULL);
    (void)pthread_join(number, NULL);
    qsort(chain.samples_ms, chain.count, sizeof *chain.samples_ms, by_size);
    printf("bare chain: %llu records, %zu deliveries, p50 %.2f ms, p99 %.2f ms\n", (unsigned long long)sent,
           chain.count, chain.samples_ms[chain.count / 2], chain.samples_ms[chain.count * 99 / 100]);
    free(chain.samples_ms);
    world_close(&world);
    return 0;
}
