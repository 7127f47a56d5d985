/* The embedded log: opening, owning, closing. */
#include "broker/log/embedded.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/log/embedded_folder.h"
#include "broker/log/segment_files.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/statvfs.h>
#include <unistd.h>

enum {
    SPACE_LEFT_BYTES = 2 * 1024 * 1024, /* one largest record and what surrounds it */
    FAILURE_FRESH_MS = 5000,            /* an older failure says nothing about now */
    PATH_SIZE = 4096
};

static const int64_t default_segment_bytes = 256LL * 1024 * 1024;
static const struct log_operations operations;

enum result embedded_view_open(const struct embedded_line *line, struct compacted_view **ret, struct error *err)
{
    return compacted_view_open(line->table_path, compacted_views_of(line->table), ret, err);
}

/* The file of a compacted topic. The keys stand outside the log's folder: they have a backup rule of their own. */
static const char *table_file(enum topic topic)
{
    return topic == TOPIC_KEYS ? "../keys.db" : "directory.db";
}

static enum result line_open_table(struct embedded_log *log, struct embedded_line *line, struct error *err)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/%s", log->folder, table_file(line->topic)) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    line->table_path = memory_text(view_of_text(path));
    if (log->read_only) {
        struct compacted_view *view = NULL;
        int64_t first, end;
        enum result result = compacted_view_open(path, NULL, &view, err);
        if (result != OK)
            return result;
        result = compacted_view_bounds(view, &first, &end, err);
        if (result == OK)
            atomic_store(&line->table_end, end);
        compacted_view_close(view);
        return result;
    }
    enum result result = compacted_open(path, line->topic == TOPIC_KEYS, &line->table, err);
    if (result == OK)
        atomic_store(&line->table_end, compacted_end(line->table));
    return result;
}

static enum result line_open_stream(struct embedded_log *log, struct embedded_line *line, int64_t segment_bytes,
                                    struct error *err)
{
    char path[PATH_SIZE];
    struct error why = {0};
    if (snprintf(path, sizeof path, "%s/%s", log->folder, topic_name(line->topic)) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    struct segment_stream_options options = {.folder = path,
                                             .partitions = log_partitions(&log->base, line->topic),
                                             .segment_bytes = segment_bytes,
                                             .read_only = log->read_only};
    enum result result = segment_stream_open(&options, &line->stream, &why);
    return result == OK ? OK : error_set(err, result, "%s: %.200s", topic_name(line->topic), why.text);
}

/* The one setting of this log: "segment.bytes=N". */
static enum result settings_read(const char *settings, int64_t *ret_segment_bytes, struct error *err)
{
    static const char name[] = "segment.bytes=";
    *ret_segment_bytes = default_segment_bytes;
    if (settings == NULL || settings[0] == '\0')
        return OK;
    size_t size = strcspn(settings, "\n");
    if (strncmp(settings, name, sizeof name - 1) != 0 || (settings[size] != '\0' && settings[size + 1] != '\0') ||
        !view_to_number(view_make(settings + sizeof name - 1, size - (sizeof name - 1)), ret_segment_bytes))
        return error_set(err, REJECTED, "the embedded log has one setting, segment.bytes=N");
    return OK;
}

static enum result lines_open(struct embedded_log *log, int64_t segment_bytes, struct error *err)
{
    for (int i = 0; i < TOPIC_COUNT; i++) {
        struct embedded_line *line = &log->lines[i];
        line->topic = (enum topic)i;
        enum result result = topic_is_compacted(line->topic) ? line_open_table(log, line, err)
                                                             : line_open_stream(log, line, segment_bytes, err);
        if (result == OK)
            result = embedded_line_start(line, err);
        if (result != OK)
            return result;
    }
    return OK;
}

static enum result groups_open(struct embedded_log *log, struct error *err)
{
    char path[PATH_SIZE];
    if (snprintf(path, sizeof path, "%s/groups.db", log->folder) >= (int)sizeof path)
        return error_set(err, REJECTED, "the data folder's name is too long");
    return embedded_groups_open(path, log->read_only, &log->groups, err);
}

static void embedded_close(struct log *base)
{
    struct embedded_log *log = embedded_of(base);
    for (int i = 0; i < TOPIC_COUNT; i++) {
        embedded_line_stop(&log->lines[i]);
        segment_stream_close(log->lines[i].stream);
        compacted_close(log->lines[i].table);
        free(log->lines[i].table_path);
    }
    embedded_groups_close(log->groups);
    if (log->lock >= 0)
        (void)close(log->lock);
    free(log->folder);
    free(log);
}

enum result log_embedded_open(const struct log_options *options, struct log **ret, struct error *err)
{
    char folder[PATH_SIZE];
    int64_t segment_bytes;
    if (snprintf(folder, sizeof folder, "%s/log", options->data_folder) >= (int)sizeof folder)
        return error_set(err, REJECTED, "the data folder's name is too long");
    enum result result = settings_read(options->settings, &segment_bytes, err);
    if (result != OK)
        return result;
    struct embedded_log *log = memory_take(sizeof *log);
    log->base.operations = &operations;
    log->folder = memory_text(view_of_text(folder));
    log->read_only = options->read_only;
    log->lock = -1;
    if (!log->read_only)
        result = embedded_folder_own(folder, &log->lock, err);
    if (result == OK)
        result =
            embedded_folder_read(folder, options->partitions, !log->read_only, log->identity, &log->partitions, err);
    if (result == OK)
        result = lines_open(log, segment_bytes, err);
    if (result == OK)
        result = groups_open(log, err);
    if (result == OK && !log->read_only &&
        (segment_folder_sync(folder) != 0 || segment_folder_sync(options->data_folder) != 0))
        result =
            error_set(err, FATAL, "%.150s: %s", options->data_folder, strerror(errno)); /* the tables' files are new */
    if (result != OK) {
        embedded_close(&log->base);
        return result;
    }
    /* Also when an earlier start made the topics and died before anything was in them. */
    log->is_new = !log->read_only && (embedded_line_end(&log->lines[TOPIC_EVENTS]) == 0 ||
                                      embedded_line_end(&log->lines[TOPIC_ALERTS]) == 0);
    *ret = &log->base;
    return OK;
}

static int32_t embedded_partitions(const struct log *log, enum topic topic)
{
    return topic == TOPIC_EVENTS || topic == TOPIC_ALERTS ? ((const struct embedded_log *)log)->partitions : 1;
}

static const char *embedded_identity(const struct log *log)
{
    return ((const struct embedded_log *)log)->identity;
}

static bool embedded_is_new(const struct log *log)
{
    return ((const struct embedded_log *)log)->is_new;
}

static bool embedded_is_healthy(const struct log *base)
{
    const struct embedded_log *log = (const struct embedded_log *)base;
    struct statvfs disk;
    int64_t now_ms = time_monotonic_ms();
    for (int i = 0; i < TOPIC_COUNT; i++) {
        int64_t failed_at_ms = atomic_load(&log->lines[i].failed_at_ms);
        if (atomic_load(&log->lines[i].is_over) || (failed_at_ms != 0 && now_ms - failed_at_ms < FAILURE_FRESH_MS))
            return false;
    }
    return !log->read_only && statvfs(log->folder, &disk) == 0 &&
           (uint64_t)disk.f_bavail * disk.f_frsize >= SPACE_LEFT_BYTES;
}

static int64_t embedded_cut_bytes(const struct log *base)
{
    const struct embedded_log *log = (const struct embedded_log *)base;
    int64_t bytes = 0;
    for (int i = 0; i < TOPIC_COUNT; i++)
        if (log->lines[i].stream != NULL)
            bytes += segment_stream_cut_bytes(log->lines[i].stream);
    return bytes;
}

static const struct log_operations operations = {
    .close = embedded_close,
    .partitions = embedded_partitions,
    .identity = embedded_identity,
    .is_new = embedded_is_new,
    .is_healthy = embedded_is_healthy,
    .cut_bytes = embedded_cut_bytes,
    .appender_open = embedded_appender_open,
    .appender_close = embedded_appender_close,
    .append = embedded_append,
    .collect = embedded_collect,
    .appender_fd = embedded_appender_fd,
    .reader_open = embedded_reader_open,
    .reader_close = embedded_reader_close,
    .read = embedded_read,
    .reader_fd = embedded_reader_fd,
    .reader_commit = embedded_reader_commit,
    .reader_lag = embedded_reader_lag,
    .fetcher_open = embedded_fetcher_open,
    .fetcher_close = embedded_fetcher_close,
    .fetch = embedded_fetch,
    .bounds = embedded_bounds,
    .find = embedded_find,
    .find_prefix = embedded_find_prefix,
};
