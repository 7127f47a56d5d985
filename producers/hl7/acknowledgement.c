/* ACK messages. */
#include "producers/hl7/acknowledgement.h"

#include "producers/hl7/escape.h"
#include "producers/hl7/moment.h"

enum { ECHO_LIMIT = 1024 }; /* bytes of an MSH field that an answer repeats: more is no sender's name */

/* ---- which answers are asked for ---- */

enum condition { CONDITION_NONE, CONDITION_ALWAYS, CONDITION_NEVER, CONDITION_ERROR, CONDITION_SUCCESS };

/* A value that is not in HL7 table 0155 is read as "always": an answer too many does less harm than none. */
static enum condition condition_read(const struct message *message, unsigned field)
{
    struct view text = field_repetition(message, message_field(message, SEGMENT_MSH, field), 1);
    if (text.size == 0 || part_is_deleted(text))
        return CONDITION_NONE;
    if (view_is_text(text, "NE"))
        return CONDITION_NEVER;
    if (view_is_text(text, "ER"))
        return CONDITION_ERROR;
    return view_is_text(text, "SU") ? CONDITION_SUCCESS : CONDITION_ALWAYS;
}

static bool is_wanted(enum condition condition, enum verdict verdict)
{
    switch (condition) {
    case CONDITION_ALWAYS:
        return true;
    case CONDITION_ERROR:
        return verdict != VERDICT_ACCEPT;
    case CONDITION_SUCCESS:
        return verdict == VERDICT_ACCEPT;
    case CONDITION_NONE:
    case CONDITION_NEVER:
        break;
    }
    return false;
}

/* ---- what an answer looks like ---- */

struct answer {
    struct buffer *to;
    const struct message *message;
    struct delimiters with;
    const struct refusal *refusal;
    struct control_ids *ids;
    int64_t now_ms;
};

/* The sender's, unless they cannot be told apart; then MSH-2 was refused, and the usual ones are as good as any. */
static struct delimiters delimiters_choose(const struct message *message)
{
    struct delimiters d = message->delimiters;
    const char all[] = {d.field, d.component, d.repetition, d.escape, d.subcomponent};
    for (size_t i = 1; i < sizeof all; i++)
        if (memchr(all, all[i], i) != NULL)
            return usual_delimiters;
    return d;
}

/* A field of the sender's MSH as it stands. Bytes that would end a field, a segment or the frame are not repeated. */
static void echo(const struct answer *answer, unsigned field)
{
    struct view text = message_field(answer->message, SEGMENT_MSH, field);
    const uint8_t *at = text.data;
    for (size_t i = 0; i < text.size && i < ECHO_LIMIT; i++) {
        bool harmless = at[i] >= 0x20 && at[i] != (uint8_t)answer->with.field;
        buffer_add_byte(answer->to, harmless ? at[i] : '?');
    }
}

static void separate(const struct answer *answer, int count)
{
    for (int i = 0; i < count; i++)
        buffer_add_byte(answer->to, (uint8_t)answer->with.field);
}

/* From version 2.4 on MSH-9 has three components: ACK^A01^ACK. */
static void type_add(const struct answer *answer)
{
    const struct message *message = answer->message;
    struct view trigger = repetition_component(message, message_field(message, SEGMENT_MSH, 9), 2);
    struct view version = repetition_component(message, message_field(message, SEGMENT_MSH, 12), 1);
    const char *at = trigger.data;
    bool plain = trigger.size == 3;
    for (size_t i = 0; i < trigger.size && plain; i++)
        plain = (at[i] >= 'A' && at[i] <= 'Z') || (at[i] >= '0' && at[i] <= '9');
    buffer_add_text(answer->to, "ACK");
    if (!plain)
        return;
    buffer_add_byte(answer->to, (uint8_t)answer->with.component);
    buffer_add_view(answer->to, trigger);
    if (version.size >= 3 && view_compare(version, VIEW("2.4")) >= 0) {
        buffer_add_byte(answer->to, (uint8_t)answer->with.component);
        buffer_add_text(answer->to, "ACK");
    }
}

static void msh_add(const struct answer *answer)
{
    struct buffer *to = answer->to;
    const struct delimiters *with = &answer->with;
    char when[MOMENT_TEXT_SIZE];
    buffer_add_format(to, "MSH%c%c%c%c%c%c", with->field, with->component, with->repetition, with->escape,
                      with->subcomponent, with->field);
    static const unsigned turned[] = {5, 6, 3, 4}; /* from whom it was to, to whom it was from */
    for (size_t i = 0; i < sizeof turned / sizeof turned[0]; i++) {
        echo(answer, turned[i]);
        separate(answer, 1);
    }
    buffer_add_view(to, moment_write(answer->now_ms, when));
    separate(answer, 2);
    type_add(answer);
    separate(answer, 1);
    /* 11 hexadecimal digits of the start in ms, and the count: 20 characters, as version 2.3 allows. */
    buffer_add_format(to, "%011llx%09llx", (unsigned long long)answer->ids->started_ms & 0xFFFFFFFFFFFULL,
                      (unsigned long long)answer->ids->count++ & 0xFFFFFFFFFULL);
    separate(answer, 1);
    echo(answer, 11);
    separate(answer, 1);
    if (message_field(answer->message, SEGMENT_MSH, 12).size == 0)
        buffer_add_text(to, "2.5");
    else
        echo(answer, 12);
    if (message_field(answer->message, SEGMENT_MSH, 18).size > 0) {
        separate(answer, 6);
        echo(answer, 18);
    }
    buffer_add_byte(to, '\r');
}

/* "PID-3" as ERL: PID^1^3; "PID": PID^1. */
static void location_add(const struct answer *answer, const char *at)
{
    const char *dash = strchr(at, '-');
    struct view segment = dash == NULL ? view_of_text(at) : view_make(at, (size_t)(dash - at));
    char component = answer->with.component;
    if (segment.size == 0)
        return;
    buffer_add_view(answer->to, segment);
    buffer_add_format(answer->to, "%c1", component);
    if (dash != NULL)
        buffer_add_format(answer->to, "%c%s", component, dash + 1);
}

static const char *code_text(const char *code)
{
    static const struct {
        const char *code, *text;
    } codes[] = {
        {"100", "Segment sequence error"},    {"101", "Required field missing"},     {"102", "Data type error"},
        {"103", "Table value not found"},     {"200", "Unsupported message type"},   {"201", "Unsupported event code"},
        {"202", "Unsupported processing id"}, {"203", "Unsupported version id"},     {"204", "Unknown key identifier"},
        {"205", "Duplicate key identifier"},  {"207", "Application internal error"},
    };
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++)
        if (strcmp(code, codes[i].code) == 0)
            return codes[i].text;
    return "";
}

/* In the form of version 2.5, whatever the sender's: older ones allow fields they do not know. */
static void err_add(const struct answer *answer)
{
    const struct refusal *refusal = answer->refusal;
    struct buffer *to = answer->to;
    buffer_add_text(to, "ERR");
    separate(answer, 2);
    location_add(answer, refusal->at);
    separate(answer, 1);
    buffer_add_format(to, "%s%c%s%cHL70357", refusal->code, answer->with.component, code_text(refusal->code),
                      answer->with.component);
    separate(answer, 1);
    buffer_add_byte(to, 'E');
    separate(answer, 4);
    escape_encode(&answer->with, view_of_text(refusal->text), to);
    buffer_add_byte(to, '\r');
}

static void answer_add(const struct answer *answer, const char *code)
{
    buffer_add_byte(answer->to, 0x0B);
    msh_add(answer);
    buffer_add_text(answer->to, "MSA");
    separate(answer, 1);
    buffer_add_text(answer->to, code);
    separate(answer, 1);
    echo(answer, 10);
    buffer_add_byte(answer->to, '\r');
    if (answer->refusal != NULL)
        err_add(answer);
    buffer_add(answer->to, "\x1C\r", 2);
}

void acknowledgement_write(struct buffer *to, const struct message *message, enum verdict verdict,
                           const struct refusal *refusal, struct control_ids *ids, int64_t now_ms)
{
    static const char *const application[] = {"AA", "AE", "AR"}, *const accept[] = {"CA", "CE", "CR"};
    struct answer answer = {to, message, delimiters_choose(message), refusal, ids, now_ms};
    enum condition on_accept = condition_read(message, 15), on_application = condition_read(message, 16);
    if (on_accept == CONDITION_NONE && on_application == CONDITION_NONE) {
        answer_add(&answer, application[verdict]);
        return;
    }
    if (is_wanted(on_accept, verdict))
        answer_add(&answer, accept[verdict]);
    if (is_wanted(on_application, verdict))
        answer_add(&answer, application[verdict]);
}
