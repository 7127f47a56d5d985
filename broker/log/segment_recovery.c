/* Recovery: the end of what is whole. */
#include "broker/log/segment_recovery.h"

#include "broker/log/segment_cursor.h"

enum { AHEAD_BYTES = 1024 * 1024 };

/* A commit is written only when the one before it is durable: so a later commit's frame says that this one was. */
static enum result was_durable(struct segment_cursor *cursor, int64_t address, int64_t limit, bool *ret,
                               struct error *err)
{
    int64_t first, next, at = address + 1;
    segment_stream_find(cursor->stream, address, &first, &next);
    *ret = next != INT64_MAX; /* only the last file may have a torn end */
    while (!*ret) {
        struct segment_frame frame;
        enum result result = segment_cursor_seek(cursor, at, limit, &frame, err);
        if (result == NOTHING)
            return OK;
        if (result != OK)
            return result;
        *ret = frame.address - frame.back > address;
        at = frame.address + (int64_t)frame.size;
    }
    return OK;
}

static bool frame_follows(const struct segment_frame *frame, const struct segment_state *state)
{
    return frame->ordinal == state->ordinal && frame->partition >= 0 && frame->partition < state->partitions;
}

static void state_pass(struct segment_state *state, const struct segment_frame *frame)
{
    state->address = frame->address + (int64_t)frame->size;
    state->ordinal = frame->ordinal + 1;
    state->partition_ends[frame->partition] = frame->address + 1;
}

enum result segment_recover(struct segment_stream *stream, int64_t limit, bool read_only, struct segment_state *state,
                            int64_t *ret_commit, struct error *err)
{
    struct segment_cursor cursor;
    enum result result = OK;
    bool looked_again = false;
    segment_cursor_start(&cursor, stream, AHEAD_BYTES);
    *ret_commit = state->address;
    while (state->address < limit) {
        struct segment_frame frame;
        bool damaged = true;
        result = segment_cursor_look(&cursor, state->address, limit, true, &frame, err);
        if (result == FATAL)
            goto out;
        if (result == OK && frame_follows(&frame, state)) {
            state_pass(state, &frame);
            *ret_commit = frame.address - frame.back;
            looked_again = false;
            continue;
        }
        if (result != OK)
            result = was_durable(&cursor, state->address, limit, &damaged, err);
        if (result != OK)
            goto out;
        if (!damaged)
            break;
        if (read_only && !looked_again) { /* the owner may have been in the middle of writing it */
            looked_again = true;
            segment_cursor_forget(&cursor);
            continue;
        }
        result = error_set(err, FATAL, "the log is damaged at position %lld: restore it from a copy",
                           (long long)state->address);
        goto out;
    }
    result = OK;
out:
    segment_cursor_stop(&cursor);
    return result;
}
