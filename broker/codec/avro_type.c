/* Reads a schema's JSON into a tree. */
#include "broker/codec/avro_type.h"

#include <avro.h>
#include <limits.h>
#include <stdlib.h>

static const char *const primitives[] = {
    [AVRO_TYPE_NULL] = "null",   [AVRO_TYPE_BOOLEAN] = "boolean", [AVRO_TYPE_INT] = "int",
    [AVRO_TYPE_LONG] = "long",   [AVRO_TYPE_FLOAT] = "float",     [AVRO_TYPE_DOUBLE] = "double",
    [AVRO_TYPE_BYTES] = "bytes", [AVRO_TYPE_STRING] = "string",
};
static const char *const complex_names[] = {
    [AVRO_TYPE_FIXED] = "fixed", [AVRO_TYPE_ENUM] = "enum", [AVRO_TYPE_RECORD] = "record",
    [AVRO_TYPE_ARRAY] = "array", [AVRO_TYPE_MAP] = "map",
};

struct named_type {
    struct named_type *next;
    const struct avro_type *type;
};

struct tree_reader {
    struct arena *arena;
    struct named_type *named; /* defined so far, newest first */
    struct error *err;
};

static const char *without_namespace(const char *name)
{
    const char *dot = strrchr(name, '.');
    return dot == NULL ? name : dot + 1;
}

static const struct avro_type *type_read(struct tree_reader *reader, json_t *json);

static const struct avro_type *name_read(struct tree_reader *reader, const char *name)
{
    for (size_t kind = 0; kind < sizeof primitives / sizeof primitives[0]; kind++) {
        if (strcmp(name, primitives[kind]) == 0) {
            struct avro_type *type = arena_take(reader->arena, sizeof *type);
            type->kind = (enum avro_type_kind)kind;
            return type;
        }
    }
    for (const struct named_type *named = reader->named; named != NULL; named = named->next)
        if (strcmp(without_namespace(name), named->type->name) == 0)
            return named->type;
    (void)error_set(reader->err, REJECTED, "the schema names a type it does not define: %s", name);
    return NULL;
}

static bool fields_read(struct tree_reader *reader, json_t *json, struct avro_type *type)
{
    json_t *fields = json_object_get(json, "fields");
    type->fields = arena_take(reader->arena, json_array_size(fields) * sizeof *type->fields);
    for (size_t i = 0; i < json_array_size(fields); i++) {
        json_t *field = json_array_get(fields, i);
        const char *name = json_string_value(json_object_get(field, "name"));
        if (name == NULL || avro_type_find(type, name) != NULL) {
            (void)error_set(reader->err, REJECTED, "record %s has a field without a name, or two of one", type->name);
            return false;
        }
        const struct avro_type *of = type_read(reader, json_object_get(field, "type"));
        if (of == NULL)
            return false;
        type->fields[type->field_count++] = (struct avro_type_field){name, of, json_object_get(field, "default")};
    }
    return true;
}

static bool size_read(struct tree_reader *reader, json_t *json, struct avro_type *type)
{
    json_t *size = json_object_get(json, "size"), *symbols = json_object_get(json, "symbols");
    json_int_t bytes = type->kind == AVRO_TYPE_ENUM ? (json_int_t)json_array_size(symbols) : json_integer_value(size);
    if (bytes <= 0 || bytes > INT_MAX) {
        (void)error_set(reader->err, REJECTED, "type %s has no size", type->name);
        return false;
    }
    type->size = (size_t)bytes;
    return true;
}

static const struct avro_type *named_read(struct tree_reader *reader, json_t *json, struct avro_type *type)
{
    const char *name = json_string_value(json_object_get(json, "name"));
    if (name == NULL) {
        (void)error_set(reader->err, REJECTED, "a %s of the schema has no name", complex_names[type->kind]);
        return NULL;
    }
    type->name = without_namespace(name);
    struct named_type *named = arena_take(reader->arena, sizeof *named);
    *named = (struct named_type){reader->named, type};
    reader->named = named;
    bool sound = type->kind == AVRO_TYPE_RECORD ? fields_read(reader, json, type) : size_read(reader, json, type);
    return sound ? type : NULL;
}

static const struct avro_type *object_read(struct tree_reader *reader, json_t *json)
{
    json_t *of = json_object_get(json, "type");
    const char *name = json_string_value(of);
    if (name == NULL)
        return type_read(reader, of); /* {"type": {...}}: attributes around a type */
    struct avro_type *type = arena_take(reader->arena, sizeof *type);
    for (type->kind = AVRO_TYPE_FIXED; type->kind <= AVRO_TYPE_MAP; type->kind++)
        if (strcmp(name, complex_names[type->kind]) == 0)
            break;
    if (type->kind > AVRO_TYPE_MAP)
        return name_read(reader, name);
    if (type->kind < AVRO_TYPE_ARRAY)
        return named_read(reader, json, type);
    type->items = type_read(reader, json_object_get(json, type->kind == AVRO_TYPE_ARRAY ? "items" : "values"));
    return type->items == NULL ? NULL : type;
}

static const struct avro_type *union_read(struct tree_reader *reader, json_t *json)
{
    struct avro_type *type = arena_take(reader->arena, sizeof *type);
    type->kind = AVRO_TYPE_UNION;
    type->branches = arena_take(reader->arena, json_array_size(json) * sizeof(const struct avro_type *));
    for (size_t i = 0; i < json_array_size(json); i++) {
        const struct avro_type *branch = type_read(reader, json_array_get(json, i));
        if (branch == NULL)
            return NULL;
        if (branch->kind == AVRO_TYPE_UNION) {
            (void)error_set(reader->err, REJECTED, "a union of the schema holds a union");
            return NULL;
        }
        type->branches[type->branch_count++] = branch;
    }
    return type;
}

static const struct avro_type *type_read(struct tree_reader *reader, json_t *json)
{
    if (json_is_string(json))
        return name_read(reader, json_string_value(json));
    if (json_is_object(json))
        return object_read(reader, json);
    if (json_is_array(json))
        return union_read(reader, json);
    (void)error_set(reader->err, REJECTED, "a type of the schema is missing");
    return NULL;
}

static void defaults_remove(json_t *json)
{
    const char *name;
    json_t *member;
    size_t index;
    if (json_is_object(json) && json_object_get(json, "name") != NULL)
        (void)json_object_del(json, "default");
    json_object_foreach(json, name, member) defaults_remove(member);
    json_array_foreach(json, index, member) defaults_remove(member);
}

/* avro-c knows the rules of the language: names, forms, what may stand where. It forgets defaults, and its JSON reader
 * stumbles over a NUL in one (a fixed of zeroes), so it is asked without them. */
static enum result avro_c_check(json_t *json, struct error *err)
{
    enum result result = OK;
    avro_schema_t schema = NULL;
    json_t *bare = json_deep_copy(json);
    defaults_remove(bare);
    char *text = json_dumps(bare, JSON_COMPACT | JSON_ENCODE_ANY);
    if (text == NULL || avro_schema_from_json_length(text, strlen(text), &schema) != 0)
        result = error_set(err, REJECTED, "not an Avro schema: %s", avro_strerror());
    avro_schema_decref(schema);
    free(text);
    json_decref(bare);
    return result;
}

enum result avro_tree_read(struct view text, struct avro_tree *ret, struct error *err)
{
    struct avro_tree tree = {0};
    enum result result = REJECTED;
    json_error_t why;
    tree.json = json_loadb(text.data, text.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY, &why);
    if (tree.json == NULL) {
        (void)error_set(err, REJECTED, "a schema that is not JSON: %s, line %d", why.text, why.line);
        goto out;
    }
    result = avro_c_check(tree.json, err);
    if (result != OK)
        goto out;
    struct tree_reader reader = {.arena = &tree.arena, .err = err};
    tree.root = type_read(&reader, tree.json);
    result = tree.root == NULL ? REJECTED : OK;
    tree.id = json_integer_value(json_object_get(tree.json, "tidings.id"));
out:
    if (result == OK)
        *ret = tree;
    else
        avro_tree_destroy(&tree);
    return result;
}

void avro_tree_destroy(struct avro_tree *tree)
{
    json_decref(tree->json);
    arena_destroy(&tree->arena);
    *tree = (struct avro_tree){0};
}

const struct avro_type_field *avro_type_find(const struct avro_type *record, const char *name)
{
    for (size_t i = 0; i < record->field_count; i++)
        if (strcmp(record->fields[i].name, name) == 0)
            return &record->fields[i];
    return NULL;
}
