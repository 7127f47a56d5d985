/* The log on a real Apache Kafka: KAFKA_ADDRESS (with KAFKA_FOLDER, to kill it), or a broker of this program's own. */
#include "tests/contract/fixture_kafka.h"

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

/* Runs the script with these arguments; what it says in its first line goes to ret. */
static bool script_run(const char *arguments, char *ret, size_t size)
{
    char command[1024], line[512] = "";
    (void)snprintf(command, sizeof command, "'%s' %s 2>&1", broker.script, arguments);
    FILE *output = popen(command, "re");
    if (output == NULL)
        return false;
    if (fgets(line, sizeof line, output) == NULL)
        line[0] = '\0';
    line[strcspn(line, "\n")] = '\0';
    (void)snprintf(ret, size, "%s", line);
    return pclose(output) == 0;
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

void kafka_broker_tell(const char *verb)
{
    char arguments[512], said[256];
    if (broker.folder[0] == '\0')
        skip(); /* somebody else's broker, that is not ours to kill */
    (void)snprintf(arguments, sizeof arguments, "%s '%s'", verb, broker.folder);
    if (!script_run(arguments, said, sizeof said))
        fail_msg("broker %s: %s", verb, said);
}

static void kafka_restart(void *place)
{
    (void)place;
    kafka_broker_tell("kill");
    kafka_broker_tell("start");
}

/* ---- asking the broker for what the log does not ---- */

rd_kafka_t *kafka_client(rd_kafka_type_t type, const char *name, const char *value)
{
    char why[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    (void)rd_kafka_conf_set(conf, "bootstrap.servers", broker.address, why, sizeof why);
    if (name != NULL)
        (void)rd_kafka_conf_set(conf, name, value, why, sizeof why);
    return rd_kafka_new(type, conf, why, sizeof why);
}

void kafka_topic_make(const char *name, int partitions, const char *const *settings)
{
    char why[256];
    rd_kafka_t *client = kafka_client(RD_KAFKA_PRODUCER, NULL, NULL);
    rd_kafka_NewTopic_t *topic = rd_kafka_NewTopic_new(name, partitions, 1, why, sizeof why);
    for (; *settings != NULL; settings += 2)
        (void)rd_kafka_NewTopic_set_config(topic, settings[0], settings[1]);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(client);
    rd_kafka_CreateTopics(client, &topic, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, DEADLINE_MS);
    assert_non_null(event);
    size_t count = 0;
    const rd_kafka_topic_result_t **made =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &count);
    assert_int_equal(count, 1);
    assert_int_equal(rd_kafka_topic_result_error(made[0]), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(topic);
    rd_kafka_destroy(client);
}

/* Those whose name begins with prefix. */
static size_t topics_find(rd_kafka_t *client, const char *prefix, rd_kafka_DeleteTopic_t **ret, size_t most)
{
    const struct rd_kafka_metadata *metadata = NULL;
    size_t count = 0;
    if (rd_kafka_metadata(client, 1, NULL, &metadata, DEADLINE_MS) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    for (int i = 0; i < metadata->topic_cnt && count < most; i++)
        if (strncmp(metadata->topics[i].topic, prefix, strlen(prefix)) == 0)
            ret[count++] = rd_kafka_DeleteTopic_new(metadata->topics[i].topic);
    rd_kafka_metadata_destroy(metadata);
    return count;
}

/* True when there was none. */
static bool topics_delete(rd_kafka_t *client, const char *prefix)
{
    rd_kafka_DeleteTopic_t *topics[TOPIC_COUNT];
    size_t count = topics_find(client, prefix, topics, TOPIC_COUNT);
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

bool kafka_topics_delete(const char *prefix)
{
    rd_kafka_t *client = kafka_client(RD_KAFKA_PRODUCER, NULL, NULL);
    int64_t deadline = time_monotonic_ms() + DEADLINE_MS;
    bool gone = false;
    while (client != NULL && !(gone = topics_delete(client, prefix)) && time_monotonic_ms() < deadline)
        (void)nanosleep(&(struct timespec){.tv_nsec = 20 * 1000 * 1000},
                        NULL); /* over some time after it was answered */
    if (client != NULL)
        rd_kafka_destroy(client);
    return gone;
}

bool kafka_topic_is_there(const char *name)
{
    rd_kafka_t *client = kafka_client(RD_KAFKA_PRODUCER, NULL, NULL);
    rd_kafka_DeleteTopic_t *found[1];
    size_t count = topics_find(client, name, found, 1);
    rd_kafka_DeleteTopic_destroy_array(found, count);
    rd_kafka_destroy(client);
    return count > 0;
}

/* ---- a place ---- */

static void *kafka_make(struct error *err)
{
    const char *parent = getenv("TMPDIR");
    char path[256];
    if (!broker_start(err))
        return NULL;
    if (!kafka_topics_delete("tidings.")) {
        (void)!error_set(err, FATAL, "the topics at %s cannot be deleted", broker.address);
        return NULL;
    }
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

enum result kafka_open_as(void *place, const struct log_options *more, struct log **ret, struct error *err)
{
    char where[128];
    struct log_options options = *more;
    (void)snprintf(where, sizeof where, "kafka://%s", broker.address);
    options.where = options.where == NULL ? where : options.where;
    options.data_folder = place;
    return log_open(&options, ret, err);
}

static enum result kafka_open(void *place, int32_t partitions, bool read_only, struct log **ret, struct error *err)
{
    return kafka_open_as(
        place, &(struct log_options){.partitions = partitions, .read_only = read_only, .client_id = "contract"}, ret,
        err);
}

const struct contract contract_kafka = {
    .name = "kafka",
    .make = kafka_make,
    .remove = kafka_remove,
    .open = kafka_open,
    .restart = kafka_restart,
};
