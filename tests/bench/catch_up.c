/* Catch-up: how fast match and number fold events that lie in the log.  catch_up WHERE FOLDER PATIENTS EVENTS
 * [again]
 *  again: the folder is from an earlier run, its patients are registered already. */
#include "broker/base/time.h"
#include "broker/number/number.h"
#include "consumers/match/match.h"
#include "tests/bench/world.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static atomic_bool matched;

struct fold_thread {
    struct world *world;
    const char *folder;
    struct fold fold;
    double cpu_s;
    int64_t records;
    atomic_bool *others_done; /* stop when this is true and nothing is left */
};

static void *fold_run(void *context)
{
    struct fold_thread *thread = context;
    (void)pthread_setname_np(pthread_self(), thread->fold.name);
    struct runner_options options = {
        .log = thread->world->log, .vault = thread->world->vault, .data_folder = thread->folder, .region = "bench"};
    struct runner *runner;
    struct error err = {0};
    if (runner_open(&thread->fold, &options, &runner, &err) != OK) {
        fprintf(stderr, "%s\n", err.text);
        exit(1);
    }
    for (;;) {
        bool last = thread->others_done == NULL || atomic_load(thread->others_done);
        enum result result = runner_step(runner, 10, &err);
        if (result == FATAL) {
            fprintf(stderr, "%s\n", err.text);
            exit(1);
        }
        if (result == NOTHING && last)
            break;
    }
    if (runner_commit(runner, &err) != OK)
        fprintf(stderr, "%s\n", err.text);
    runner_close(runner);
    struct rusage usage;
    (void)getrusage(RUSAGE_THREAD, &usage);
    thread->cpu_s = (double)usage.ru_utime.tv_sec + (double)usage.ru_stime.tv_sec +
                    (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    return NULL;
}

/* Both folds, until nothing is left; returns seconds. */
static double fold_all(struct world *world, const char *folder)
{
    struct number *number = number_create();
    struct fold_thread match = {world, folder, match_fold(), 0, 0, NULL};
    struct fold_thread numbers = {world, folder, number_fold("api", false, number, NULL), 0, 0, &matched};
    pthread_t a, b;
    double start = world_now();
    atomic_store(&matched, false);
    if (pthread_create(&a, NULL, fold_run, &match) != 0 || pthread_create(&b, NULL, fold_run, &numbers) != 0)
        exit(1);
    (void)pthread_join(a, NULL);
    atomic_store(&matched, true);
    (void)pthread_join(b, NULL);
    double seconds = world_now() - start;
    printf("cpu: match %.2f s, number %.2f s\n", match.cpu_s, numbers.cpu_s);
    number_destroy(number);
    return seconds;
}

int main(int argc, char **argv)
{
    struct world world;
    if (argc < 5) {
        fprintf(stderr, "catch_up WHERE FOLDER PATIENTS EVENTS [again]\n");
        return 2;
    }
    size_t patients = strtoul(argv[3], NULL, 10), events = strtoul(argv[4], NULL, 10);
    bool again = argc > 5;
    world_open(&world, argv[1], argv[2], patients, (uint64_t)time_now_ms()); /* other messages in every run */
    double start = world_now();
    if (!again)
        world_register(&world);
    printf("registered %zu patients in %.1f s\n", patients, world_now() - start);
    double folded = fold_all(&world, argv[2]);
    printf("folded the registrations in %.1f s\n", folded);
    start = world_now();
    world_publish(&world, events);
    printf("published %zu events in %.1f s\n", events, world_now() - start);
    folded = fold_all(&world, argv[2]);
    printf("caught up with %zu events in %.2f s: %.0f events/s\n", events, folded, (double)events / folded);
    world_close(&world);
    return 0;
}
