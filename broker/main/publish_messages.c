/* HL7 messages from a file, over MLLP: several in flight; what was not acknowledged is sent again, in its order. */
#include "broker/main/publishing.h"

#include "broker/base/time.h"
#include "broker/event/limits.h"
#include "broker/main/hl7_file.h"

#include <stdlib.h>

enum {
    WINDOW = 64,             /* unanswered messages at once */
    ANSWER_MS = 15 * 1000,   /* the door answers within 8 s, if only with "later" */
    PATIENCE_MS = 30 * 1000, /* without anything acknowledged */
    PAUSE_MS = 300,
    LAST_WORDS_MS = 500, /* for refusals of messages that ask for no other answer */
};

enum state { WAITING, SENT, DONE };

struct message {
    size_t at, size; /* in `text` */
    enum state state;
    int answers_left; /* of one that is DONE: acknowledgements still to come */
};

struct sending {
    struct publishing *publishing;
    struct mllp_client *door;
    struct buffer text;
    struct message *messages;
    size_t count, capacity;
    size_t oldest, next; /* the first that is not DONE; the next to write */
    size_t written;      /* of them, at least once */
    bool connected;      /* once: a door that never answered is not waited for */
    bool again;          /* one was answered "later": nothing new until the others are answered */
    int64_t moved_ms;    /* when something was acknowledged last */
    struct progress progress;
};

static struct view message_view(const struct sending *sending, const struct message *message)
{
    return view_make(sending->text.data + message->at, message->size);
}

static void messages_find(struct sending *sending, struct view file)
{
    struct buffer one = {0};
    size_t at = 0;
    while (hl7_file_next(file, &at, &one)) {
        if (sending->count == sending->capacity) {
            sending->capacity = sending->capacity == 0 ? 64 : sending->capacity * 2;
            sending->messages = memory_grow(sending->messages, sending->capacity * sizeof *sending->messages);
        }
        sending->messages[sending->count++] = (struct message){.at = sending->text.size, .size = one.size};
        buffer_add_view(&sending->text, buffer_view(&one));
    }
    buffer_destroy(&one);
}

/* Everything that was sent and not answered is to be sent again, in order. */
static void start_over(struct sending *sending)
{
    for (size_t i = sending->oldest; i < sending->count; i++)
        if (sending->messages[i].state == SENT)
            sending->messages[i].state = WAITING;
    for (size_t i = 0; i < sending->count; i++)
        sending->messages[i].answers_left = 0;
    sending->next = sending->oldest;
    sending->again = false;
}

static void oldest_move(struct sending *sending)
{
    while (sending->oldest < sending->count && sending->messages[sending->oldest].state == DONE)
        sending->oldest++;
    if (sending->next < sending->oldest)
        sending->next = sending->oldest;
}

static void message_done(struct sending *sending, struct message *message, enum hl7_verdict verdict)
{
    message->state = DONE;
    message->answers_left = hl7_answers_wanted(message_view(sending, message), verdict) - 1;
    sending->moved_ms = time_monotonic_ms();
    progress_show(&sending->progress, sending->publishing->acknowledged + sending->publishing->rejected);
}

/* Whose acknowledgement is it? The first with this MSH-10 that still expects one. NULL: nobody's. */
static struct message *message_of(struct sending *sending, struct view id)
{
    size_t from = sending->oldest > WINDOW ? sending->oldest - WINDOW : 0;
    for (size_t i = from; i < sending->next; i++) {
        struct message *message = &sending->messages[i];
        bool expects = message->state == SENT || (message->state == DONE && message->answers_left > 0);
        if (expects && view_is(hl7_field(message_view(sending, message), "MSH", 10), id))
            return message;
    }
    return NULL;
}

static void answer_take(struct sending *sending, struct view answer)
{
    struct view id = hl7_field(answer, "MSA", 2);
    struct message *message = message_of(sending, id);
    enum hl7_verdict verdict;
    if (message == NULL || !hl7_verdict_of(answer, &verdict))
        return;
    if (message->state == DONE) {
        message->answers_left--;
        return;
    }
    if (verdict == HL7_ACCEPTED) {
        sending->publishing->acknowledged++;
        message_done(sending, message, verdict);
    } else if (verdict == HL7_LATER) {
        message->state = WAITING;
        sending->again = true;
    } else {
        struct buffer why = {0};
        hl7_reason_add(answer, &why);
        publishing_reject(sending->publishing, id, buffer_view(&why));
        message_done(sending, message, verdict);
        buffer_destroy(&why);
    }
    oldest_move(sending);
}

static size_t in_flight(const struct sending *sending)
{
    size_t count = 0;
    for (size_t i = sending->oldest; i < sending->next; i++)
        count += sending->messages[i].state == SENT;
    return count;
}

static enum result messages_write(struct sending *sending, struct error *err)
{
    enum result result = OK;
    while (result == OK && !sending->again && sending->next < sending->count &&
           sending->next - sending->oldest < WINDOW) {
        struct message *message = &sending->messages[sending->next];
        if (message->state == WAITING) {
            struct view text = message_view(sending, message);
            result = mllp_client_write(sending->door, text, err);
            if (result != OK)
                break;
            message->state = SENT;
            if (hl7_answers_wanted(text, HL7_ACCEPTED) == 0) { /* it may be refused still: then that is told */
                message->state = DONE;
                message->answers_left = 0;
                sending->publishing->unasked++;
            }
        }
        sending->next++;
        if (sending->written < sending->next)
            sending->written = sending->next;
        oldest_move(sending);
    }
    return result;
}

/* A refusal of a message that asks for an answer only then. */
static void late_refusal(struct sending *sending, struct view answer)
{
    enum hl7_verdict verdict;
    if (hl7_verdict_of(answer, &verdict) && verdict != HL7_ACCEPTED) {
        struct buffer why = {0};
        hl7_reason_add(answer, &why);
        publishing_reject(sending->publishing, hl7_field(answer, "MSA", 2), buffer_view(&why));
        sending->publishing->unasked--;
        buffer_destroy(&why);
    }
}

static enum result answer_read(struct sending *sending, int timeout_ms, struct error *err)
{
    struct buffer answer = {0};
    enum result result = mllp_client_read(sending->door, timeout_ms, &answer, err);
    if (result == OK && message_of(sending, hl7_field(buffer_view(&answer), "MSA", 2)) == NULL)
        late_refusal(sending, buffer_view(&answer));
    else if (result == OK)
        answer_take(sending, buffer_view(&answer));
    buffer_destroy(&answer);
    return result;
}

/* One turn: a connection, messages out, one answer in. AGAIN: the connection is to be made anew. */
static enum result turn(struct sending *sending, struct error *err)
{
    enum result result = OK;
    if (sending->door == NULL)
        result = mllp_client_open(sending->publishing->broker.mllp, &sending->door, err);
    sending->connected = sending->connected || result == OK;
    if (result == OK)
        result = messages_write(sending, err);
    if (result != OK || sending->oldest == sending->count)
        return result;
    if (in_flight(sending) == 0) { /* all answered, and one of them "later" */
        broker_pause(PAUSE_MS);
        start_over(sending);
        return OK;
    }
    result = answer_read(sending, ANSWER_MS, err);
    if (result == NOTHING)
        return error_set(err, AGAIN, "the door at %.100s does not acknowledge", sending->publishing->broker.mllp);
    return result;
}

static void connection_leave(struct sending *sending)
{
    mllp_client_close(sending->door);
    sending->door = NULL;
    start_over(sending);
    broker_pause(PAUSE_MS);
}

/* Until all are answered, or for too long none is. */
static enum result messages_send(struct sending *sending, struct error *err)
{
    while (sending->oldest < sending->count) {
        enum result result = turn(sending, err);
        bool impatient = time_monotonic_ms() - sending->moved_ms > PATIENCE_MS;
        if (result == OK && impatient && sending->oldest < sending->count)
            return error_set(err, AGAIN, "the broker says \"later\" for %d s; send the file again when it can",
                             PATIENCE_MS / 1000);
        if (result != OK && (result != AGAIN || impatient || !sending->connected))
            return result;
        if (result == AGAIN)
            connection_leave(sending);
    }
    return OK;
}

enum result publish_messages(struct publishing *publishing, struct view text, struct error *err)
{
    struct sending sending = {.publishing = publishing, .moved_ms = time_monotonic_ms()};
    int64_t unasked = publishing->unasked;
    messages_find(&sending, text);
    sending.progress = progress_start("messages", (int64_t)sending.count);
    enum result result = messages_send(&sending, err);
    publishing->sent += (int64_t)sending.written;
    while (result == OK && publishing->unasked > unasked && answer_read(&sending, LAST_WORDS_MS, err) == OK)
        continue;
    progress_end(&sending.progress);
    mllp_client_close(sending.door);
    buffer_destroy(&sending.text);
    free(sending.messages);
    return result;
}
