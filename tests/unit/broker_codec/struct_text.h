/* A struct of any shape as lines of text, one a field: "encounter.ward: W12". */
#pragma once

#include "broker/base/bytes.h"
#include "broker/codec/avro.h"

static inline void struct_add_text(const struct avro_shape *shape, const unsigned char *from, const char *path,
                                   struct arena *arena, struct buffer *to);

static inline void array_add_text(const struct avro_field *field, const unsigned char *from, const char *path,
                                  struct arena *arena, struct buffer *to)
{
    const unsigned char *elements;
    size_t count;
    memcpy(&elements, from + field->offset, sizeof elements);
    memcpy(&count, from + field->count_offset, sizeof count);
    buffer_add_format(to, "%s: %zu elements\n", path, count);
    for (size_t i = 0; i < count; i++) {
        const char *inside = arena_format(arena, "%s[%zu]", path, i).data;
        struct view text;
        if (field->element == AVRO_KIND_RECORD)
            struct_add_text(field->shape, elements + i * field->shape->size, inside, arena, to);
        else {
            memcpy(&text, elements + i * sizeof text, sizeof text);
            buffer_add_format(to, "%s: %.*s\n", inside, VIEW_ARGS(text));
        }
    }
}

static inline void field_add_text(const struct avro_field *field, const unsigned char *from, const char *path,
                                  struct arena *arena, struct buffer *to)
{
    bool truth = true;
    int32_t small;
    int64_t large;
    struct view text;
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        memcpy(&truth, from + field->offset, sizeof truth);
        buffer_add_format(to, "%s: %s\n", path, truth ? "true" : "false");
        break;
    case AVRO_KIND_INT:
        memcpy(&small, from + field->offset, sizeof small);
        buffer_add_format(to, "%s: %d\n", path, small);
        break;
    case AVRO_KIND_LONG:
        memcpy(&large, from + field->offset, sizeof large);
        buffer_add_format(to, "%s: %lld\n", path, (long long)large);
        break;
    case AVRO_KIND_STRING:
        memcpy(&text, from + field->offset, sizeof text);
        if (text.data == NULL)
            text = VIEW("null");
        buffer_add_format(to, "%s: %.*s\n", path, VIEW_ARGS(text));
        break;
    case AVRO_KIND_BYTES:
    case AVRO_KIND_FIXED:
        text = view_make(from + field->offset, field->size);
        if (field->kind == AVRO_KIND_BYTES)
            memcpy(&text, from + field->offset, sizeof text);
        buffer_add_format(to, "%s: ", path);
        bytes_add_hex(to, text);
        buffer_add_text(to, "\n");
        break;
    case AVRO_KIND_RECORD:
        if (field->present_offset != SIZE_MAX)
            memcpy(&truth, from + field->present_offset, sizeof truth);
        if (truth)
            struct_add_text(field->shape, from + field->offset, path, arena, to);
        else
            buffer_add_format(to, "%s: null\n", path);
        break;
    case AVRO_KIND_ARRAY:
        array_add_text(field, from, path, arena, to);
        break;
    }
}

static inline void struct_add_text(const struct avro_shape *shape, const unsigned char *from, const char *path,
                                   struct arena *arena, struct buffer *to)
{
    for (size_t i = 0; i < shape->field_count; i++) {
        const char *dot = path[0] == '\0' ? "" : ".";
        field_add_text(&shape->fields[i], from, arena_format(arena, "%s%s%s", path, dot, shape->fields[i].name).data,
                       arena, to);
    }
}
