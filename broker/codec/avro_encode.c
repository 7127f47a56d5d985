/* Runs a plan over a struct and writes it. */
#include "broker/codec/plan.h"
#include "broker/codec/text.h"

static inline unsigned char *room(struct buffer *to, size_t more)
{
    if (to->capacity - to->size < more)
        buffer_reserve(to, more);
    return to->data + to->size;
}

static inline void write_number(struct buffer *to, int64_t number)
{
    unsigned char *at = room(to, 10), *start = at;
    uint64_t bits = (uint64_t)number << 1 ^ (number < 0 ? UINT64_MAX : 0);
    for (; bits >= 0x80; bits >>= 7)
        *at++ = (unsigned char)(bits | 0x80);
    *at++ = (unsigned char)bits;
    to->size += (size_t)(at - start);
}

static inline void write_byte(struct buffer *to, unsigned char byte)
{
    *room(to, 1) = byte;
    to->size++;
}

static inline void write_bytes(struct buffer *to, struct view bytes)
{
    write_number(to, (int64_t)bytes.size);
    if (bytes.size == 0)
        return;
    memcpy(room(to, bytes.size), bytes.data, bytes.size);
    to->size += bytes.size;
}

/* What is written must be readable for ever: a byte that is no text becomes U+FFFD, as in all that leaves (json.h). */
static void write_mended(struct buffer *to, struct view text)
{
    static const unsigned char replacement[] = {0xEF, 0xBF, 0xBD};
    const unsigned char *byte = text.data;
    size_t high = 0;
    for (size_t i = 0; i < text.size; i++)
        high += byte[i] >= 0x80;
    write_number(to, (int64_t)(text.size + high * (sizeof replacement - 1)));
    for (size_t i = 0; i < text.size; i++) {
        if (byte[i] >= 0x80)
            buffer_add(to, replacement, sizeof replacement);
        else
            write_byte(to, byte[i]);
    }
}

static inline void write_string(struct buffer *to, struct view text)
{
    if (text_is_utf8(text))
        write_bytes(to, text);
    else
        write_mended(to, text);
}

static void run(const struct plan_step *steps, const struct plan_step *step, const unsigned char *from,
                struct buffer *to);

static void write_array(const struct plan_step *steps, const struct plan_step *step, const unsigned char *from,
                        struct buffer *to)
{
    const unsigned char *elements;
    size_t count;
    memcpy(&elements, from + step->offset, sizeof elements);
    memcpy(&count, from + step->count_offset, sizeof count);
    if (count > 0)
        write_number(to, (int64_t)count);
    for (size_t i = 0; i < count; i++)
        run(steps, step + 1, elements + i * step->size, to);
    write_byte(to, 0);
}

static void run(const struct plan_step *steps, const struct plan_step *step, const unsigned char *from,
                struct buffer *to)
{
    for (;;) {
        const struct plan_step *next = step + 1;
        const unsigned char *member = from + step->offset;
        bool truth;
        int32_t small;
        int64_t number;
        struct view text;
        switch ((enum write_op)step->op) {
        case WRITE_END:
            return;
        case WRITE_BOOL:
            memcpy(&truth, member, sizeof truth);
            write_byte(to, truth ? 1 : 0);
            break;
        case WRITE_INT:
            memcpy(&small, member, sizeof small);
            write_number(to, small);
            break;
        case WRITE_LONG:
            memcpy(&number, member, sizeof number);
            write_number(to, number);
            break;
        case WRITE_STRING:
        case WRITE_BYTES:
        case WRITE_OPTIONAL_STRING:
        case WRITE_OPTIONAL_BYTES:
            memcpy(&text, member, sizeof text);
            if (step->op == WRITE_OPTIONAL_STRING || step->op == WRITE_OPTIONAL_BYTES) {
                write_byte(to, text.data == NULL ? step->null_branch : step->value_branch);
                if (text.data == NULL)
                    break;
            }
            if (step->op == WRITE_BYTES || step->op == WRITE_OPTIONAL_BYTES)
                write_bytes(to, text);
            else
                write_string(to, text);
            break;
        case WRITE_FIXED:
            memcpy(room(to, step->size), member, step->size);
            to->size += step->size;
            break;
        case WRITE_ARRAY:
            write_array(steps, step, from, to);
            next = steps + step->child;
            break;
        case WRITE_OPTIONAL:
            memcpy(&truth, member, sizeof truth);
            write_byte(to, truth ? step->value_branch : step->null_branch);
            next = truth ? next : steps + step->child;
            break;
        }
        step = next;
    }
}

void avro_encode(const struct avro_plan *plan, const void *from, struct buffer *to)
{
    run(plan->write.steps, plan->write.steps, from, to);
}
