/* The log on a real Apache Kafka: KAFKA_ADDRESS (with KAFKA_FOLDER, to kill it), or a broker of this program's own. */
#include "tests/contract/contract.h"

#include "broker/base/memory.h"
#include "broker/base/time.h"

#include <errno.h>
#include <ftw.h>
#include <librdkafka/rdkafka.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static struct {
    char address[64], folder[256], script[512];
} broker;

/* ---- the broker ---- */

/* Runs the script with these arguments; its first line goes to ret. */
static bool script_run(const char *arguments, char *ret, size_t size)
{
    char command[1024], line[512] = "";
    (void)snprintf(command, sizeof command, "'%s' %s 2>&1", broker.script, arguments);
    FILE *output = popen(command, "re");
    if (output == NULL)
        return false;
    bool said = fgets(line, sizeof line, output) != NULL;
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(ret, size, "%s", line);
    return pclose(output) == 0 && said;
}

static bool broker_start(struct error *err)
{
    char arguments[512], said[sizeof err->text];
    const char *parent = getenv("TMPDIR");
    if (broker.address[0] != '\0')
        return true;
    (void)snprintf(broker.script, sizeof broker.script, "%s/tests/kafka/broker", SOURCE_DIR);
    if (getenv("KAFKA_ADDRESS") != NULL) {
        (void)snprintf(broker.address, sizeof broker.address, "%s", getenv("KAFKA_ADDRESS"));
        if (getenv("KAFKA_FOLDER") != NULL)
            (void)snprintf(broker.folder, sizeof broker.folder, "%s", getenv("KAFKA_FOLDER"));
        return true;
    }
    (void)snprintf(broker.folder, sizeof broker.folder, "%s/tidings-kafka-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(broker.folder) == NULL) {
        (void)!error_set(err, FATAL, "%s: %s", broker.folder, strerror(errno));
        return false;
    }
    /* Topics that make themselves when somebody asks for them: the log must not fall for it. */
    (void)snprintf(arguments, sizeof arguments, "start '%s' --owner %ld --set auto.create.topics.enable=true",
                   broker.folder, (long)getpid());
    if (!script_run(arguments, said, sizeof said)) {
        (void)!error_set(err, FATAL, "%s", said);
        return false;
    }
    (void)snprintf(broker.address, sizeof broker.address, "%.63s", said);
    return true;
}

static void kafka_restart(void *place)
{
    char arguments[512], said[256];
    (void)place;
    (void)snprintf(arguments, sizeof arguments, "kill '%s'", broker.folder);
    (void)script_run(arguments, said, sizeof said);
    (void)snprintf(arguments, sizeof arguments, "start '%s'", broker.folder);
    if (!script_run(arguments, said, sizeof said))
        fail_msg("%s", said);
}

/* ---- an empty Kafka ---- */

static size_t topics_find(rd_kafka_t *client, rd_kafka_DeleteTopic_t **ret, size_t most)
{
    const struct rd_kafka_metadata *metadata = NULL;
    size_t count = 0;
    if (rd_kafka_metadata(client, 1, NULL, &metadata, DEADLINE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    for (int i = 0; i < metadata->topic_cnt && count < most; i++)
        if (strncmp(metadata->topics[i].topic, "tidings.", 8) == 0)
            ret[count++] = rd_kafka_DeleteTopic_new(metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    return count;
}

static bool topics_delete(rd_kafka_t *client)
{
    rd_kafka_DeleteTopic_t *topics[TOPIC_COUNT];
    size_t count = topics_find(client, topics, TOPIC_COUNT);
    if (count == 0)
        return true;
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_DeleteTopics(client, topics, count, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    if (event != NULL)
        rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_DeleteTopic_destroy_array(topics, count);
    return false;
}

/* Until they are gone: deleting is over some time after it was answered. */
static bool kafka_empty(struct error *err)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", broker.address, why, sizeof why);
    rd_kafka_t *client = rd_kafka_new(RD_KAFKA_CONSUMER, conf, why, sizeof why);
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    bool empty = false;
    while (client != NULL && !(empty = topics_delete(client)) && time_monotonic_ms() < deadline)
        (void)nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000}, NULL);
    if (!empty)
        (void)!error_set(err, FATAL, "the topics at %s cannot be deleted", broker.address);
    if (client != NULL)
        rd_kafka_destroy(client);
    return empty;
}

/* ---- a place ---- */

static void *kafka_make(struct error *err)
{
    const char *parent = getenv("TMPDIR");
    char path[256];
    if (!broker_start(err) || !kafka_empty(err))
        return NULL;
    (void)snprintf(path, sizeof path, "%s/tidings-contract-XXXXXX", parent == NULL ? "/tmp" : parent);
    if (mkdtemp(path) == NULL) {
        (void)!error_set(err, FATAL, "%s: %s", path, strerror(errno));
        return NULL;
    }
    return memory_text(view_of_text(path));
}

static int remove_one(const char *path, const struct stat *facts, int kind, struct FTW *walk)
{
    (void)facts;
    (void)kind;
    (void)walk;
    return remove(path);
}

static void kafka_remove(void *place)
{
    (void)nftw(place, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    free(place);
}

static enum result kafka_open(void *place, int32_t partitions, bool read_only, struct log **ret, struct error *err)
{
    char where[128];
    (void)snprintf(where, sizeof where, "kafka://%s", broker.address);
    struct log_options options = {.where = where,
                                  .data_folder = place,
                                  .partitions = partitions,
                                  .read_only = read_only,
                                  .client_id = "contract"};
    return log_open(&options, ret, err);
}

const struct contract contract_kafka = {
    .name = "kafka",
    .make = kafka_make,
    .remove = kafka_remove,
    .open = kafka_open,
    .restart = kafka_restart,
};
