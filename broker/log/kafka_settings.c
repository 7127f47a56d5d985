/* Clients of Kafka: the settings they share, those that an operator may add, and what their errors mean. */
#include "broker/log/kafka.h"

#include "broker/base/memory.h"

#include <stdio.h>
#include <stdlib.h>

static const struct kafka_setting common[] = {
    {"socket.nagle.disable", "true"},
    {"socket.keepalive.enable", "true"},
    {"socket.timeout.ms", "15000"},
    {"reconnect.backoff.ms", "50"},
    {"reconnect.backoff.max.ms", "1000"},
    {"session.timeout.ms", "6000"},        /* the default leaves a dead owner's work lying for 45 s */
    {"allow.auto.create.topics", "false"}, /* a topic that is gone must stay gone until a person has seen it */
    {NULL, NULL},
};

/* What the log's promises stand on. */
static const char *const not_the_operators[] = {
    "bootstrap.servers",
    "metadata.broker.list",
    "client.id",
    "acks",
    "request.required.acks",
    "enable.idempotence",
    "enable.gapless.guarantee",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.timeout.ms",
    "delivery.timeout.ms",
    "retries",
    "message.send.max.retries",
    "message.max.bytes",
    "transactional.id",
    "queue.buffering.max.messages",
    "queue.buffering.max.kbytes",
    "allow.auto.create.topics",
    "group.id",
    "group.instance.id",
    "partition.assignment.strategy",
    "enable.auto.commit",
    "auto.commit.enable",
    "enable.auto.offset.store",
    "auto.offset.reset",
    "check.crcs",
    "enable.partition.eof",
    "isolation.level",
    "plugin.library.paths",
};

static enum result conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, struct error *err)
{
    char why[160]; /* librdkafka's words quote the value, which may be a password */
    if (rd_kafka_conf_set(conf, name, value, why, sizeof why) == RD_KAFKA_CONF_OK)
        return OK;
    return error_set(err, REJECTED, "librdkafka does not take the setting %.60s: unknown, or not such a value", name);
}

static enum result conf_set_operators(rd_kafka_conf_t *conf, const char *settings, struct error *err)
{
    enum result result = OK;
    while (result == OK && settings != NULL && *settings != '\0') {
        const char *line_end = strchrnul(settings, '\n');
        const char *equals = memchr(settings, '=', (size_t)(line_end - settings));
        if (equals == NULL && line_end != settings)
            return error_set(err, REJECTED, "a line of the Kafka settings is not name=value");
        if (equals != NULL) {
            char *name = memory_text(view_make(settings, (size_t)(equals - settings)));
            char *value = memory_text(view_make(equals + 1, (size_t)(line_end - equals - 1)));
            for (size_t i = 0; i < sizeof not_the_operators / sizeof *not_the_operators; i++)
                if (strcmp(name, not_the_operators[i]) == 0)
                    result = error_set(err, REJECTED, "the Kafka setting %s is not to be changed: the log stands on it",
                                       name);
            if (result == OK)
                result = conf_set(conf, name, value, err);
            free(value);
            free(name);
        }
        settings = *line_end == '\0' ? line_end : line_end + 1;
    }
    return result;
}

static void be_quiet(const rd_kafka_t *client, int level, const char *what, const char *text)
{
    (void)client, (void)level, (void)what, (void)text; /* rooms do not write notes; what counts comes as an error */
}

static void trouble_note(rd_kafka_t *client, int code, const char *why, void *opaque)
{
    struct kafka_log *log = ((struct kafka_owner *)opaque)->log;
    char fatal[sizeof log->trouble_text];
    if (code == RD_KAFKA_RESP_ERR__FATAL) {
        code = rd_kafka_fatal_error(client, fatal, sizeof fatal);
        why = fatal;
    }
    pthread_mutex_lock(&log->trouble_lock);
    /* Of a handful of words the one that says most: that no broker is up is no news after "authentication failed". */
    if (code != RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN || log->trouble == RD_KAFKA_RESP_ERR_NO_ERROR) {
        log->trouble = code;
        snprintf(log->trouble_text, sizeof log->trouble_text, "%s", why);
    }
    pthread_mutex_unlock(&log->trouble_lock);
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN)
        kafka_answers_doubt(log);
}

static void rebalance(rd_kafka_t *client, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque)
{
    struct kafka_owner *owner = opaque;
    (void)client;
    owner->rebalance(owner, code, list);
}

enum result kafka_client_open(struct kafka_owner *owner, rd_kafka_type_t type, const struct kafka_setting *more,
                              rd_kafka_t **ret, struct error *err)
{
    struct kafka_log *log = owner->log;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    enum result result = conf_set(conf, "bootstrap.servers", log->brokers, err);
    if (result == OK && log->client_id != NULL)
        result = conf_set(conf, "client.id", log->client_id, err);
    for (const struct kafka_setting *setting = common; result == OK && setting->name != NULL; setting++)
        result = conf_set(conf, setting->name, setting->value, err);
    for (const struct kafka_setting *setting = more; result == OK && setting->name != NULL; setting++)
        result = conf_set(conf, setting->name, setting->value, err);
    if (result == OK)
        result = conf_set_operators(conf, log->settings, err);
    if (result != OK)
        goto out;
    rd_kafka_conf_set_opaque(conf, owner);
    rd_kafka_conf_set_log_cb(conf, be_quiet);
    rd_kafka_conf_set_error_cb(conf, trouble_note);
    if (type == RD_KAFKA_PRODUCER)
        rd_kafka_conf_set_dr_msg_cb(conf, kafka_appender_report);
    if (owner->rebalance != NULL)
        rd_kafka_conf_set_rebalance_cb(conf, rebalance);

    char why[160];
    rd_kafka_t *client = rd_kafka_new(type, conf, why, sizeof why);
    if (client == NULL) {
        result = error_set(err, REJECTED, "librdkafka does not start: %s", why);
        goto out;
    }
    conf = NULL; /* the client's now */
    *ret = client;
out:
    if (conf != NULL)
        rd_kafka_conf_destroy(conf);
    return result;
}

static const struct {
    rd_kafka_resp_err_t code;
    enum result result;
} meanings[] = {
    {RD_KAFKA_RESP_ERR_NO_ERROR, OK},
    {RD_KAFKA_RESP_ERR__TRANSPORT, AGAIN},
    {RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, AGAIN},
    {RD_KAFKA_RESP_ERR__RESOLVE, AGAIN},
    {RD_KAFKA_RESP_ERR__TIMED_OUT, AGAIN},
    {RD_KAFKA_RESP_ERR__TIMED_OUT_QUEUE, AGAIN},
    {RD_KAFKA_RESP_ERR__MSG_TIMED_OUT, AGAIN},
    {RD_KAFKA_RESP_ERR__WAIT_COORD, AGAIN},
    {RD_KAFKA_RESP_ERR__WAIT_CACHE, AGAIN},
    {RD_KAFKA_RESP_ERR__IN_PROGRESS, AGAIN},
    {RD_KAFKA_RESP_ERR__INTR, AGAIN},
    {RD_KAFKA_RESP_ERR__RETRY, AGAIN},
    {RD_KAFKA_RESP_ERR__STATE, AGAIN},
    {RD_KAFKA_RESP_ERR__NO_OFFSET, AGAIN},
    {RD_KAFKA_RESP_ERR__PURGE_QUEUE, AGAIN},
    {RD_KAFKA_RESP_ERR__PURGE_INFLIGHT, UNCERTAIN},
    {RD_KAFKA_RESP_ERR__QUEUE_FULL, AGAIN},
    {RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC, AGAIN},
    {RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION, AGAIN},
    {RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED, AGAIN},
    {RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART, AGAIN},
    {RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE, AGAIN},
    {RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION, AGAIN},
    {RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT, AGAIN},
    {RD_KAFKA_RESP_ERR_BROKER_NOT_AVAILABLE, AGAIN},
    {RD_KAFKA_RESP_ERR_REPLICA_NOT_AVAILABLE, AGAIN},
    {RD_KAFKA_RESP_ERR_NETWORK_EXCEPTION, AGAIN},
    {RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS, AGAIN},
    {RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE, AGAIN},
    {RD_KAFKA_RESP_ERR_NOT_COORDINATOR, AGAIN},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS, AGAIN},
    {RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS_AFTER_APPEND, UNCERTAIN},
    {RD_KAFKA_RESP_ERR_NOT_CONTROLLER, AGAIN},
    {RD_KAFKA_RESP_ERR_ILLEGAL_GENERATION, AGAIN},
    {RD_KAFKA_RESP_ERR_UNKNOWN_MEMBER_ID, AGAIN},
    {RD_KAFKA_RESP_ERR_REBALANCE_IN_PROGRESS, AGAIN},
    {RD_KAFKA_RESP_ERR_KAFKA_STORAGE_ERROR, AGAIN},
    {RD_KAFKA_RESP_ERR_OFFSET_NOT_AVAILABLE, AGAIN},
    {RD_KAFKA_RESP_ERR_FENCED_LEADER_EPOCH, AGAIN},
    {RD_KAFKA_RESP_ERR_UNKNOWN_LEADER_EPOCH, AGAIN},
    {RD_KAFKA_RESP_ERR_THROTTLING_QUOTA_EXCEEDED, AGAIN},
    {RD_KAFKA_RESP_ERR__AUTHENTICATION, REJECTED},
    {RD_KAFKA_RESP_ERR__SSL, REJECTED},
    {RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED, REJECTED},
    {RD_KAFKA_RESP_ERR_UNSUPPORTED_SASL_MECHANISM, REJECTED},
    {RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED, REJECTED},
    {RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, REJECTED},
    {RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED, REJECTED},
    {RD_KAFKA_RESP_ERR_POLICY_VIOLATION, REJECTED},
    {RD_KAFKA_RESP_ERR_INVALID_REPLICATION_FACTOR, REJECTED},
    {RD_KAFKA_RESP_ERR_INVALID_PARTITIONS, REJECTED},
    {RD_KAFKA_RESP_ERR_INVALID_CONFIG, REJECTED},
};

enum result kafka_result(rd_kafka_resp_err_t code)
{
    for (size_t i = 0; i < sizeof meanings / sizeof *meanings; i++)
        if (meanings[i].code == code)
            return meanings[i].result;
    return FATAL;
}

/* librdkafka before 2.6.1 sends a nonce that Kafka 4 refuses. */
static bool scram_is_at_fault(const struct kafka_log *log, rd_kafka_resp_err_t trouble)
{
    return (trouble == RD_KAFKA_RESP_ERR__AUTHENTICATION || trouble == RD_KAFKA_RESP_ERR_SASL_AUTHENTICATION_FAILED) &&
           log->settings != NULL && strstr(log->settings, "SCRAM") != NULL && rd_kafka_version() < 0x020601ff;
}

enum result kafka_error(struct kafka_log *log, rd_kafka_resp_err_t code, const char *what, struct error *err)
{
    enum result result = kafka_result(code);
    if (log->answers == NULL && log->client != NULL)
        rd_kafka_poll(log->client, 0); /* while opening nobody else hears of the connection's trouble */
    pthread_mutex_lock(&log->trouble_lock);
    rd_kafka_resp_err_t trouble = log->trouble;
    const char *told = trouble == RD_KAFKA_RESP_ERR_NO_ERROR ? "" : log->trouble_text;
    if (result == AGAIN && kafka_result(trouble) == REJECTED)
        result = REJECTED; /* nobody answers because nobody may let us in */
    if (scram_is_at_fault(log, trouble))
        (void)error_set(
            err, result,
            "%s: authentication failed. Kafka 4 refuses SCRAM from librdkafka %s with any password (mended in "
            "2.6.1): use TLS client certificates",
            what, rd_kafka_version_str());
    else
        (void)error_set(err, result, "%s: %s%s%s", what, rd_kafka_err2str(code), *told == '\0' ? "" : ": ", told);
    pthread_mutex_unlock(&log->trouble_lock);
    return result;
}
