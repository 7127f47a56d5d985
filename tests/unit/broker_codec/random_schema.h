/* Other versions of a schema, made at random: what an older or newer writer may have written with. */
#pragma once

#include "tests/unit/broker_codec/random_struct.h"

#include <jansson.h>

static inline json_t *varied_type(struct dice *dice, json_t *type, int *extras);

static inline bool one_in(struct dice *dice, size_t chances)
{
    return dice_below(dice, chances) == 0;
}

/* References become whole definitions, so that fields may move freely. Takes type. */
static inline json_t *references_expand(json_t *type, json_t *definitions)
{
    json_t *member;
    size_t index;
    if (json_is_string(type)) {
        json_t *definition = json_object_get(definitions, json_string_value(type));
        json_t *whole = definition == NULL ? json_incref(type) : json_deep_copy(definition);
        json_decref(type);
        return whole;
    }
    if (json_is_array(type))
        json_array_foreach(type, index, member)
            json_array_set_new(type, index, references_expand(json_incref(member), definitions));
    if (!json_is_object(type))
        return type;
    json_array_foreach(json_object_get(type, "fields"), index, member) json_object_set_new(
        member, "type", references_expand(json_incref(json_object_get(member, "type")), definitions));
    if (json_object_get(type, "items") != NULL)
        json_object_set_new(type, "items", references_expand(json_incref(json_object_get(type, "items")), definitions));
    if (json_object_get(type, "name") != NULL)
        json_object_set(definitions, json_string_value(json_object_get(type, "name")), type);
    return type;
}

/* And the other way: only the first of each name is a definition. Takes type. */
static inline json_t *references_make(json_t *type, json_t *names)
{
    json_t *member, *name = json_object_get(type, "name");
    size_t index;
    if (name != NULL && json_object_get(names, json_string_value(name)) != NULL) {
        json_incref(name);
        json_decref(type);
        return name;
    }
    if (name != NULL)
        json_object_set_new(names, json_string_value(name), json_true());
    if (json_is_array(type))
        json_array_foreach(type, index, member)
            json_array_set_new(type, index, references_make(json_incref(member), names));
    if (!json_is_object(type))
        return type;
    json_array_foreach(json_object_get(type, "fields"), index, member)
        json_object_set_new(member, "type", references_make(json_incref(json_object_get(member, "type")), names));
    if (json_object_get(type, "items") != NULL)
        json_object_set_new(type, "items", references_make(json_incref(json_object_get(type, "items")), names));
    return type;
}

static inline json_t *extra_type(struct dice *dice, int *extras)
{
    static const char *const primitives[] = {"null", "boolean", "int", "long", "float", "double", "bytes", "string"};
    switch (dice_below(dice, 6)) {
    case 0:
        return json_pack("{s:s, s:o}", "type", "map", "values", json_string(primitives[1 + dice_below(dice, 7)]));
    case 1:
        return json_pack("{s:s, s:o}", "type", "array", "items", json_string(primitives[1 + dice_below(dice, 7)]));
    case 2:
        return json_pack("{s:s, s:o, s:[sss]}", "type", "enum", "name", json_sprintf("Extra%d", ++*extras), "symbols",
                         "A", "B", "C");
    case 3:
        return json_pack("[s, s, s]", "long", "null", "double");
    case 4:
        return json_pack("{s:s, s:o, s:[{s:s, s:s}, {s:s, s:[ss]}]}", "type", "record", "name",
                         json_sprintf("Extra%d", ++*extras), "fields", "name", "a", "type", "int", "name", "b", "type",
                         "null", "string");
    default:
        return json_string(primitives[dice_below(dice, 8)]);
    }
}

static inline json_t *varied_fields(struct dice *dice, json_t *fields, int *extras)
{
    json_t *varied = json_array(), *field;
    size_t index;
    json_array_foreach(fields, index, field)
    {
        if (index > 0 && json_object_get(field, "default") != NULL &&
            one_in(dice, 4)) /* one stays: elements take bytes */
            continue;
        json_t *type = varied_type(dice, json_object_get(field, "type"), extras);
        json_array_insert_new(varied, dice_below(dice, json_array_size(varied) + 1),
                              json_pack("{s:O, s:o}", "name", json_object_get(field, "name"), "type", type));
        if (!one_in(dice, 8))
            continue;
        json_t *extra = extra_type(dice, extras);
        json_array_append_new(varied,
                              json_pack("{s:o, s:o}", "name", json_sprintf("extra%d", ++*extras), "type", extra));
    }
    return varied;
}

static inline json_t *varied_union(struct dice *dice, json_t *branches, int *extras)
{
    json_t *varied = json_array(), *branch;
    size_t index;
    json_array_foreach(branches, index, branch)
    {
        bool null = json_is_string(branch) && strcmp(json_string_value(branch), "null") == 0;
        if (null && one_in(dice, 6))
            continue;
        json_t *type = null ? json_incref(branch) : varied_type(dice, branch, extras);
        json_array_insert_new(varied, dice_below(dice, json_array_size(varied) + 1), type);
    }
    return varied;
}

/* What may differ and still be resolved: fields in another order, missing where today has a default, or unknown today;
 * an int where today has a long; text for bytes and bytes for text; a union's branches in another order, or no null. */
static inline json_t *varied_type(struct dice *dice, json_t *type, int *extras)
{
    const char *name = json_string_value(json_is_object(type) ? json_object_get(type, "type") : type);
    if (json_is_array(type))
        return varied_union(dice, type, extras);
    if (name != NULL && strcmp(name, "record") == 0)
        return json_pack("{s:s, s:O, s:o}", "type", "record", "name", json_object_get(type, "name"), "fields",
                         varied_fields(dice, json_object_get(type, "fields"), extras));
    if (name != NULL && strcmp(name, "array") == 0)
        return json_pack("{s:s, s:o}", "type", "array", "items",
                         varied_type(dice, json_object_get(type, "items"), extras));
    if (name != NULL && strcmp(name, "long") == 0 && one_in(dice, 4))
        return json_string("int");
    if (name != NULL && strcmp(name, "string") == 0 && one_in(dice, 8))
        return json_string("bytes");
    if (name != NULL && strcmp(name, "bytes") == 0 && one_in(dice, 8))
        return json_string("string");
    return json_incref(type);
}

/* The text of another version; the caller frees it. */
static inline char *random_version(struct dice *dice, struct view today)
{
    json_error_t why;
    int extras = 0;
    json_t *definitions = json_object(), *names = json_object();
    json_t *schema = references_expand(json_loadb(today.data, today.size, 0, &why), definitions);
    json_t *version = references_make(varied_type(dice, schema, &extras), names);
    char *text = json_dumps(version, JSON_COMPACT);
    json_decref(version);
    json_decref(schema);
    json_decref(names);
    json_decref(definitions);
    return text;
}
