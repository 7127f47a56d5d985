/* What `tidings publish` has sent, and what became of it. */
#pragma once

#include "broker/main/broker.h"
#include "broker/main/progress.h"

struct publishing {
    const struct invocation *invocation;
    struct broker broker; /* for HTTP with a publisher's token */
    const char *file;     /* the one at hand, for people */
    int64_t sent, acknowledged, rejected;
    int64_t unasked;          /* HL7 messages that asked for no acknowledgement */
    struct buffer rejections; /* of a JSON list */
};

/* One that the broker will never take: told at once. id: MSH-10, or a CloudEvent's; may be empty. */
void publishing_reject(struct publishing *publishing, struct view id, struct view why);

/* One CloudEvent or a list of them, over HTTP. */
enum result publish_events(struct publishing *publishing, struct view json, struct error *err);
/* HL7 messages, over MLLP: several in flight, each acknowledgement waited for. */
enum result publish_messages(struct publishing *publishing, struct view text, struct error *err);
