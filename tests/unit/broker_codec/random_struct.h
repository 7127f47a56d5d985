/* Structs of any shape, filled at random, and compared member by member. */
#pragma once

#include "broker/base/memory.h"
#include "broker/codec/avro.h"

#include <stdio.h>
#include <stdlib.h>

/* xorshift64*: the same numbers from the same seed, everywhere. */
struct dice {
    uint64_t state; /* never 0 */
};

static inline uint64_t dice_roll(struct dice *dice)
{
    dice->state ^= dice->state >> 12;
    dice->state ^= dice->state << 25;
    dice->state ^= dice->state >> 27;
    return dice->state * 0x2545F4914F6CDD1DU;
}

static inline size_t dice_below(struct dice *dice, size_t bound)
{
    return (size_t)(dice_roll(dice) >> 16) % bound;
}

static inline bool one_of_two(struct dice *dice)
{
    return dice_below(dice, 2) == 0;
}

/* Small, large and extreme numbers alike: the number of bytes on the wire is what varies. */
static inline int64_t dice_number(struct dice *dice)
{
    uint64_t bits = dice_roll(dice);
    bits >>= dice_below(dice, 64);
    return dice_below(dice, 2) == 0 ? (int64_t)bits : (int64_t)~bits;
}

static inline struct view random_bytes(struct dice *dice, struct arena *arena)
{
    size_t size = dice_below(dice, 8) == 0 ? dice_below(dice, 200) : dice_below(dice, 20);
    unsigned char *bytes = arena_take(arena, size + 1);
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)dice_roll(dice);
    return view_make(bytes, size);
}

static inline struct view random_text(struct dice *dice, struct arena *arena)
{
    static const char *const pieces[] = {
        "a", "Z", "0", " ", "\"", "\n", "\xC3\xA9", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "ward", "\x7F"};
    size_t count = dice_below(dice, 8) == 0 ? dice_below(dice, 80) : dice_below(dice, 12);
    char *text = arena_take(arena, count * 4 + 1);
    size_t size = 0;
    bool plain = dice_below(dice, 2) == 0;
    for (size_t i = 0; i < count; i++) {
        const char *piece = plain ? "x" : pieces[dice_below(dice, sizeof pieces / sizeof pieces[0])];
        memcpy(text + size, piece, strlen(piece));
        size += strlen(piece);
    }
    return view_make(text, size);
}

static inline void random_struct(struct dice *dice, struct arena *arena, const struct avro_shape *shape,
                                 unsigned char *to);

static inline void random_array(struct dice *dice, struct arena *arena, const struct avro_field *field,
                                unsigned char *to)
{
    size_t count = dice_below(dice, 4) == 0 ? dice_below(dice, 9) : dice_below(dice, 3);
    size_t size = field->element == AVRO_KIND_RECORD ? field->shape->size : sizeof(struct view);
    unsigned char *elements = count == 0 ? NULL : arena_take(arena, count * size);
    for (size_t i = 0; i < count; i++) {
        if (field->element == AVRO_KIND_RECORD)
            random_struct(dice, arena, field->shape, elements + i * size);
        else {
            struct view text = random_text(dice, arena);
            memcpy(elements + i * size, &text, sizeof text);
        }
    }
    memcpy(to + field->offset, &elements, sizeof elements);
    memcpy(to + field->count_offset, &count, sizeof count);
}

/* Fills in all members that the shape names; `to` is zeroed. An optional text is NULL now and then, others are not. */
static inline void random_member(struct dice *dice, struct arena *arena, const struct avro_field *field,
                                 unsigned char *to)
{
    bool truth = dice_below(dice, 2) == 0;
    int64_t number = dice_number(dice);
    int32_t small = (int32_t)(number >> dice_below(dice, 33));
    struct view text = VIEW_NONE;
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        memcpy(to + field->offset, &truth, sizeof truth);
        break;
    case AVRO_KIND_INT:
        memcpy(to + field->offset, &small, sizeof small);
        break;
    case AVRO_KIND_LONG:
        memcpy(to + field->offset, &number, sizeof number);
        break;
    case AVRO_KIND_STRING:
    case AVRO_KIND_BYTES:
        if (dice_below(dice, 4) != 0)
            text = field->kind == AVRO_KIND_STRING ? random_text(dice, arena) : random_bytes(dice, arena);
        memcpy(to + field->offset, &text, sizeof text);
        break;
    case AVRO_KIND_FIXED:
        for (size_t i = 0; i < field->size; i++)
            to[field->offset + i] = (unsigned char)dice_roll(dice);
        break;
    case AVRO_KIND_RECORD:
        if (field->present_offset != SIZE_MAX) {
            memcpy(to + field->present_offset, &truth, sizeof truth);
            if (!truth)
                break;
        }
        random_struct(dice, arena, field->shape, to + field->offset);
        break;
    case AVRO_KIND_ARRAY:
        random_array(dice, arena, field, to);
        break;
    }
}

static inline void random_struct(struct dice *dice, struct arena *arena, const struct avro_shape *shape,
                                 unsigned char *to)
{
    for (size_t i = 0; i < shape->field_count; i++)
        random_member(dice, arena, &shape->fields[i], to);
}

static inline const char *struct_difference(const struct avro_shape *shape, const unsigned char *a,
                                            const unsigned char *b);

static inline bool views_differ(const unsigned char *a, const unsigned char *b)
{
    struct view one, other;
    memcpy(&one, a, sizeof one);
    memcpy(&other, b, sizeof other);
    return !view_is(one, other); /* not said and empty are one where the schema has no null */
}

static inline bool array_differs(const struct avro_field *field, const unsigned char *a, const unsigned char *b)
{
    const unsigned char *one, *other;
    size_t one_count, other_count;
    memcpy(&one, a + field->offset, sizeof one);
    memcpy(&other, b + field->offset, sizeof other);
    memcpy(&one_count, a + field->count_offset, sizeof one_count);
    memcpy(&other_count, b + field->count_offset, sizeof other_count);
    if (one_count != other_count)
        return true;
    size_t size = field->element == AVRO_KIND_RECORD ? field->shape->size : sizeof(struct view);
    for (size_t i = 0; i < one_count; i++)
        if (field->element == AVRO_KIND_RECORD
                ? struct_difference(field->shape, one + i * size, other + i * size) != NULL
                : views_differ(one + i * size, other + i * size))
            return true;
    return false;
}

static inline bool members_differ(const struct avro_field *field, const unsigned char *a, const unsigned char *b)
{
    bool one = true, other = true;
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        return memcmp(a + field->offset, b + field->offset, sizeof(bool)) != 0;
    case AVRO_KIND_INT:
        return memcmp(a + field->offset, b + field->offset, sizeof(int32_t)) != 0;
    case AVRO_KIND_LONG:
        return memcmp(a + field->offset, b + field->offset, sizeof(int64_t)) != 0;
    case AVRO_KIND_STRING:
    case AVRO_KIND_BYTES:
        return views_differ(a + field->offset, b + field->offset);
    case AVRO_KIND_FIXED:
        return memcmp(a + field->offset, b + field->offset, field->size) != 0;
    case AVRO_KIND_RECORD:
        if (field->present_offset != SIZE_MAX) {
            memcpy(&one, a + field->present_offset, sizeof one);
            memcpy(&other, b + field->present_offset, sizeof other);
        }
        return one != other || (one && struct_difference(field->shape, a + field->offset, b + field->offset) != NULL);
    case AVRO_KIND_ARRAY:
        return array_differs(field, a, b);
    }
    return true;
}

/* The name of the first field in which two structs differ; NULL: none. */
static inline const char *struct_difference(const struct avro_shape *shape, const unsigned char *a,
                                            const unsigned char *b)
{
    for (size_t i = 0; i < shape->field_count; i++)
        if (members_differ(&shape->fields[i], a, b))
            return shape->fields[i].name;
    return NULL;
}
