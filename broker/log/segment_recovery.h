/* Recovery: finds where a stream ends, and tells a torn last commit from damage. */
#pragma once

#include "broker/log/segment_mark.h"
#include "broker/log/segment_stream.h"

/* Moves *state over all whole frames up to limit, where the last file ends. What is left after it is a torn commit that
 * was never answered. ret_commit: where the last commit begins. read_only: a frame may become whole while we look.
 * FATAL: a frame is damaged that was durable, for something was written after it was. */
enum result segment_recover(struct segment_stream *stream, int64_t limit, bool read_only, struct segment_state *state,
                            int64_t *ret_commit, struct error *err);
