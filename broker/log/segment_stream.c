/* A topic's stream: opening, appending, and what others see of it. */
#include "broker/log/segment_stream.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/segment_cursor.h"
#include "broker/log/segment_files.h"
#include "broker/log/segment_recovery.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MARK_EVERY_BYTES = 8 * 1024 * 1024, COPY_BYTES = 1024 * 1024 };

struct segment_stream {
    char *folder;
    int64_t segment_bytes;
    bool read_only, is_broken;
    int file; /* the last one; -1: none, or read_only */
    struct segment_mark mark;
    struct segment_state state; /* of the appending thread */
    int64_t marked, cut_bytes, first, first_ordinal;
    /* Of all threads. */
    _Atomic int64_t end, ordinal;
    _Atomic int64_t *partition_ends;
    pthread_mutex_t mutex; /* guards the next two */
    int64_t *firsts;       /* where each file begins */
    size_t first_count;
};

static void first_add(struct segment_stream *stream, int64_t first)
{
    (void)pthread_mutex_lock(&stream->mutex);
    stream->firsts = memory_grow(stream->firsts, (stream->first_count + 1) * sizeof *stream->firsts);
    stream->firsts[stream->first_count++] = first;
    (void)pthread_mutex_unlock(&stream->mutex);
}

void segment_stream_find(struct segment_stream *stream, int64_t address, int64_t *ret_first, int64_t *ret_next)
{
    (void)pthread_mutex_lock(&stream->mutex);
    size_t low = 0, high = stream->first_count; /* the answer is in [low, high) */
    while (high - low > 1) {
        size_t middle = low + (high - low) / 2;
        if (stream->firsts[middle] <= address)
            low = middle;
        else
            high = middle;
    }
    *ret_first = stream->first_count == 0 ? 0 : stream->firsts[low];
    *ret_next = low + 1 < stream->first_count ? stream->firsts[low + 1] : INT64_MAX;
    (void)pthread_mutex_unlock(&stream->mutex);
}

int segment_stream_open_file(const struct segment_stream *stream, int64_t first)
{
    return segment_file_open(stream->folder, first, true);
}

/* Readers learn of what is durable here, and only here. */
static void publish(struct segment_stream *stream)
{
    for (int32_t i = 0; i < stream->state.partitions; i++)
        atomic_store_explicit(&stream->partition_ends[i], stream->state.partition_ends[i], memory_order_relaxed);
    atomic_store(&stream->ordinal, stream->state.ordinal);
    atomic_store(&stream->end, stream->state.address);
}

static void mark_now(struct segment_stream *stream)
{
    segment_mark_write(&stream->mark, &stream->state);
    stream->marked = stream->state.address;
}

static enum result folder_make(const char *folder, struct error *err)
{
    char *parent = memory_text(view_of_text(folder));
    char *slash = strrchr(parent, '/');
    enum result result = OK;
    if (mkdir(folder, 0700) == 0) {
        if (slash != NULL)
            *slash = '\0';
        if (slash != NULL && slash != parent && segment_folder_sync(parent) != 0)
            result = error_set(err, FATAL, "%.150s: %s", parent, strerror(errno));
    } else if (errno != EEXIST) {
        result = error_set(err, FATAL, "%.150s: %s", folder, strerror(errno));
    }
    free(parent);
    return result;
}

/* Writes the last commit once more: after a failed fdatasync the page cache can hold bytes that the disk does not, and
 * a new fdatasync would not write them. Then all that is there is durable. */
static enum result last_commit_settle(struct segment_stream *stream, int64_t first, int64_t commit, struct error *err)
{
    enum result result = OK;
    uint8_t *bytes = memory_take(COPY_BYTES);
    int64_t end = stream->state.address;
    int64_t at = commit < first ? first : commit;
    while (at < end) {
        size_t size = end - at < COPY_BYTES ? (size_t)(end - at) : (size_t)COPY_BYTES;
        off_t place = (off_t)(SEGMENT_FILE_HEADER + at - first);
        if (pread(stream->file, bytes, size, place) != (ssize_t)size ||
            pwrite(stream->file, bytes, size, place) != (ssize_t)size)
            break;
        at += (int64_t)size;
    }
    if (at < end || ftruncate(stream->file, (off_t)(SEGMENT_FILE_HEADER + end - first)) != 0 ||
        fdatasync(stream->file) != 0)
        result = error_set(err, FATAL, "the end of the log cannot be made durable: %s", strerror(errno));
    free(bytes);
    return result;
}

/* Learns which files there are, and where the last one ends. */
static enum result files_take(struct segment_stream *stream, int64_t *ret_limit, struct error *err)
{
    struct segment_file *files = NULL;
    size_t count = 0;
    enum result result = segment_files_list(stream->folder, &files, &count, err);
    if (result != OK)
        return result;
    if (count > 0 && files[count - 1].ordinal < 0) {
        count--;
        if (!stream->read_only)
            result = segment_file_remove(stream->folder, files[count].first, err);
    }
    for (size_t i = 0; i < count; i++)
        first_add(stream, files[i].first);
    if (count > 0) {
        stream->first = files[0].first;
        stream->first_ordinal = files[0].ordinal;
        *ret_limit = files[count - 1].first + files[count - 1].bytes;
    }
    free(files);
    return result;
}

/* Where the search for the end begins: at the mark, or at the start. */
static enum result recover(struct segment_stream *stream, int64_t limit, int64_t *ret_commit, struct error *err)
{
    if (stream->state.address > limit)
        return error_set(err, FATAL, "the log ends at %lld, and was durable up to %lld: restore a whole copy",
                         (long long)limit, (long long)stream->state.address);
    if (stream->first_count > 0 && stream->state.address < stream->firsts[0]) {
        stream->state.address = stream->firsts[0];
        stream->state.ordinal = stream->first_ordinal;
    }
    stream->marked = stream->state.address;
    enum result result = segment_recover(stream, limit, stream->read_only, &stream->state, ret_commit, err);
    if (result == OK && !stream->read_only)
        stream->cut_bytes = limit - stream->state.address;
    return result;
}

static enum result last_file_ready(struct segment_stream *stream, int64_t commit, struct error *err)
{
    if (stream->first_count == 0) {
        enum result made = segment_file_make(stream->folder, 0, 0, &stream->file, err);
        if (made == OK)
            first_add(stream, 0);
        return made;
    }
    int64_t first = stream->firsts[stream->first_count - 1];
    stream->file = segment_file_open(stream->folder, first, false);
    if (stream->file < 0)
        return error_set(err, FATAL, "segment %lld cannot be opened: %s", (long long)first, strerror(errno));
    if (stream->cut_bytes == 0 && stream->state.address == stream->marked)
        return OK;
    enum result result = last_commit_settle(stream, first, commit, err);
    if (result == OK)
        mark_now(stream);
    return result;
}

enum result segment_stream_open(const struct segment_stream_options *options, struct segment_stream **ret,
                                struct error *err)
{
    struct segment_stream *stream = memory_take(sizeof *stream);
    int64_t limit = 0, commit = 0;
    enum result result;
    (void)pthread_mutex_init(&stream->mutex, NULL);
    stream->folder = memory_text(view_of_text(options->folder));
    stream->segment_bytes = options->segment_bytes;
    stream->read_only = options->read_only;
    stream->file = stream->mark.file = -1;
    stream->state.partitions = options->partitions;
    stream->state.partition_ends = memory_array((size_t)options->partitions, sizeof *stream->state.partition_ends);
    stream->partition_ends = memory_array((size_t)options->partitions, sizeof *stream->partition_ends);
    result = options->read_only ? OK : folder_make(options->folder, err);
    if (result == OK) /* the mark first: beside an owner that appends, the files only grow beyond it */
        result = segment_mark_open(&stream->mark, options->folder, options->read_only, &stream->state, err);
    if (result == OK)
        result = files_take(stream, &limit, err);
    if (result == OK)
        result = recover(stream, limit, &commit, err);
    if (result == OK && !options->read_only)
        result = last_file_ready(stream, commit, err);
    if (result == OK) {
        publish(stream);
        *ret = stream;
        stream = NULL;
    }
    segment_stream_close(stream);
    return result;
}

void segment_stream_close(struct segment_stream *stream)
{
    if (stream == NULL)
        return;
    if (stream->file >= 0 && !stream->is_broken && stream->state.address != stream->marked)
        mark_now(stream);
    if (stream->file >= 0)
        (void)close(stream->file);
    segment_mark_close(&stream->mark);
    (void)pthread_mutex_destroy(&stream->mutex);
    free(stream->folder);
    free(stream->state.partition_ends);
    free((void *)stream->partition_ends);
    free(stream->firsts);
    free(stream);
}

static enum result broken(struct segment_stream *stream, const char *what, struct error *err)
{
    stream->is_broken = true;
    return error_set(err, FATAL, "%s: %s; what is on the disk is not known, so this process must end", what,
                     strerror(errno));
}

static enum result roll(struct segment_stream *stream, struct error *err)
{
    int file;
    mark_now(stream);
    enum result result = segment_file_make(stream->folder, stream->state.address, stream->state.ordinal, &file, err);
    if (result != OK)
        return result;
    (void)close(stream->file);
    stream->file = file;
    first_add(stream, stream->state.address);
    return OK;
}

static enum result write_all(struct segment_stream *stream, const struct buffer *frames, int64_t first,
                             struct error *err)
{
    off_t start = (off_t)(SEGMENT_FILE_HEADER + stream->state.address - first);
    size_t done = 0;
    while (done < frames->size) {
        ssize_t put = pwrite(stream->file, frames->data + done, frames->size - done, start + (off_t)done);
        if (put > 0) {
            done += (size_t)put;
            continue;
        }
        if (put < 0 && errno == EINTR)
            continue;
        enum result result = error_set(err, AGAIN, "the log cannot be written: %s", strerror(put < 0 ? errno : ENOSPC));
        if (ftruncate(stream->file, start) != 0)
            return broken(stream, "a half-written commit cannot be taken back", err);
        return result;
    }
    return OK;
}

/* Gives the frames their places in a copy of the state, which becomes the state when they are durable. */
static void frames_place(struct buffer *frames, struct segment_state *state)
{
    int64_t start = state->address, now_ms = time_now_ms();
    for (size_t at = 0; at < frames->size;) {
        struct segment_frame frame;
        uint8_t *bytes = frames->data + at;
        size_t size =
            segment_frame_finish(bytes, state->address, state->ordinal, now_ms, (uint32_t)(state->address - start));
        segment_frame_parse(bytes, &frame);
        state->partition_ends[frame.partition] = state->address + 1;
        state->address += (int64_t)size;
        state->ordinal++;
        at += size;
    }
}

enum result segment_stream_append(struct segment_stream *stream, struct buffer *frames, struct error *err)
{
    struct segment_state next = {.partitions = stream->state.partitions};
    size_t ends_size = (size_t)next.partitions * sizeof *next.partition_ends;
    int64_t first = stream->firsts[stream->first_count - 1];
    if (stream->is_broken)
        return error_set(err, FATAL, "the log could not be made durable before: this process must end");
    if (stream->state.address > first &&
        stream->state.address - first + (int64_t)frames->size > stream->segment_bytes) {
        enum result rolled = roll(stream, err);
        if (rolled != OK)
            return rolled;
        first = stream->state.address;
    }
    next.address = stream->state.address;
    next.ordinal = stream->state.ordinal;
    next.partition_ends = memory_take(ends_size);
    memcpy(next.partition_ends, stream->state.partition_ends, ends_size);
    frames_place(frames, &next);
    enum result result = write_all(stream, frames, first, err);
    if (result == OK && fdatasync(stream->file) != 0)
        result = broken(stream, "fdatasync failed", err);
    if (result != OK) {
        free(next.partition_ends);
        return result;
    }
    free(stream->state.partition_ends);
    stream->state = next;
    publish(stream);
    if (stream->state.address - stream->marked >= MARK_EVERY_BYTES)
        mark_now(stream);
    return OK;
}

int64_t segment_stream_cut_bytes(const struct segment_stream *stream)
{
    return stream->cut_bytes;
}

int64_t segment_stream_first(const struct segment_stream *stream)
{
    return stream->first;
}

int64_t segment_stream_first_ordinal(const struct segment_stream *stream)
{
    return stream->first_ordinal;
}

int64_t segment_stream_end(const struct segment_stream *stream)
{
    return atomic_load(&stream->end);
}

int64_t segment_stream_ordinal(const struct segment_stream *stream)
{
    return atomic_load(&stream->ordinal);
}

int64_t segment_stream_partition_end(const struct segment_stream *stream, int32_t partition)
{
    return atomic_load_explicit(&stream->partition_ends[partition], memory_order_relaxed);
}
