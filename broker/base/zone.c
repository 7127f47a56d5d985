/* Time zones from the system's TZif files (RFC 8536), read whole and bounds-checked. */
#include "broker/base/time.h"

#include "broker/base/bytes.h"
#include "broker/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

enum { FILE_LIMIT = 256 * 1024, HEADER_SIZE = 44, YEARS_BEYOND = 2037 };

struct time_zone {
    size_t count;
    int64_t *when;   /* UTC seconds at which an offset begins */
    int32_t *offset; /* seconds east of UTC from then on */
    int32_t first;   /* the offset before the first change */
};

static bool name_is_safe(const char *name)
{
    size_t size = strnlen(name, 64);
    if (size == 0 || size == 64 || name[0] == '/' || strstr(name, "..") != NULL)
        return false;
    return strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789/_+-") == size;
}

static struct view file_read(const char *name, struct buffer *into)
{
    char path[128];
    (void)snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", name);
    FILE *file = fopen(path, "rbe");
    if (file == NULL)
        return VIEW_NONE;
    buffer_reserve(into, FILE_LIMIT);
    into->size = fread(into->data, 1, FILE_LIMIT, file);
    (void)fclose(file);
    return buffer_view(into);
}

struct counts {
    uint32_t isut, isstd, leap, time, type, character;
};

static bool header_read(struct view data, struct counts *ret)
{
    if (data.size < HEADER_SIZE || memcmp(data.data, "TZif", 4) != 0)
        return false;
    const unsigned char *at = (const unsigned char *)data.data + 20;
    *ret = (struct counts){bytes_get_u32(at),      bytes_get_u32(at + 4),  bytes_get_u32(at + 8),
                           bytes_get_u32(at + 12), bytes_get_u32(at + 16), bytes_get_u32(at + 20)};
    return ret->time < 100000 && ret->type > 0 && ret->type < 256 && ret->leap < 1000 && ret->character < 1000 &&
           ret->isut < 256 && ret->isstd < 256;
}

static size_t block_size(const struct counts *c, size_t time_size)
{
    return c->time * (time_size + 1) + (size_t)c->type * 6 + c->character + c->leap * (time_size + 4) + c->isstd +
           c->isut;
}

/* The 64-bit block of version 2 and later. Files are written "fat" or end in a rule; Debian's tzdata is fat to 2037. */
static struct time_zone *zone_parse(struct view data)
{
    struct counts c;
    if (!header_read(data, &c))
        return NULL;
    size_t skip = HEADER_SIZE + block_size(&c, 4);
    if (data.size < skip)
        return NULL;
    data = view_after(data, skip);
    if (!header_read(data, &c) || data.size < HEADER_SIZE + block_size(&c, 8))
        return NULL;
    const unsigned char *times = (const unsigned char *)data.data + HEADER_SIZE;
    const unsigned char *indices = times + (size_t)c.time * 8, *types = indices + c.time;
    struct time_zone *zone = memory_take(sizeof *zone);
    zone->count = c.time;
    zone->when = memory_array(c.time + 1, sizeof *zone->when);
    zone->offset = memory_array(c.time + 1, sizeof *zone->offset);
    zone->first = (int32_t)bytes_get_u32(types);
    for (size_t i = 0; i < c.time; i++) {
        zone->when[i] = (int64_t)bytes_get_u64(times + i * 8);
        uint32_t type = indices[i] < c.type ? indices[i] : 0;
        zone->offset[i] = (int32_t)bytes_get_u32(types + (size_t)type * 6);
    }
    return zone;
}

struct time_zone *time_zone_open(const char *name)
{
    struct buffer content = {0};
    struct time_zone *zone = NULL;
    if (name_is_safe(name)) {
        struct view data = file_read(name, &content);
        if (data.data != NULL)
            zone = zone_parse(data);
    }
    buffer_destroy(&content);
    return zone;
}

void time_zone_close(struct time_zone *zone)
{
    if (zone == NULL)
        return;
    free(zone->when);
    free(zone->offset);
    free(zone);
}

/* Beyond the table the calendar repeats: the same day of a year in it with the same leap and weekday (28-year cycle).
 */
static int64_t fold_into_table(int64_t seconds)
{
    const int64_t cycle = (int64_t)(28 * 365 + 7) * 86400;
    struct time_fields limit = {.year = YEARS_BEYOND, .month = 1, .day = 1};
    int64_t end = time_from_fields_utc(&limit) / 1000;
    if (seconds >= end)
        seconds -= ((seconds - end) / cycle + 1) * cycle;
    return seconds;
}

static int32_t offset_at(const struct time_zone *zone, int64_t seconds)
{
    seconds = fold_into_table(seconds);
    size_t low = 0, high = zone->count; /* the number of changes at or before seconds */
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (zone->when[middle] <= seconds)
            low = middle + 1;
        else
            high = middle;
    }
    return low == 0 ? zone->first : zone->offset[low - 1];
}

int32_t time_zone_offset_s(const struct time_zone *zone, int64_t ms)
{
    return offset_at(zone, ms >= 0 ? ms / 1000 : (ms - 999) / 1000);
}

int64_t time_from_local(const struct time_zone *zone, const struct time_fields *fields)
{
    int64_t local = time_from_fields_utc(fields);
    int64_t seconds = local >= 0 ? local / 1000 : (local - 999) / 1000;
    int32_t before = offset_at(zone, seconds - 86400), after = offset_at(zone, seconds + 86400);
    int32_t larger = before > after ? before : after, smaller = before > after ? after : before;
    /* The larger offset gives the earlier instant: the first of an hour that comes twice. */
    if (offset_at(zone, seconds - larger) == larger)
        return local - (int64_t)larger * 1000;
    if (offset_at(zone, seconds - smaller) == smaller)
        return local - (int64_t)smaller * 1000;
    return local - (int64_t)before * 1000; /* a skipped hour: read with the offset that was in force before it */
}
