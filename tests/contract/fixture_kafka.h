/* What the sentences about Kafka alone need of its broker. */
#pragma once

#include "tests/contract/contract.h"

#include <librdkafka/rdkafka.h>

/* tests/kafka/broker's verb: "kill", "start", "stop", "freeze", "thaw". Skips the sentence where the broker is not
 * ours. */
void kafka_broker_tell(const char *verb);
/* more.where NULL: this broker. */
enum result kafka_open_as(void *place, const struct log_options *more, struct log **ret, struct error *err);
rd_kafka_t *kafka_client(rd_kafka_type_t type, const char *name,
                         const char *value); /* with one more setting, or NULL */
/* settings: name, value, name, value ... NULL. */
void kafka_topic_make(const char *name, int partitions, const char *const *settings);
bool kafka_topics_delete(const char *prefix); /* waits until they are gone */
bool kafka_topic_is_there(const char *name);
