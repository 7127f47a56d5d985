/* A message's way in. */
#include "producers/hl7/intake.h"

#include "broker/base/note.h"
#include "producers/hl7/peers.h"

/* One message on its way. */
struct arrival {
    struct intake *intake;
    const struct sockaddr *peer;
    const char *peer_text;
    uint64_t token;
    int64_t now_ms;
    struct message message;
    struct envelope envelope;
    const struct organisation *organisation; /* NULL: MSH-4 names none */
};

void mllp_intake_destroy(struct intake *intake)
{
    arena_destroy(&intake->arena);
    buffer_destroy(&intake->content);
}

static bool is_another(const void *context, struct view code)
{
    const struct arrival *arrival = context;
    const struct organisation *named = directory_organisation_by_hl7_name(arrival->intake->directory, code);
    return named != NULL && !view_is(named->id, arrival->organisation->id);
}

/* An organisation that was added a moment ago is known now: the directory is followed once more before it is said that
 * there is none. */
static enum result sender_find(struct arrival *arrival, struct error *err)
{
    struct directory *directory = arrival->intake->directory;
    struct view name = arrival->envelope.sender;
    if (name.size == 0)
        return OK;
    arrival->organisation = directory_organisation_by_hl7_name(directory, name);
    if (arrival->organisation != NULL)
        return OK;
    enum result result = directory_follow(directory, err);
    if (result == FATAL)
        return FATAL;
    arrival->organisation = directory_organisation_by_hl7_name(directory, name);
    return OK;
}

static void refuse(const struct arrival *arrival, struct intake_result *ret)
{
    const struct organisation *organisation = arrival->organisation;
    struct view id = organisation == NULL ? VIEW("") : organisation->id;
    struct work_item item =
        refusal_item(&ret->refusal, id, arrival->envelope.source, arrival->envelope.id, arrival->now_ms);
    if (ret->outcome == INTAKE_SILENT)
        publisher_report(arrival->intake->publisher, &item, 1);
    else if (publisher_refuse(arrival->intake->publisher, &item, arrival->token) == OK)
        ret->outcome = INTAKE_REFUSED;
    else
        ret->outcome = INTAKE_LATER;
    note(NOTE_WARNING, "mllp-refused", "peer=%s organisation=%.*s at=%s code=%s why=\"%s\"", arrival->peer_text,
         VIEW_ARGS(id), ret->refusal.at, ret->refusal.code, ret->refusal.text);
}

/* What holds for every message. ret_zone: the sender's. */
static enum result sender_check(const struct arrival *arrival, const struct time_zone **ret_zone,
                                struct refusal *ret_refusal)
{
    const struct organisation *organisation = arrival->organisation;
    if (organisation != NULL && !peers_allow(organisation, arrival->peer))
        return refusal_set(ret_refusal, "MSH-4", "207", "this organisation does not send from this network address");
    enum result result = envelope_check(&arrival->envelope, organisation, ret_refusal);
    if (result != OK)
        return result;
    *ret_zone = directory_zone(arrival->intake->directory, organisation);
    if (*ret_zone == NULL) { /* ours to mend: the sender need do nothing but wait */
        *ret_refusal = (struct refusal){
            "", "207", "the time zone of this organisation is not known here: send it again later", true};
        return REJECTED;
    }
    return OK;
}

static enum result publish(struct arrival *arrival, struct reading *reading, struct adt_result *meaning,
                           struct intake_result *ret, struct error *err)
{
    struct intake *intake = arrival->intake;
    int64_t message_time_ms = envelope_time(reading);
    buffer_clear(&intake->content);
    envelope_content(&arrival->message, &intake->content);
    struct publication publication = {
        .publisher = arrival->organisation->id,
        .source = arrival->envelope.source,
        .id = arrival->envelope.id,
        .message_time_ms = message_time_ms,
        .content = buffer_view(&intake->content),
        .events = meaning->events,
        .event_count = meaning->event_count,
        .items = reading->items,
        .item_count = reading->item_count,
        .token = arrival->token,
    };
    enum result result = publisher_take(intake->publisher, &publication, err);
    switch (result) {
    case OK:
        ret->outcome = INTAKE_TAKEN;
        return OK;
    case AGAIN:
        ret->outcome = INTAKE_LATER;
        return OK;
    case NOTHING:
    case UNCERTAIN:
    case REJECTED:
        note(NOTE_WARNING, "mllp-not-taken", "why=\"%s\"", err->text);
        ret->refusal =
            (struct refusal){"", "207", "the message cannot be kept: ask the operator of this service", false};
        refuse(arrival, ret);
        return OK;
    case FATAL:
        break;
    }
    return FATAL;
}

static enum result message_take(struct arrival *arrival, struct intake_result *ret, struct error *err)
{
    struct publisher_facts facts = {.now_ms = arrival->now_ms, .is_another = is_another, .context = arrival};
    struct adt_result meaning = {0};
    enum result result = sender_find(arrival, err);
    if (result != OK)
        return result;
    if (sender_check(arrival, &facts.zone, &ret->refusal) != OK) {
        refuse(arrival, ret);
        return OK;
    }
    facts.organisation = arrival->organisation;
    struct reading reading = {
        .message = &arrival->message, .facts = &facts, .source = arrival->envelope.source, .id = arrival->envelope.id};
    if (adt_read(&reading, &arrival->envelope, &meaning, &ret->refusal) != OK) {
        refuse(arrival, ret);
        return OK;
    }
    ret->type_count = meaning.event_count;
    for (size_t i = 0; i < meaning.event_count; i++)
        ret->types[i] = meaning.events[i].header.type;
    return publish(arrival, &reading, &meaning, ret, err);
}

/* Of a frame that was too large the head is there: is the whole of MSH in it? */
static bool head_has_msh(const struct message *message)
{
    struct view msh = message->segments[SEGMENT_MSH];
    const char *end = (const char *)message->bytes.data + message->bytes.size;
    return msh.data != NULL && (const char *)msh.data + msh.size < end;
}

static enum result too_large(struct arrival *arrival, struct intake_result *ret, struct error *err)
{
    if (!head_has_msh(&arrival->message)) {
        arrival->envelope = (struct envelope){.source = VIEW(""), .id = VIEW("")};
        ret->msh = VIEW_NONE;
        ret->outcome = INTAKE_SILENT;
    } else {
        enum result result = sender_find(arrival, err);
        if (result != OK)
            return result;
    }
    ret->refusal = (struct refusal){"", "207", "the message is larger than this service takes", false};
    refuse(arrival, ret);
    return OK;
}

enum result mllp_intake_take(struct intake *intake, const struct frame *frame, const struct sockaddr *peer,
                             const char *peer_text, uint64_t token, struct intake_result *ret, struct error *err)
{
    struct intake_result taken = {0};
    struct arrival arrival = {
        .intake = intake, .peer = peer, .peer_text = peer_text, .token = token, .now_ms = time_now_ms()};
    arena_reset(&intake->arena);
    enum result parsed = message_parse(frame->message, &intake->arena, &arrival.message, &taken.refusal);
    enum result result = OK;
    taken.msh = arrival.message.segments[SEGMENT_MSH];
    envelope_read(&arrival.message, &arrival.envelope);
    if (frame->kind == FRAME_TOO_LARGE) {
        result = too_large(&arrival, &taken, err);
    } else if (parsed != OK) {
        result = sender_find(&arrival, err);
        if (result == OK)
            refuse(&arrival, &taken);
    } else if (envelope_is_acknowledgement(&arrival.envelope)) {
        note(NOTE_WARNING, "mllp-acknowledgement",
             "peer=%s why=\"an acknowledgement came in: nothing waits for it here\"", peer_text);
        taken.outcome = INTAKE_SILENT;
    } else {
        result = message_take(&arrival, &taken, err);
    }
    if (result == OK)
        *ret = taken;
    return result;
}
