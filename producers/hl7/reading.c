/* What is noted down while a message is read. */
#include "producers/hl7/reading.h"

static struct work_item item_make(const char *kind, const char *why, const char *at, const char *code)
{
    return (struct work_item){
        .kind = view_of_text(kind),
        .why = view_of_text(why),
        .at = view_of_text(at),
        .code = view_of_text(code),
        .source_topic = -1,
        .source_partition = -1,
        .source_offset = -1,
    };
}

void reading_note(struct reading *reading, const char *kind, const char *why, const char *at)
{
    for (size_t i = 0; i < reading->item_count; i++)
        if (view_is_text(reading->items[i].kind, kind) && view_is_text(reading->items[i].at, at))
            return;
    if (reading->item_count == READING_ITEMS)
        return;
    struct work_item item = item_make(kind, why, at, "");
    item.organisation = reading->facts->organisation->id;
    item.source = reading->source;
    item.message_id = reading->id;
    item.recorded_at_ms = reading->facts->now_ms;
    reading->items[reading->item_count++] = item;
}

struct work_item refusal_item(const struct refusal *refusal, struct view organisation, struct view source,
                              struct view id, int64_t now_ms)
{
    struct work_item item = item_make("refused", refusal->text, refusal->at, refusal->code);
    item.organisation = organisation.data == NULL ? VIEW("") : organisation;
    item.source = source.data == NULL ? VIEW("") : source;
    item.message_id = id.data == NULL ? VIEW("") : id;
    item.recorded_at_ms = now_ms;
    return item;
}

enum moment_reading adt_reading_time(struct reading *reading, enum segment segment, unsigned field, const char *at,
                                     int64_t *ret_ms)
{
    struct view text = message_value(reading->message, segment, field, 1);
    enum moment_reading said = moment_read(text, reading->facts->zone, ret_ms);
    if (said == MOMENT_BAD)
        reading_note(reading, "bad-time", "the time cannot be read: it must be as in 20260223091530+0000", at);
    return said;
}
