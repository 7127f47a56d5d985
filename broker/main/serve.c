/* The broker: opens what is needed in order, runs the roles, closes in reverse. */
#include "broker/main/serve.h"

#include "broker/base/note.h"
#include "broker/base/time.h"
#include "broker/codec/schemas.h"
#include "broker/main/data_folder.h"
#include "broker/main/ready.h"
#include "broker/main/roles.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { WATCH_MS = 50 };

void serve_options_default(struct serve_options *options)
{
    *options = (struct serve_options){.data_folder = "./data",
                                      .log = "embedded",
                                      .http = "127.0.0.1:8080",
                                      .mllp = "127.0.0.1:2575",
                                      .region = "wessex",
                                      .time_zone = "Europe/London",
                                      .roles = ROLE_ALL};
}

void loop_has_opened(struct loop *loop)
{
    (void)pthread_mutex_lock(&loop->lock);
    loop->opened = true;
    (void)pthread_cond_signal(&loop->changed);
    (void)pthread_mutex_unlock(&loop->lock);
}

static void *loop_thread(void *context)
{
    struct loop *loop = context;
    (void)pthread_setname_np(pthread_self(), loop->name);
    loop->result = loop->run(loop);
    if (loop->result != OK) {
        atomic_store(&loop->shared->failed, true);
        note(NOTE_ERROR, "role-stopped", "role=%s why=\"%s\"", loop->name, loop->err.text);
    }
    loop_has_opened(loop); /* also when it never did: nobody waits for ever */
    return NULL;
}

/* Starts the loop and waits until it has opened what it needs. */
static enum result loop_start(struct loop *loop, struct shared *shared, struct error *err)
{
    loop->shared = shared;
    loop->result = OK;
    (void)pthread_mutex_init(&loop->lock, NULL);
    (void)pthread_cond_init(&loop->changed, NULL);
    if (pthread_create(&loop->thread, NULL, loop_thread, loop) != 0)
        return error_set(err, FATAL, "a thread for %s could not be started", loop->name);
    loop->started = true;
    (void)pthread_mutex_lock(&loop->lock);
    while (!loop->opened)
        (void)pthread_cond_wait(&loop->changed, &loop->lock);
    (void)pthread_mutex_unlock(&loop->lock);
    return atomic_load(&shared->failed) ? error_set(err, FATAL, "%s", loop->err.text) : OK;
}

static enum result loop_join(struct loop *loop, enum result so_far, struct error *err)
{
    if (!loop->started)
        return so_far;
    (void)pthread_join(loop->thread, NULL);
    loop->started = false;
    /* Where one failed while another was starting, the reason is with the one that failed. */
    if (loop->result != OK && (so_far == OK || err->text[0] == '\0'))
        return error_set(err, loop->result, "%s", loop->err.text);
    return so_far;
}

/* On stdout, and in the data folder for clients on this machine. */
static enum result ready_tell(const struct shared *shared, const struct loop *http, const struct loop *mllp,
                              struct error *err)
{
    const char *door = mllp->started ? mllp->address : NULL;
    enum result result = ready_write(shared->options->data_folder, http->address, door, err);
    if (result != OK)
        return result;
    printf("ready http=%s%s%s\n", http->address, door == NULL ? "" : " mllp=", door == NULL ? "" : door);
    (void)fflush(stdout);
    return OK;
}

static enum result roles_run(struct shared *shared, struct error *err)
{
    int roles = shared->options->roles;
    struct loop match = {.name = "match", .run = match_loop}, deliver = {.name = "deliver", .run = deliver_loop};
    struct loop http = {.name = "http", .run = http_loop}, mllp = {.name = "mllp", .run = mllp_loop};
    enum result result = OK;
    if (result == OK && (roles & ROLE_MATCH) != 0)
        result = loop_start(&match, shared, err);
    if (result == OK && (roles & ROLE_DELIVER) != 0)
        result = loop_start(&deliver, shared, err);
    if (result == OK)
        result = loop_start(&http, shared, err);
    if (result == OK && (roles & ROLE_INGEST) != 0)
        result = loop_start(&mllp, shared, err);
    if (result == OK)
        result = ready_tell(shared, &http, &mllp, err);
    while (result == OK && !atomic_load(shared->stop) && !atomic_load(&shared->failed))
        (void)poll(NULL, 0, WATCH_MS);
    if (result == OK)
        ready_remove(shared->options->data_folder);
    else
        atomic_store(&shared->failed, true);
    result = loop_join(&mllp, result, err);
    result = loop_join(&http, result, err);
    atomic_store(&shared->doors_closed, true);
    result = loop_join(&match, result, err);
    return loop_join(&deliver, result, err);
}

static enum result log_prepare(const struct serve_options *options, struct log **ret, struct error *err)
{
    char host[64] = "tidings";
    (void)gethostname(host, sizeof host - 1);
    struct log_options log = {.where = options->log,
                              .data_folder = options->data_folder,
                              .partitions = options->partitions,
                              .replication = options->replication,
                              .client_id = options->machine == NULL ? host : options->machine,
                              .settings = options->kafka_settings};
    enum result result = log_open(&log, ret, err);
    if (result == OK && log_cut_bytes(*ret) > 0)
        note(NOTE_WARNING, "log-cut",
             "bytes=%lld why=\"a commit that was torn when the broker died; nobody was answered for it\"",
             (long long)log_cut_bytes(*ret));
    if (result == OK && options->faulty_script != NULL)
        result = log_faulty_open(*ret, options->faulty_script, ret, err);
    return result;
}

static void at_point(const struct serve_options *options, const char *point)
{
    if (options->at_point != NULL)
        options->at_point(NULL, "serve", point);
}

/* Each step looks whether it was done already: a first start that died goes on where it was. */
static enum result first_start(const struct serve_options *options, struct log *log, struct vault **ret_vault,
                               struct error *err)
{
    char token[TOKEN_TEXT_SIZE];
    at_point(options, "log-made");
    enum result result = region_key_open(options->data_folder, log, ret_vault, err);
    at_point(options, "region-key-made");
    if (result == OK)
        result = rules_write(log, TOPIC_EVENTS, err);
    at_point(options, "rules-partly");
    if (result == OK)
        result = rules_write(log, TOPIC_ALERTS, err);
    if (result == OK)
        result = operator_token_make(options->data_folder, log, strcmp(options->log, "embedded") == 0, token, err);
    at_point(options, "operator-token-recorded");
    if (result == OK)
        result = operator_token_write(options->data_folder, token, err);
    return result == NOTHING ? OK : result;
}

/* What somebody should know about this start. */
static void start_notes(const struct log *log, const struct vault *vault)
{
    if (log_cut_bytes(log) > 0)
        note(NOTE_WARNING, "log-cut",
             "bytes=%lld why=\"the last commit before the process ended was not whole, and had not been answered\"",
             (long long)log_cut_bytes(log));
    if (!vault_memory_is_locked(vault))
        note(NOTE_WARNING, "keys-not-locked", "why=\"RLIMIT_MEMLOCK is too small: keys may be swapped out\"");
}

enum result serve_run(const struct serve_options *options, const atomic_bool *stop, struct error *err)
{
    struct log *log = NULL;
    struct vault *vault = NULL;
    vault_protect_process();
    enum result result = schemas_open(err);
    if (result == OK)
        result = data_folder_make(options->data_folder, err);
    if (result == OK)
        result = log_prepare(options, &log, err);
    if (result == OK)
        ready_remove(options->data_folder); /* of one that was killed */
    if (result == OK)
        result = first_start(options, log, &vault, err);
    if (result == OK) {
        start_notes(log, vault);
        struct shared shared = {
            .options = options, .log = log, .vault = vault, .stop = stop, .zone = time_zone_open(options->time_zone)};
        result = roles_run(&shared, err);
        time_zone_close(shared.zone);
    }
    log_close(log);
    vault_close(vault);
    schemas_close();
    return result;
}
