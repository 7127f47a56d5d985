/* Marks: how far a stream is known to be durable. */
#include "broker/log/segment_mark.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
    AT_MAGIC = 0,
    AT_CHECKSUM = 4,
    AT_NUMBER = 8,
    AT_ADDRESS = 16,
    AT_ORDINAL = 24,
    AT_PARTITIONS = 32,
    AT_ENDS = 40,
    SECTOR = 4096,
};

static const uint32_t magic = 0x54444d31; /* "TDM1" */

static size_t content_size(const struct segment_state *state)
{
    return AT_ENDS + 8 * (size_t)state->partitions;
}

static size_t place_size(const struct segment_state *state)
{
    return (content_size(state) + SECTOR - 1) / SECTOR * SECTOR; /* so that the two never share a sector */
}

static bool place_is_whole(const uint8_t *place, const struct segment_state *state)
{
    return bytes_get_u32(place + AT_MAGIC) == magic &&
           bytes_get_u32(place + AT_PARTITIONS) == (uint32_t)state->partitions &&
           bytes_get_u32(place + AT_CHECKSUM) == bytes_crc32c(0, place + AT_NUMBER, content_size(state) - AT_NUMBER);
}

static void place_read(const uint8_t *place, struct segment_state *state)
{
    state->address = (int64_t)bytes_get_u64(place + AT_ADDRESS);
    state->ordinal = (int64_t)bytes_get_u64(place + AT_ORDINAL);
    for (int32_t i = 0; i < state->partitions; i++)
        state->partition_ends[i] = (int64_t)bytes_get_u64(place + AT_ENDS + 8 * i);
}

enum result segment_mark_open(struct segment_mark *mark, const char *folder, bool read_only,
                              struct segment_state *state, struct error *err)
{
    enum result result = OK;
    size_t size = place_size(state);
    uint8_t *places = memory_take(2 * size);
    char path[4096];
    *mark = (struct segment_mark){.file = -1};
    if (snprintf(path, sizeof path, "%s/mark", folder) >= (int)sizeof path) {
        result = error_set(err, REJECTED, "the data folder's name is too long");
        goto out;
    }
    mark->file = open(path, (read_only ? O_RDONLY : O_RDWR | O_CREAT) | O_CLOEXEC, 0600);
    if (mark->file < 0 && read_only && errno == ENOENT)
        goto out;
    if (mark->file < 0 || pread(mark->file, places, 2 * size, 0) < 0) {
        result = error_set(err, FATAL, "%.150s: %s", path, strerror(errno));
        goto out;
    }
    for (int i = 0; i < 2; i++) {
        const uint8_t *place = places + (size_t)i * size;
        if (place_is_whole(place, state) && bytes_get_u64(place + AT_NUMBER) > mark->number) {
            mark->number = bytes_get_u64(place + AT_NUMBER);
            place_read(place, state);
        }
    }
out:
    free(places);
    return result;
}

void segment_mark_close(struct segment_mark *mark)
{
    if (mark->file >= 0)
        (void)close(mark->file);
    mark->file = -1;
}

void segment_mark_write(struct segment_mark *mark, const struct segment_state *state)
{
    size_t size = content_size(state);
    uint8_t *place = memory_take(size);
    mark->number++;
    bytes_put_u32(place + AT_MAGIC, magic);
    bytes_put_u64(place + AT_NUMBER, mark->number);
    bytes_put_u64(place + AT_ADDRESS, (uint64_t)state->address);
    bytes_put_u64(place + AT_ORDINAL, (uint64_t)state->ordinal);
    bytes_put_u32(place + AT_PARTITIONS, (uint32_t)state->partitions);
    for (int32_t i = 0; i < state->partitions; i++)
        bytes_put_u64(place + AT_ENDS + 8 * i, (uint64_t)state->partition_ends[i]);
    bytes_put_u32(place + AT_CHECKSUM, bytes_crc32c(0, place + AT_NUMBER, size - AT_NUMBER));
    (void)!pwrite(mark->file, place, size, (off_t)((mark->number & 1) * place_size(state)));
    free(place);
}
