/* Who sent a message and what makes it the same message: MSH (HL7 v2.5, 2.15.9), and the checks that hold for every
 * type. */
#pragma once

#include "producers/hl7/reading.h"

struct envelope {
    struct view source;        /* MSH-3, the whole field; "" where it is empty */
    struct view sender;        /* MSH-4.1 */
    struct view type, trigger; /* MSH-9.1 and MSH-9.2, else EVN-1 */
    struct view id;            /* MSH-10 */
    struct view processing_id; /* MSH-11.1 */
};

void envelope_read(struct message *message, struct envelope *ret);
/* organisation: NULL where MSH-4 names none that we know. */
enum result envelope_check(const struct envelope *envelope, const struct organisation *organisation,
                           struct refusal *ret_refusal);
/* When the sender made the message: MSH-7, else EVN-2, EVN-6, else now. */
int64_t envelope_time(struct reading *reading);
/* Appends what is compared when the message comes again: all of it but MSH-7, which engines stamp anew. */
void envelope_content(const struct message *message, struct buffer *to);
/* An acknowledgement of somebody's: never answered, so that two programs do not answer each other for ever. */
bool envelope_is_acknowledgement(const struct envelope *envelope);
