/* First start: the folder, the region's key, the rules in the log, the operator's token. */
#include "broker/main/data_folder.h"

#include "broker/base/time.h"
#include "broker/directory/directory.h"
#include "broker/event/limits.h"
#include "broker/record/keyring.h"
#include "broker/record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PATH_SIZE = 512, APPEND_WAIT_MS = 30 * 1000 };

enum result data_folder_make(const char *path, struct error *err)
{
    (void)umask(0077); /* nothing in it is for others */
    if (mkdir(path, 0700) == 0 || errno == EEXIST)
        return OK;
    return error_set(err, REJECTED, "the data folder %.150s cannot be made (%s): choose another with --data", path,
                     strerror(errno));
}

/* Any data key of the log: its name, "owner/id". NOTHING: the log has none yet. */
static enum result data_key_name_find(struct log *log, struct buffer *ret_name, struct error *err)
{
    struct log_fetcher *fetcher;
    struct buffer value = {0};
    enum result result = log_fetcher_open(log, &fetcher, err);
    if (result != OK)
        return result;
    result = log_find_prefix(fetcher, TOPIC_KEYS, VIEW(""), ret_name, &value, err);
    buffer_destroy(&value);
    log_fetcher_close(fetcher);
    return result;
}

/* With another region's key every patient would have another pseudonym, and nobody would be told: so it must open a
 * data key of this log. */
static enum result region_key_check(const char *path, struct log *log, const struct vault *vault, struct view name,
                                    struct error *err)
{
    struct keyring *keyring = NULL;
    uint64_t id;
    const char *slash = memrchr(name.data, '/', name.size);
    struct view owner = view_make(name.data, slash == NULL ? 0 : (size_t)(slash - (const char *)name.data));
    enum result result = keyring_open(log, vault, 1, &keyring, err);
    if (result == OK)
        result = keyring_find_any(keyring, owner, &id, err);
    keyring_close(keyring);
    if (result == REJECTED)
        return error_set(err, REJECTED,
                         "%.120s is not the key that this log was made with: copy that file from the machine that made "
                         "it",
                         path);
    return result == NOTHING ? OK : result;
}

enum result region_key_open(const char *folder, struct log *log, struct vault **ret, struct error *err)
{
    char path[PATH_SIZE];
    struct buffer name = {0};
    struct vault *vault = NULL;
    (void)snprintf(path, sizeof path, "%s/region.key", folder);
    enum result found = data_key_name_find(log, &name, err);
    enum result result = found == NOTHING ? OK : found;
    if (result == OK && access(path, F_OK) != 0)
        result = found == NOTHING
                     ? vault_create(path, err)
                     : error_set(err, REJECTED,
                                 "this log has records, and %.120s is not there: copy that file from the machine that "
                                 "made it (without it no record can be read)",
                                 path);
    if (result == OK)
        result = vault_open(path, &vault, err);
    if (result == OK && found == OK)
        result = region_key_check(path, log, vault, buffer_view(&name), err);
    buffer_destroy(&name);
    if (result != OK) {
        vault_close(vault);
        return result;
    }
    *ret = vault;
    return OK;
}

enum result rules_write(struct log *log, enum topic topic, struct error *err)
{
    struct log_fetcher *fetcher = NULL;
    struct log_appender *appender = NULL;
    struct rules rules = {RULES_NEWEST};
    struct buffer value = {0};
    struct log_entry entries[LIMIT_PARTITIONS];
    size_t count = 0;
    enum result result = log_fetcher_open(log, &fetcher, err);
    if (result == OK)
        result = log_appender_open(log, &appender, err);
    record_write_plain(SCHEMA_RULES, &rules, &value);
    for (int32_t i = 0; i < log_partitions(log, topic) && result == OK; i++) {
        int64_t first, end;
        result = log_bounds(fetcher, topic, i, &first, &end, err);
        if (result == OK && first == end)
            entries[count++] =
                (struct log_entry){.topic = topic, .partition = i, .key = VIEW("rules"), .value = buffer_view(&value)};
    }
    if (result == OK && count > 0)
        result = log_append_and_wait(appender, entries, count, APPEND_WAIT_MS, NULL, err);
    buffer_destroy(&value);
    log_appender_close(appender);
    log_fetcher_close(fetcher);
    return result;
}

enum result operator_token_make(const char *folder, struct log *log, bool embedded, char ret[TOKEN_TEXT_SIZE],
                                struct error *err)
{
    char path[PATH_SIZE], id[TOKEN_ID_SIZE];
    struct directory *directory = NULL;
    struct log_appender *appender = NULL;
    struct arena arena = {0};
    (void)snprintf(path, sizeof path, "%s/operator.token", folder);
    if (access(path, F_OK) == 0)
        return NOTHING;
    enum result result = directory_open(log, &directory, err);
    /* On a shared log another machine has the operator's token; on one's own, whoever has the folder has everything. */
    if (result == OK && !embedded && directory_has_operator(directory))
        result = NOTHING;
    if (result == OK)
        result = log_appender_open(log, &appender, err);
    if (result == OK) {
        struct token token = {.roles = ROLE_OPERATOR, .kind = VIEW("token"), .made_at_ms = time_now_ms()};
        vault_token_create(id, ret, token.hash);
        token.id = view_of_text(id);
        struct log_entry entry = directory_put_token(&token, &arena);
        result = log_append_and_wait(appender, &entry, 1, APPEND_WAIT_MS, NULL, err);
    }
    log_appender_close(appender);
    directory_close(directory);
    arena_destroy(&arena);
    return result;
}

enum result operator_token_write(const char *folder, const char *text, struct error *err)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/operator.token", folder);
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    bool written = file >= 0 && dprintf(file, "%s\n", text) > 0 && fsync(file) == 0;
    if (file >= 0)
        (void)close(file);
    return written ? OK : error_set(err, REJECTED, "%.150s cannot be written (%s)", path, strerror(errno));
}

enum result operator_token_read(const char *folder, char ret[TOKEN_TEXT_SIZE], struct error *err)
{
    char path[PATH_SIZE];
    (void)snprintf(path, sizeof path, "%s/operator.token", folder);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return error_set(err, NOTHING, "%.150s cannot be read (%s): is --data the folder of a broker that ran here?",
                         path, strerror(errno));
    bool whole = fgets(ret, TOKEN_TEXT_SIZE, file) != NULL;
    (void)fclose(file);
    ret[strcspn(ret, "\n")] = '\0';
    return whole ? OK : error_set(err, NOTHING, "%.150s is empty", path);
}
