/* A stream of bytes cut into MLLP frames. */
#include "producers/hl7/framing.h"

#include "broker/event/limits.h"

enum {
    START_BLOCK = 0x0B,
    END_BLOCK = 0x1C,
    CARRIAGE_RETURN = 0x0D,
    LINE_FEED = 0x0A,
    ACK_BLOCK = 0x06,
    NAK_BLOCK = 0x15
};

void deframer_destroy(struct deframer *deframer)
{
    buffer_destroy(&deframer->bytes);
}

static struct view waiting(const struct deframer *deframer)
{
    struct view all = buffer_view(&deframer->bytes);
    return view_after(all, deframer->start);
}

static void consume(struct deframer *deframer, size_t count)
{
    deframer->start += count;
    deframer->scanned = 0;
    if (deframer->start == deframer->bytes.size) {
        buffer_clear(&deframer->bytes);
        deframer->start = 0;
    }
}

void deframer_add(struct deframer *deframer, struct view bytes)
{
    /* Moved to the front only here, and only when half is used up: so a byte is moved less than once on average. */
    if (deframer->start > deframer->bytes.size / 2) {
        buffer_remove_front(&deframer->bytes, deframer->start);
        deframer->start = 0;
    }
    buffer_add_view(&deframer->bytes, bytes);
}

/* Past CR, LF and whatever else stands between frames. */
static void skip_to_start(struct deframer *deframer)
{
    struct view bytes = waiting(deframer);
    const uint8_t *at = bytes.data;
    size_t i = 0;
    for (; i < bytes.size && at[i] != START_BLOCK && deframer->junk <= LIMIT_MLLP_JUNK_BYTES; i++) {
        if (at[i] == CARRIAGE_RETURN || at[i] == LINE_FEED)
            continue;
        deframer->junk++;
        deframer->junk_total++;
    }
    bool found = i < bytes.size && at[i] == START_BLOCK && deframer->junk <= LIMIT_MLLP_JUNK_BYTES;
    consume(deframer, found ? i + 1 : i);
    if (found) {
        deframer->inside = true;
        deframer->junk = 0;
    }
}

/* Where the end block (1C 0D) begins; bytes.size: nowhere yet. Goes on where the last search ended. */
static size_t find_end(struct deframer *deframer, struct view bytes)
{
    const uint8_t *at = bytes.data;
    size_t from = deframer->scanned;
    while (from < bytes.size) {
        const uint8_t *end = memchr(at + from, END_BLOCK, bytes.size - from);
        if (end == NULL) {
            from = bytes.size;
            break;
        }
        from = (size_t)(end - at);
        if (from + 1 == bytes.size)
            break; /* its CR may come with the next read */
        if (at[from + 1] == CARRIAGE_RETURN)
            return from;
        from++; /* a lone 1C is part of the message */
    }
    deframer->scanned = from;
    return bytes.size;
}

/* How much of a frame that is too large is kept. */
static size_t head_size(const struct deframer *deframer)
{
    return deframer->limit < FRAME_HEAD_BYTES ? deframer->limit : FRAME_HEAD_BYTES;
}

/* Throws away the rest of a frame that is too large, but for its head, which stands before. True: its end was found. */
static bool skip_rest(struct deframer *deframer)
{
    struct view rest = view_after(waiting(deframer), head_size(deframer));
    const uint8_t *at = rest.data;
    size_t i = 0;
    bool ended = false;
    for (; i < rest.size && !ended; i++) {
        ended = deframer->skipped_end && at[i] == CARRIAGE_RETURN;
        deframer->skipped_end = at[i] == END_BLOCK;
    }
    struct buffer *bytes = &deframer->bytes;
    size_t head_end = deframer->start + head_size(deframer);
    memmove(bytes->data + head_end, bytes->data + head_end + i, rest.size - i);
    bytes->size -= i;
    return ended;
}

static struct frame give(struct deframer *deframer, enum frame_kind kind, struct view message, size_t frame_size)
{
    deframer->given = true;
    deframer->frame_size = frame_size;
    return (struct frame){kind, message};
}

static struct frame next_inside(struct deframer *deframer)
{
    if (!deframer->skipping) {
        struct view bytes = waiting(deframer);
        size_t end = find_end(deframer, bytes);
        size_t size = end < bytes.size ? end : deframer->scanned;
        if (size <= deframer->limit) {
            if (end == bytes.size)
                return (struct frame){FRAME_NONE, VIEW_NONE};
            return give(deframer, FRAME_MESSAGE, view_make(bytes.data, end), end + 2);
        }
        deframer->skipping = true;
        deframer->skipped_end = false;
    }
    if (!skip_rest(deframer))
        return (struct frame){FRAME_NONE, VIEW_NONE};
    size_t head = head_size(deframer);
    return give(deframer, FRAME_TOO_LARGE, view_make(waiting(deframer).data, head), head);
}

static bool is_commit_block(struct view message)
{
    const uint8_t *at = message.data;
    return message.size == 1 && (at[0] == ACK_BLOCK || at[0] == NAK_BLOCK);
}

struct frame deframer_next(struct deframer *deframer)
{
    if (deframer->given) {
        struct view bytes = waiting(deframer);
        if (deframer->skipping)
            return (struct frame){FRAME_TOO_LARGE, view_make(bytes.data, head_size(deframer))};
        return (struct frame){FRAME_MESSAGE, view_make(bytes.data, deframer->frame_size - 2)};
    }
    for (;;) {
        if (!deframer->inside)
            skip_to_start(deframer);
        if (deframer->junk > LIMIT_MLLP_JUNK_BYTES)
            return (struct frame){FRAME_JUNK, VIEW_NONE};
        if (!deframer->inside)
            return (struct frame){FRAME_NONE, VIEW_NONE};
        struct frame frame = next_inside(deframer);
        if (frame.kind != FRAME_MESSAGE || !is_commit_block(frame.message))
            return frame;
        deframer_drop(deframer);
    }
}

void deframer_drop(struct deframer *deframer)
{
    if (!deframer->given)
        return;
    consume(deframer, deframer->frame_size);
    deframer->given = deframer->inside = deframer->skipping = deframer->skipped_end = false;
}
