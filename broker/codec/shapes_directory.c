/* Shapes of what stands in the directory, the keys and the quarantine. */
#include "broker/codec/shapes.h"

#include "broker/event/data_key.h"
#include "broker/event/directory_entry.h"

static const struct avro_field data_key_fields[] = {
    STRING("owner", struct data_key, owner),
    LONG("id", struct data_key, id),
    FIXED("wrapped", struct data_key, wrapped),
};
const struct avro_shape data_key_shape = SHAPE("DataKey", struct data_key, data_key_fields);

static const struct avro_field organisation_fields[] = {
    STRING("id", struct organisation, id),
    STRING("name", struct organisation, name),
    STRING("kind", struct organisation, kind),
    STRINGS("hl7Names", struct organisation, hl7_names, hl7_name_count),
    STRINGS("sources", struct organisation, sources, source_count),
    STRINGS("mllpPeers", struct organisation, mllp_peers, mllp_peer_count),
    STRINGS("processingIds", struct organisation, processing_ids, processing_id_count),
    STRING("timeZone", struct organisation, time_zone),
    BOOL("rejectUntrusted", struct organisation, reject_untrusted),
    LONG("changedAt", struct organisation, changed_at_ms),
};
const struct avro_shape organisation_shape = SHAPE("Organisation", struct organisation, organisation_fields);

static const struct avro_field subscriber_fields[] = {
    STRING("id", struct subscriber, id),
    STRING("kind", struct subscriber, kind),
    STRING("organisation", struct subscriber, organisation),
    STRING("name", struct subscriber, name),
    LONG("changedAt", struct subscriber, changed_at_ms),
};
const struct avro_shape subscriber_shape = SHAPE("Subscriber", struct subscriber, subscriber_fields);

static const struct avro_field token_fields[] = {
    STRING("id", struct token, id),
    FIXED("hash", struct token, hash),
    STRINGS("organisations", struct token, organisations, organisation_count),
    INT("roles", struct token, roles),
    LONG("expiresAt", struct token, expires_at_ms),
    STRING("kind", struct token, kind),
    BOOL("ended", struct token, ended),
    LONG("madeAt", struct token, made_at_ms),
    STRING("parent", struct token, parent),
};
const struct avro_shape token_shape = SHAPE("Token", struct token, token_fields);

static const struct avro_field work_item_fields[] = {
    STRING("organisation", struct work_item, organisation),
    STRING("kind", struct work_item, kind),
    STRING("source", struct work_item, source),
    STRING("messageId", struct work_item, message_id),
    STRING("why", struct work_item, why),
    STRING("at", struct work_item, at),
    STRING("code", struct work_item, code),
    LONG("recordedAt", struct work_item, recorded_at_ms),
    INT("sourceTopic", struct work_item, source_topic),
    INT("sourcePartition", struct work_item, source_partition),
    LONG("sourceOffset", struct work_item, source_offset),
    INT("sourceIndex", struct work_item, source_index),
};
const struct avro_shape work_item_shape = SHAPE("WorkItem", struct work_item, work_item_fields);
