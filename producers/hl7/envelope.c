/* The message's outside. */
#include "producers/hl7/envelope.h"

#include "broker/event/limits.h"

void envelope_read(struct message *message, struct envelope *ret)
{
    struct view source = message_text(message, message_field(message, SEGMENT_MSH, 3));
    *ret = (struct envelope){
        .source = source.data == NULL ? VIEW("") : source,
        .sender = message_value(message, SEGMENT_MSH, 4, 1),
        .type = message_value(message, SEGMENT_MSH, 9, 1),
        .trigger = message_value(message, SEGMENT_MSH, 9, 2),
        .id = message_value(message, SEGMENT_MSH, 10, 1),
        .processing_id = message_value(message, SEGMENT_MSH, 11, 1),
    };
    if (ret->trigger.size == 0)
        ret->trigger = message_value(message, SEGMENT_EVN, 1, 1);
}

static size_t count_characters(struct view text)
{
    const uint8_t *at = text.data;
    size_t count = 0;
    for (size_t i = 0; i < text.size; i++)
        count += (at[i] & 0xC0) != 0x80;
    return count;
}

static bool accepts(const struct organisation *organisation, struct view processing_id)
{
    if (organisation->processing_id_count == 0)
        return view_is_text(processing_id, "P");
    for (size_t i = 0; i < organisation->processing_id_count; i++)
        if (view_is(organisation->processing_ids[i], processing_id))
            return processing_id.size > 0;
    return false;
}

enum result envelope_check(const struct envelope *envelope, const struct organisation *organisation,
                           struct refusal *ret_refusal)
{
    if (organisation == NULL)
        return refusal_set(ret_refusal, "MSH-4", "103", "MSH-4 is no organisation that may publish here");
    if (envelope->id.size == 0)
        return refusal_set(ret_refusal, "MSH-10", "101", "MSH-10, the message control id, is missing");
    if (count_characters(envelope->id) > LIMIT_ID_CHARACTERS)
        return refusal_set(ret_refusal, "MSH-10", "102", "MSH-10 is longer than 199 characters");
    if (count_characters(envelope->source) > LIMIT_ID_CHARACTERS)
        return refusal_set(ret_refusal, "MSH-3", "102", "MSH-3 is longer than 199 characters");
    if (!accepts(organisation, envelope->processing_id))
        return refusal_set(ret_refusal, "MSH-11", "202",
                           "messages with this processing id are not taken from this sender");
    if (envelope->type.size == 0)
        return refusal_set(ret_refusal, "MSH-9", "200", "MSH-9, the message type, is missing");
    if (view_is_text(envelope->type, "ADT") && envelope->trigger.size == 0)
        return refusal_set(ret_refusal, "MSH-9", "201", "MSH-9 names no trigger event, and EVN-1 neither");
    return OK;
}

int64_t envelope_time(struct reading *reading)
{
    int64_t ms;
    if (adt_reading_time(reading, SEGMENT_MSH, 7, "MSH-7", &ms) == MOMENT_READ ||
        adt_reading_time(reading, SEGMENT_EVN, 2, "EVN-2", &ms) == MOMENT_READ ||
        adt_reading_time(reading, SEGMENT_EVN, 6, "EVN-6", &ms) == MOMENT_READ)
        return ms;
    return reading->facts->now_ms;
}

void envelope_content(const struct message *message, struct buffer *to)
{
    struct view all = message->bytes, time = message_field(message, SEGMENT_MSH, 7);
    if (time.data == NULL) {
        buffer_add_view(to, all);
        return;
    }
    size_t before = (size_t)((const char *)time.data - (const char *)all.data);
    buffer_add(to, all.data, before);
    buffer_add_view(to, view_after(all, before + time.size));
}

bool envelope_is_acknowledgement(const struct envelope *envelope)
{
    return view_is_text(envelope->type, "ACK") || view_is_text(envelope->type, "MCF");
}
