/* Single members of documents: of small requests, and of answers of our own that the command line and the simulator
 * read. */
#include "broker/codec/json_reading.h"

#include <stdio.h>

enum result json_text_member(struct view json, const char *name, struct arena *arena, struct view *ret)
{
    json_t *document = reading_parse(json, "", NULL);
    enum result result = json_is_object(document) ? OK : REJECTED;
    for (void *i = json_object_iter(document); i != NULL && result == OK; i = json_object_iter_next(document, i))
        if (!json_is_string(json_object_iter_value(i)))
            result = REJECTED;
    const json_t *value = result == OK ? json_object_get(document, name) : NULL;
    if (value != NULL)
        *ret = arena_copy(arena, view_make(json_string_value(value), json_string_length(value)));
    else if (result == OK)
        result = NOTHING;
    json_decref(document);
    return result;
}

/* The value at "data/localIds/0/value"; NULL: not there. */
static const json_t *value_at(const json_t *value, const char *path)
{
    while (*path != '\0' && value != NULL) {
        size_t size = strcspn(path, "/");
        int64_t place;
        if (json_is_object(value))
            value = json_object_getn(value, path, size);
        else if (json_is_array(value) && view_to_number(view_make(path, size), &place))
            value = json_array_get(value, (size_t)place);
        else
            value = NULL;
        path += size;
        path += *path == '/';
    }
    return value;
}

static struct view value_as_text(const json_t *value, struct arena *arena)
{
    if (json_is_string(value))
        return arena_copy(arena, view_make(json_string_value(value), json_string_length(value)));
    return reading_dump(value, JSON_COMPACT, 256, arena);
}

enum result json_find(struct view json, const char *path, struct arena *arena, struct view *ret)
{
    json_t *document = reading_parse(json, "", NULL);
    const json_t *value = value_at(document, path);
    enum result result = document == NULL ? REJECTED : value == NULL || json_is_null(value) ? NOTHING : OK;
    if (result == OK)
        *ret = value_as_text(value, arena);
    json_decref(document);
    return result;
}

enum result json_each(struct view json, const char *path, struct arena *arena,
                      bool (*each)(void *context, struct view element), void *context)
{
    json_t *document = reading_parse(json, "", NULL);
    const json_t *list = value_at(document, path);
    enum result result = document == NULL ? REJECTED : json_is_array(list) ? OK : NOTHING;
    for (size_t i = 0; result == OK && i < json_array_size(list); i++)
        if (!each(context, value_as_text(json_array_get(list, i), arena)))
            break;
    json_decref(document);
    return result;
}
