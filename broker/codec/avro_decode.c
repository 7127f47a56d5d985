/* Runs a plan over hostile bytes. */
#include "broker/codec/plan.h"
#include "broker/codec/text.h"

/* What goes wrong is said as a reason, NULL being none: one test a step, and no text is made until something is
 * refused. */
struct decoder {
    const unsigned char *at, *end;
    const struct plan_step *steps;
    struct arena *arena;
    const char *field; /* where it went wrong */
};

/* Base 128, low bits first, zigzag (specification, "Primitive Types"). */
static const char *read_long_number(struct decoder *decoder, uint64_t first, int64_t *ret)
{
    const unsigned char *at = decoder->at;
    uint64_t number = first & 0x7F;
    for (unsigned shift = 7;; shift += 7) {
        if (at == decoder->end)
            return "ends inside a number";
        unsigned char byte = *at++;
        if (shift == 63 && byte > 1)
            return "a number beyond 64 bits";
        number |= (uint64_t)(byte & 0x7FU) << shift;
        if (byte >= 0x80)
            continue;
        if (byte == 0)
            return "a number in more bytes than it takes";
        break;
    }
    decoder->at = at;
    *ret = (int64_t)(number >> 1 ^ (0 - (number & 1)));
    return NULL;
}

static inline const char *read_number(struct decoder *decoder, int64_t *ret)
{
    if (decoder->at == decoder->end)
        return "ends too early";
    uint64_t number = *decoder->at++;
    if (number >= 0x80)
        return read_long_number(decoder, number, ret);
    *ret = (int64_t)(number >> 1 ^ (0 - (number & 1)));
    return NULL;
}

static inline const char *read_int(struct decoder *decoder, int64_t *ret)
{
    const char *why = read_number(decoder, ret);
    return why == NULL && (*ret > INT32_MAX || *ret < INT32_MIN) ? "an int beyond 32 bits" : why;
}

static inline const char *read_bool(struct decoder *decoder, bool *ret)
{
    if (decoder->at == decoder->end)
        return "ends too early";
    if (*decoder->at > 1)
        return "a boolean that is neither 0 nor 1";
    *ret = *decoder->at++ == 1;
    return NULL;
}

static inline const char *read_bytes(struct decoder *decoder, struct view *ret)
{
    int64_t size = 0;
    const char *why = read_number(decoder, &size);
    if (why != NULL)
        return why;
    if (size < 0)
        return "a negative length";
    if ((uint64_t)size > (uint64_t)(decoder->end - decoder->at))
        return "a length beyond the end";
    *ret = view_make(decoder->at, (size_t)size);
    decoder->at += size;
    return NULL;
}

static inline const char *read_string(struct decoder *decoder, struct view *ret)
{
    const char *why = read_bytes(decoder, ret);
    return why == NULL && !text_is_utf8(*ret) ? "text that is not UTF-8" : why;
}

static inline const char *read_fixed(struct decoder *decoder, size_t size, void *ret)
{
    if (size > (size_t)(decoder->end - decoder->at))
        return "ends too early";
    if (ret != NULL)
        memcpy(ret, decoder->at, size);
    decoder->at += size;
    return NULL;
}

static const char *run(struct decoder *decoder, const struct plan_step *step, unsigned char *to);

/* The elements so far, in the arena; doubled, so that many small blocks cost no more than one large one. */
struct elements {
    unsigned char *data;
    size_t count, capacity;
};

static void elements_reserve(struct decoder *decoder, struct elements *elements, size_t more, size_t size)
{
    if (size == 0 || elements->capacity - elements->count >= more)
        return;
    size_t capacity = elements->count + more;
    if (elements->count > 0 && capacity < elements->capacity * 2)
        capacity = elements->capacity * 2;
    unsigned char *data = arena_take(decoder->arena, capacity * size);
    if (elements->count > 0)
        memcpy(data, elements->data, elements->count * size);
    elements->data = data;
    elements->capacity = capacity;
}

/* Blocks of a count and so many elements, until a count of 0; a negative count is followed by the block's size in
 * bytes. */
static const char *read_array(struct decoder *decoder, const struct plan_step *step, unsigned char *to)
{
    struct elements elements = {0};
    for (;;) {
        int64_t items = 0, bytes = -1;
        const char *why = read_number(decoder, &items);
        if (why == NULL && items < 0)
            why = items == INT64_MIN ? "an endless block" : read_number(decoder, &bytes);
        if (why != NULL)
            return why;
        if (items == 0)
            break;
        bool sized = items < 0;
        items = sized ? -items : items;
        size_t left = (size_t)(decoder->end - decoder->at);
        if ((uint64_t)items > left / step->minimum)
            return "more elements than there are bytes";
        if (sized && (bytes < 0 || (uint64_t)bytes > left))
            return "a block beyond the end";
        const unsigned char *block_end = sized ? decoder->at + bytes : NULL;
        elements_reserve(decoder, &elements, (size_t)items, step->size);
        for (int64_t i = 0; i < items; i++) {
            why = run(decoder, step + 1, step->size == 0 ? NULL : elements.data + elements.count * step->size);
            if (why != NULL)
                return why;
            elements.count++;
        }
        if (sized && decoder->at != block_end)
            return "a block that is not as long as it says";
    }
    if (step->size > 0) {
        memcpy(to + step->offset, &elements.data, sizeof elements.data);
        memcpy(to + step->count_offset, &elements.count, sizeof elements.count);
    }
    return NULL;
}

static const char *read_branch(struct decoder *decoder, size_t count, size_t *ret)
{
    int64_t branch = 0;
    const char *why = read_number(decoder, &branch);
    if (why == NULL && (branch < 0 || (uint64_t)branch >= count))
        return "a branch the union does not have";
    *ret = (size_t)branch;
    return why;
}

static void set_constant(const struct plan_step *step, unsigned char *to)
{
    int32_t small = (int32_t)step->number;
    bool truth = step->number != 0;
    struct view text = {step->data, step->size};
    if (step->op == SET_BOOL)
        memcpy(to, &truth, sizeof truth);
    else if (step->op == SET_INT)
        memcpy(to, &small, sizeof small);
    else if (step->op == SET_LONG)
        memcpy(to, &step->number, sizeof step->number);
    else if (step->op == SET_TEXT)
        memcpy(to, &text, sizeof text);
    else
        memcpy(to, step->data, step->size);
}

/* What the reader does not want is checked as well as what it does. */
static const char *skip(struct decoder *decoder, const struct plan_step *step)
{
    int64_t number = 0;
    struct view text;
    bool truth;
    size_t symbol;
    if (step->op == SKIP_BOOL)
        return read_bool(decoder, &truth);
    if (step->op == SKIP_INT)
        return read_int(decoder, &number);
    if (step->op == SKIP_LONG)
        return read_number(decoder, &number);
    if (step->op == SKIP_STRING)
        return read_string(decoder, &text);
    if (step->op == SKIP_BYTES)
        return read_bytes(decoder, &text);
    if (step->op == SKIP_FIXED)
        return read_fixed(decoder, step->size, NULL);
    return read_branch(decoder, step->size, &symbol);
}

static const char *run(struct decoder *decoder, const struct plan_step *step, unsigned char *to)
{
    for (;;) {
        const struct plan_step *next = step + 1;
        const char *why = NULL;
        int64_t number = 0;
        int32_t small;
        size_t branch = 0;
        struct view text = VIEW_NONE;
        bool truth = false;
        switch ((enum read_op)step->op) {
        case READ_END:
            return NULL;
        case READ_BOOL:
            why = read_bool(decoder, &truth);
            memcpy(to + step->offset, &truth, sizeof truth);
            break;
        case READ_INT:
            why = read_int(decoder, &number);
            small = (int32_t)number;
            memcpy(to + step->offset, &small, sizeof small);
            break;
        case READ_LONG:
            why = read_number(decoder, &number);
            memcpy(to + step->offset, &number, sizeof number);
            break;
        case READ_INT_AS_LONG:
            why = read_int(decoder, &number);
            memcpy(to + step->offset, &number, sizeof number);
            break;
        case READ_STRING:
            why = read_string(decoder, &text);
            memcpy(to + step->offset, &text, sizeof text);
            break;
        case READ_BYTES:
            why = read_bytes(decoder, &text);
            memcpy(to + step->offset, &text, sizeof text);
            break;
        case READ_FIXED:
            why = read_fixed(decoder, step->size, to + step->offset);
            break;
        case READ_ARRAY:
            why = read_array(decoder, step, to);
            next = decoder->steps + step->child;
            break;
        case READ_UNION:
            why = read_branch(decoder, step->size, &branch);
            next = step + 1 + branch;
            break;
        case READ_JUMP:
            next = decoder->steps + step->child;
            break;
        case READ_REFUSE:
            why = "null, which the reader does not take";
            break;
        case SET_BOOL:
        case SET_INT:
        case SET_LONG:
        case SET_TEXT:
        case SET_FIXED:
            set_constant(step, to + step->offset);
            break;
        case SKIP_BOOL:
        case SKIP_INT:
        case SKIP_LONG:
        case SKIP_STRING:
        case SKIP_BYTES:
        case SKIP_FIXED:
        case SKIP_ENUM:
            why = skip(decoder, step);
            break;
        }
        if (why != NULL) {
            decoder->field = decoder->field == NULL ? step->name : decoder->field; /* the innermost says where */
            return why;
        }
        step = next;
    }
}

enum result avro_decode(const struct avro_plan *plan, struct view data, struct arena *arena, void *ret,
                        struct error *err)
{
    const unsigned char *start = data.size == 0 ? (const unsigned char *)"" : data.data;
    struct decoder decoder = {.at = start, .end = start + data.size, .steps = plan->read.steps, .arena = arena};
    memset(ret, 0, plan->struct_size);
    const char *why = run(&decoder, plan->read.steps, ret);
    if (why != NULL)
        return error_set(err, REJECTED, "Avro, %s, after %zu bytes: %s", decoder.field, (size_t)(decoder.at - start),
                         why);
    if (decoder.at != decoder.end)
        return error_set(err, REJECTED, "Avro: %zu bytes too many", (size_t)(decoder.end - decoder.at));
    return OK;
}
