/*
 * A fold run again over records that it is given, with a store of its own that nobody keeps: what it decides comes back
 * instead of going to the log. The same code as live (record.c, state.c, output.c), so a difference is a difference in
 * the log. For `tidings verify`.
 */
#pragma once

#include "broker/fold/fold.h"

/* options: log (also read-only), vault, data_folder (an empty folder, to be removed after runner_close), region. What
 * is opened is closed by runner_close; runner_step is not for it. */
enum result runner_open_replay(const struct fold *fold, const struct runner_options *options, struct runner **ret,
                               struct error *err);

/* Applies the next record of the fold's source: those of one partition come in their order. each is called for every
 * output, in order; its views live during the call. AGAIN: keys cannot be read now; give the same record again. */
enum result runner_replay(struct runner *runner, const struct log_record *record,
                          void (*each)(void *context, const struct log_entry *output), void *context,
                          struct error *err);
