/* What was written once must decode for ever: tests/fixtures/avro/<schema>-<id>.hex.
 * `unit_broker_codec_fixtures --write` adds a fixture for each schema that has none under its id; it changes none. */
#include "broker/codec/schemas.h"

#include "broker/codec/shapes.h"
#include "tests/unit/broker_codec/struct_text.h"

#include <dirent.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define FOLDER SOURCE_DIR "/tests/fixtures/avro"

static const struct {
    const char *name;
    const struct avro_shape *shape;
} kinds[SCHEMA_COUNT] = {
    [SCHEMA_RECORD] = {"record", &record_shape},
    [SCHEMA_EVENT_HEADER] = {"event-header", &event_header_shape},
    [SCHEMA_EVENT_BODY] = {"event-body", &event_body_shape},
    [SCHEMA_TELLING] = {"telling", &telling_shape},
    [SCHEMA_SUBSCRIPTION] = {"subscription", &subscription_shape},
    [SCHEMA_RECEIPT] = {"receipt", &receipt_shape},
    [SCHEMA_RECEIPT_BODY] = {"receipt-body", &receipt_body_shape},
    [SCHEMA_TICK] = {"tick", &tick_shape},
    [SCHEMA_RULES] = {"rules", &rules_shape},
    [SCHEMA_DATA_KEY] = {"data-key", &data_key_shape},
    [SCHEMA_ORGANISATION] = {"organisation", &organisation_shape},
    [SCHEMA_SUBSCRIBER] = {"subscriber", &subscriber_shape},
    [SCHEMA_TOKEN] = {"token", &token_shape},
    [SCHEMA_WORK_ITEM] = {"work-item", &work_item_shape},
    [SCHEMA_PATIENT_STATE] = {"patient-state", &patient_state_shape},
    [SCHEMA_SUBSCRIBER_STATE] = {"subscriber-state", &subscriber_state_shape},
};

static bool file_read(const char *path, struct buffer *ret)
{
    FILE *file = fopen(path, "rb");
    if (file == NULL)
        return false;
    char bytes[4096];
    for (size_t size = 0; (size = fread(bytes, 1, sizeof bytes, file)) > 0;)
        buffer_add(ret, bytes, size);
    (void)fclose(file);
    return true;
}

/* The next line of text, without its end; *text becomes what follows. */
static struct view line_take(struct view *text)
{
    const char *end = text->size == 0 ? NULL : memchr(text->data, '\n', text->size);
    struct view line = view_make(text->data, end == NULL ? text->size : (size_t)(end - (const char *)text->data));
    *text = view_after(*text, end == NULL ? text->size : line.size + 1);
    return line;
}

static void hex_add(struct view line, struct buffer *to)
{
    const char *hex = line.data;
    assert_int_equal(line.size % 2, 0);
    for (size_t i = 0; i < line.size; i += 2) {
        char digits[3] = {hex[i], hex[i + 1], '\0'}, *end;
        buffer_add_byte(to, (uint8_t)strtoul(digits, &end, 16));
        assert_ptr_equal(end, digits + 2);
    }
}

/* Every line of values must be said of the struct; a field that came later says more, and may. */
static void assert_values(struct view values, struct view text, const char *name)
{
    while (values.size > 0) {
        struct view wanted = line_take(&values), rest = text;
        bool found = false;
        while (rest.size > 0 && !found)
            found = view_is(line_take(&rest), wanted);
        if (!found)
            fail_msg("%s: not so any more: %.*s", name, VIEW_ARGS(wanted));
    }
}

static void assert_fixture(const char *name, enum schema *ret)
{
    char path[512];
    struct buffer file = {0}, wire = {0}, text = {0};
    struct arena arena = {0};
    struct error err = {0};
    enum schema schema = SCHEMA_COUNT;
    (void)snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    assert_true(file_read(path, &file));
    struct view rest = buffer_view(&file);
    for (struct view line = line_take(&rest); line.size > 0; line = line_take(&rest))
        hex_add(line, &wire);
    assert_true(rest.size > 0);
    if (schema_of(buffer_view(&wire), &schema, &err) != OK)
        fail_msg("%s: %s", name, err.text);
    assert_true(view_starts_with(view_of_text(name), view_of_text(kinds[schema].name)));
    unsigned char *back = arena_take(&arena, kinds[schema].shape->size);
    if (schema_decode(schema, buffer_view(&wire), &arena, back, &err) != OK)
        fail_msg("%s: %s", name, err.text);
    struct_add_text(kinds[schema].shape, back, "", &arena, &text);
    assert_values(rest, buffer_view(&text), name);
    *ret = schema;
    buffer_destroy(&file);
    buffer_destroy(&wire);
    buffer_destroy(&text);
    arena_destroy(&arena);
}

/* The file's name for what today writes. */
static void fixture_name(enum schema schema, const struct buffer *wire, char *ret, size_t size)
{
    (void)snprintf(ret, size, "%s-%u.hex", kinds[schema].name, bytes_get_u32(wire->data + 1));
}

static void every_fixture_decodes_to_what_it_was(void **state)
{
    (void)state;
    size_t seen = 0;
    DIR *folder = opendir(FOLDER);
    assert_non_null(folder);
    for (struct dirent *entry = readdir(folder); entry != NULL; entry = readdir(folder)) {
        enum schema schema;
        if (strstr(entry->d_name, ".hex") == NULL)
            continue;
        assert_fixture(entry->d_name, &schema);
        seen++;
    }
    (void)closedir(folder);
    assert_true(seen >= SCHEMA_COUNT);
}

static void every_schema_of_today_has_a_fixture_and_writes_it_alike(void **state)
{
    (void)state;
    for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++) {
        char name[128], path[512];
        struct buffer wire = {0}, file = {0}, again = {0}, kept = {0};
        struct arena arena = {0};
        unsigned char *empty = arena_take(&arena, kinds[schema].shape->size),
                      *back = arena_take(&arena, kinds[schema].shape->size);
        schema_encode(schema, empty, &wire);
        fixture_name(schema, &wire, name, sizeof name);
        (void)snprintf(path, sizeof path, "%s/%s", FOLDER, name);
        if (!file_read(path, &file))
            fail_msg("%s is missing: unit_broker_codec_fixtures --write", name);
        struct view rest = buffer_view(&file);
        for (struct view line = line_take(&rest); line.size > 0; line = line_take(&rest))
            hex_add(line, &kept);
        assert_int_equal(schema_decode(schema, buffer_view(&kept), &arena, back, NULL), OK);
        schema_encode(schema, back, &again);
        assert_true(view_is(buffer_view(&again), buffer_view(&kept)));
        buffer_destroy(&wire);
        buffer_destroy(&file);
        buffer_destroy(&again);
        buffer_destroy(&kept);
        arena_destroy(&arena);
    }
}

/* ---- writing new ones: every optional part there, two elements in every list, no number twice ---- */

static void fill(const struct avro_shape *shape, struct arena *arena, unsigned char *to, int *number);

static void fill_array(const struct avro_field *field, struct arena *arena, unsigned char *to, int *number)
{
    size_t count = 2, size = field->element == AVRO_KIND_RECORD ? field->shape->size : sizeof(struct view);
    unsigned char *elements = arena_take(arena, count * size);
    for (size_t i = 0; i < count; i++) {
        if (field->element == AVRO_KIND_RECORD)
            fill(field->shape, arena, elements + i * size, number);
        else {
            struct view text = arena_format(arena, "%s %d", field->name, ++*number);
            memcpy(elements + i * size, &text, sizeof text);
        }
    }
    memcpy(to + field->offset, &elements, sizeof elements);
    memcpy(to + field->count_offset, &count, sizeof count);
}

static void fill_field(const struct avro_field *field, struct arena *arena, unsigned char *to, int *number)
{
    bool truth = true;
    int32_t small = ++*number;
    int64_t large = 1795428000000 + small; /* in November 2026 */
    struct view text = arena_format(arena, "%s \xC3\xA9 %d", field->name, small);
    switch (field->kind) {
    case AVRO_KIND_BOOL:
        memcpy(to + field->offset, &truth, sizeof truth);
        break;
    case AVRO_KIND_INT:
        memcpy(to + field->offset, &small, sizeof small);
        break;
    case AVRO_KIND_LONG:
        memcpy(to + field->offset, &large, sizeof large);
        break;
    case AVRO_KIND_STRING:
    case AVRO_KIND_BYTES:
        memcpy(to + field->offset, &text, sizeof text);
        break;
    case AVRO_KIND_FIXED:
        for (size_t i = 0; i < field->size; i++)
            to[field->offset + i] = (unsigned char)(small + (int)i);
        break;
    case AVRO_KIND_RECORD:
        if (field->present_offset != SIZE_MAX)
            memcpy(to + field->present_offset, &truth, sizeof truth);
        fill(field->shape, arena, to + field->offset, number);
        break;
    case AVRO_KIND_ARRAY:
        fill_array(field, arena, to, number);
        break;
    }
}

static void fill(const struct avro_shape *shape, struct arena *arena, unsigned char *to, int *number)
{
    for (size_t i = 0; i < shape->field_count; i++)
        fill_field(&shape->fields[i], arena, to, number);
}

static bool fixture_write(enum schema schema)
{
    char name[128], path[512];
    struct buffer wire = {0}, file = {0};
    struct arena arena = {0};
    unsigned char *sample = arena_take(&arena, kinds[schema].shape->size);
    int number = 0;
    fill(kinds[schema].shape, &arena, sample, &number);
    schema_encode(schema, sample, &wire);
    for (size_t i = 0; i < wire.size; i += 40) {
        bytes_add_hex(&file, view_make(wire.data + i, wire.size - i < 40 ? wire.size - i : 40));
        buffer_add_text(&file, "\n");
    }
    buffer_add_text(&file, "\n");
    struct_add_text(kinds[schema].shape, sample, "", &arena, &file);
    fixture_name(schema, &wire, name, sizeof name);
    (void)snprintf(path, sizeof path, "%s/%s", FOLDER, name);
    FILE *to = fopen(path, "wxb"); /* never over one that is there */
    bool written = to != NULL && fwrite(file.data, 1, file.size, to) == file.size;
    if (to != NULL && fclose(to) == 0 && written)
        print_message("wrote %s\n", name);
    buffer_destroy(&wire);
    buffer_destroy(&file);
    arena_destroy(&arena);
    return written;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fixture_decodes_to_what_it_was),
        cmocka_unit_test(every_schema_of_today_has_a_fixture_and_writes_it_alike),
    };
    struct error err = {0};
    if (schemas_open(&err) != OK) {
        print_error("%s\n", err.text);
        return 1;
    }
    int failed = 0;
    if (argc > 1 && strcmp(argv[1], "--write") == 0)
        for (enum schema schema = 0; schema < SCHEMA_COUNT; schema++)
            (void)fixture_write(schema);
    else
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    schemas_close();
    return failed;
}
