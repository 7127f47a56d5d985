/* The loops of the folds: match, and deliver (numbering as the owner of the alerts' partitions). */
#include "broker/main/roles.h"

#include "broker/base/time.h"
#include "broker/number/number.h"
#include "consumers/match/match.h"

#include <poll.h>

enum { TURN_MS = 100, PAUSE_MS = 10 };

static int32_t zone_offset_s(void *context, int64_t utc_ms)
{
    struct shared *shared = context;
    return shared->zone == NULL ? 0 : time_zone_offset_s(shared->zone, utc_ms);
}

static enum result fold_loop(struct loop *loop, const struct fold *fold)
{
    struct shared *shared = loop->shared;
    const struct serve_options *options = shared->options;
    struct runner *runner = NULL;
    struct runner_options wiring = {.log = shared->log,
                                    .vault = shared->vault,
                                    .data_folder = options->data_folder,
                                    .region = options->region,
                                    .kafka_headers = strncmp(options->log, "kafka://", 8) == 0,
                                    .local_offset_s = zone_offset_s,
                                    .commit_ms = options->commit_ms,
                                    .at_point = options->at_point,
                                    .context = shared,
                                    .sabotage = options->sabotage};
    enum result result = runner_open(fold, &wiring, &runner, &loop->err);
    if (result == OK)
        loop_has_opened(loop);
    while (result != FATAL && runner != NULL && !atomic_load(&shared->failed)) {
        result = runner_step(runner, TURN_MS, &loop->err);
        if (result == AGAIN)
            (void)poll(NULL, 0, PAUSE_MS); /* the runner's own policy says how long it pauses in all */
        if (atomic_load(&shared->doors_closed) && result != OK)
            break;
    }
    runner_close(runner);
    return runner == NULL || result == FATAL ? (result == OK ? FATAL : result) : OK;
}

enum result match_loop(struct loop *loop)
{
    struct fold fold = match_fold();
    return fold_loop(loop, &fold);
}

enum result deliver_loop(struct loop *loop)
{
    struct number *number = number_create();
    struct fold fold = number_fold("deliver", true, number, NULL);
    enum result result = fold_loop(loop, &fold);
    number_destroy(number);
    return result;
}
