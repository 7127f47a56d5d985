/* Answers to HL7 messages: original and enhanced mode (HL7 v2.5, 2.9), with the sender's delimiters, version and
 * character set. They echo MSH fields only, never a patient's data. */
#pragma once

#include "producers/hl7/message.h"

enum verdict {
    VERDICT_ACCEPT, /* AA, CA: durable */
    VERDICT_ERROR,  /* AE, CE: send it again later */
    VERDICT_REJECT, /* AR, CR: never again */
};

/* Gives answers control ids of their own that do not repeat, also after a restart. */
struct control_ids {
    int64_t started_ms;
    uint64_t count;
};

/* Appends the answers that the message asks for by MSH-15 and MSH-16, each an MLLP frame: none, one, or the accept
 * answer and right after it the application's. refusal: why not; NULL with VERDICT_ACCEPT. */
void acknowledgement_write(struct buffer *to, const struct message *message, enum verdict verdict,
                           const struct refusal *refusal, struct control_ids *ids, int64_t now_ms);
