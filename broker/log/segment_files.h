/* A stream's files: names, headers, and which there are. */
#pragma once

#include "broker/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct segment_file {
    int64_t first;   /* the address of its first frame; also its name */
    int64_t ordinal; /* of its first record; -1: its header is not whole */
    int64_t bytes;   /* of frames */
};

/* Sorted by address. The caller frees *ret. FATAL: one is missing, or a file is not a segment. */
enum result segment_files_list(const char *folder, struct segment_file **ret, size_t *ret_count, struct error *err);
/* Makes a new one, durable with its name. ret_file: open for reading and writing. AGAIN: not made, nothing is left of
 * it. */
enum result segment_file_make(const char *folder, int64_t first, int64_t ordinal, int *ret_file, struct error *err);
/* -1 and errno: cannot be opened, or its header is not that of this segment (EBADMSG). */
int segment_file_open(const char *folder, int64_t first, bool read_only);
/* The last file's making was interrupted: nothing was ever in it. */
enum result segment_file_remove(const char *folder, int64_t first, struct error *err);
/* Makes what was created or removed in a folder durable. 0 or -1. */
int segment_folder_sync(const char *folder);
