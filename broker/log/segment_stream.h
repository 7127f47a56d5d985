/*
 * A topic's stream: a folder of segment files, each named by the address of its first byte.
 *
 * An address counts the bytes of all frames of the topic, so the address of a record is all that is needed to read it.
 * One thread appends; any number read, through cursors, what is below segment_stream_end.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"

struct segment_stream;

struct segment_stream_options {
    const char *folder;
    int32_t partitions;
    int64_t segment_bytes; /* a segment that is larger is followed by a new one */
    bool read_only;        /* also beside the process that appends; sees what is whole at this moment */
};

/* Makes what is missing; cuts a torn tail. FATAL: damaged, with the position; for a person. */
enum result segment_stream_open(const struct segment_stream_options *options, struct segment_stream **ret,
                                struct error *err);
void segment_stream_close(struct segment_stream *stream);

/* Gives these frames their places and makes them durable, all or none. AGAIN: none is there, and a later try may work
 * (a full disk). FATAL: not known what is on the disk (a failed fdatasync is never retried), now and ever after. */
enum result segment_stream_append(struct segment_stream *stream, struct buffer *frames, struct error *err);

/* How many bytes of a torn last commit the opening cut off. */
int64_t segment_stream_cut_bytes(const struct segment_stream *stream);
/* From any thread: what is durable. */
int64_t segment_stream_first(const struct segment_stream *stream);
int64_t segment_stream_end(const struct segment_stream *stream);
int64_t segment_stream_ordinal(const struct segment_stream *stream); /* of the next record */
int64_t segment_stream_first_ordinal(const struct segment_stream *stream);
int64_t segment_stream_partition_end(const struct segment_stream *stream, int32_t partition);

/* For cursors: the file that holds this address. ret_next: where the following segment begins; INT64_MAX: none does
 * yet. */
enum { SEGMENT_FILE_HEADER = 32 }; /* the address `first` stands at this byte of its file */
int segment_stream_open_file(const struct segment_stream *stream, int64_t first); /* -1: errno says why */
void segment_stream_find(struct segment_stream *stream, int64_t address, int64_t *ret_first, int64_t *ret_next);
