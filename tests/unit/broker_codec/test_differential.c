/* Ours against avro-c: random records of every schema and of other versions of it, sound and mutated.
 * 100,000 records; with TIDINGS_LONG=1, a million. By hand: unit_broker_codec_differential RECORDS SEED. */
#include "broker/codec/avro.h"
#include "broker/codec/built_in_schemas.h"
#include "broker/codec/shapes.h"
#include "tests/unit/broker_codec/avro_c_value.h"
#include "tests/unit/broker_codec/random_schema.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

enum { VERSIONS = 12, RECORD_BYTES = 1 << 20, MUTATIONS = 4 };

static const struct avro_shape *const shapes[] = {
    &record_shape,       &event_header_shape, &event_body_shape,    &telling_shape,
    &subscription_shape, &receipt_shape,      &receipt_body_shape,  &tick_shape,
    &rules_shape,        &data_key_shape,     &organisation_shape,  &subscriber_shape,
    &token_shape,        &work_item_shape,    &patient_state_shape, &subscriber_state_shape,
};
enum { SHAPES = sizeof shapes / sizeof shapes[0] };

static int64_t records = 100 * 1000;
static struct dice dice = {20261123};

/* One writer's version of one of our schemas, as both sides read it. */
struct version {
    const struct avro_shape *shape;
    char *text;
    struct avro_plan *plan;
    avro_schema_t schema, today;
    avro_value_iface_t *class, *today_class;
};

static struct version versions[SHAPES * VERSIONS];

static struct view text_of(const struct avro_shape *shape)
{
    char name[80];
    (void)snprintf(name, sizeof name, "\"name\": \"%s\", \"namespace\"", shape->name);
    for (size_t i = 0; i < built_in_schema_count; i++)
        if (!built_in_schemas[i].old &&
            memmem(built_in_schemas[i].text.data, built_in_schemas[i].text.size, name, strlen(name)))
            return built_in_schemas[i].text;
    fail_msg("no schema of %s", shape->name);
    return VIEW_NONE;
}

/* The first version of each is today's own. */
static void version_open(struct version *version, const struct avro_shape *shape, bool own)
{
    struct view today = text_of(shape);
    struct error err = {0};
    *version = (struct version){.shape = shape};
    version->text = own ? memory_text(today) : random_version(&dice, today);
    if (avro_plan_create(view_of_text(version->text), today, shape, &version->plan, &err) != OK)
        fail_msg("%s\n%s", err.text, version->text);
    assert_int_equal(avro_schema_from_json_length(version->text, strlen(version->text), &version->schema), 0);
    assert_int_equal(avro_schema_from_json_length(today.data, today.size, &version->today), 0);
    version->class = avro_generic_class_from_schema(version->schema);
    version->today_class = avro_generic_class_from_schema(version->today);
}

static void version_close(struct version *version)
{
    avro_plan_destroy(version->plan);
    avro_value_iface_decref(version->class);
    avro_value_iface_decref(version->today_class);
    avro_schema_decref(version->schema);
    avro_schema_decref(version->today);
    free(version->text);
}

static int versions_open(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES * VERSIONS; i++)
        version_open(&versions[i], shapes[i / VERSIONS], i % VERSIONS == 0);
    return 0;
}

static int versions_close(void **state)
{
    (void)state;
    for (size_t i = 0; i < SHAPES * VERSIONS; i++)
        version_close(&versions[i]);
    return 0;
}

static struct view avro_c_write(avro_value_t *value, char *bytes)
{
    avro_writer_t writer = avro_writer_memory(bytes, RECORD_BYTES);
    assert_int_equal(avro_value_write(writer, value), 0);
    struct view data = view_make(bytes, (size_t)avro_writer_tell(writer));
    avro_writer_free(writer);
    return data;
}

/* All of data and no more, or false. Only for data that ours has taken: avro-c believes lengths. */
static bool avro_c_read(struct view data, avro_value_t *value)
{
    char beyond;
    avro_reader_t reader = avro_reader_memory(data.data, (int64_t)data.size);
    bool sound = avro_value_read(reader, value) == 0 && avro_read(reader, &beyond, 1) != 0;
    avro_reader_free(reader);
    return sound;
}

/* Text for a writer's bytes: ours refuses what is no UTF-8, avro-c does not look. */
static bool is_refused_as_text(const struct error *err)
{
    return strstr(err->text, "not UTF-8") != NULL;
}

static void what_avro_c_writes_ours_reads_and_the_other_way_round(void **state)
{
    (void)state;
    char *bytes = memory_take(RECORD_BYTES);
    struct buffer back = {0};
    struct arena arena = {0};
    int64_t refused = 0;
    for (int64_t i = 0; i < records; i++) {
        const struct version *version = &versions[i % (SHAPES * VERSIONS)];
        unsigned char *decoded = arena_take(&arena, version->shape->size);
        struct error err = {0};
        avro_value_t value, again;
        avro_generic_value_new(version->class, &value);
        avro_c_random(&dice, &arena, &value);
        struct view data = avro_c_write(&value, bytes);
        if (avro_decode(version->plan, data, &arena, decoded, &err) == OK) {
            const char *difference = avro_c_difference(&value, version->shape, decoded);
            if (difference != NULL)
                fail_msg("%s, read by ours: %s\n%s", version->shape->name, difference, version->text);
            buffer_clear(&back);
            avro_encode(version->plan, decoded, &back);
            avro_generic_value_new(version->today_class, &again);
            assert_true(avro_c_read(buffer_view(&back), &again));
            assert_null(avro_c_difference(&again, version->shape, decoded));
            avro_value_decref(&again);
        } else {
            if (!is_refused_as_text(&err))
                fail_msg("%s\n%s", err.text, version->text);
            refused++;
        }
        avro_value_decref(&value);
        arena_reset(&arena);
    }
    print_message("%lld records agree, %lld of them refused for text that is none\n", (long long)records,
                  (long long)refused);
    buffer_destroy(&back);
    arena_destroy(&arena);
    free(bytes);
}

static void put_number(struct buffer *to, uint64_t bits)
{
    for (; bits >= 0x80; bits >>= 7)
        buffer_add_byte(to, (uint8_t)(bits | 0x80));
    buffer_add_byte(to, (uint8_t)bits);
}

/* Flips, cuts, doubles, or puts a number where there was none. */
static void mutate(struct buffer *data)
{
    struct buffer made = {0};
    size_t at = dice_below(&dice, data->size + 1), count = dice_below(&dice, 4) + 1;
    if (at + count > data->size)
        count = data->size - at;
    switch (dice_below(&dice, 5)) {
    case 0:
        if (count > 0)
            data->data[at] ^= (uint8_t)(1U << dice_below(&dice, 8));
        return;
    case 1:
        for (size_t i = 0; i < count; i++)
            data->data[at + i] = (uint8_t)dice_roll(&dice);
        return;
    case 2: /* some bytes go */
        buffer_add(&made, data->data, at);
        buffer_add(&made, data->data + at + count, data->size - at - count);
        break;
    case 3: /* some come twice */
        buffer_add(&made, data->data, at + count);
        buffer_add(&made, data->data + at, data->size - at);
        break;
    default:
        buffer_add(&made, data->data, at);
        put_number(&made, (uint64_t)dice_number(&dice));
        buffer_add(&made, data->data + at + count, data->size - at - count);
        break;
    }
    buffer_clear(data);
    buffer_add_view(data, buffer_view(&made));
    buffer_destroy(&made);
}

static void what_ours_takes_of_mutated_bytes_avro_c_reads_alike(void **state)
{
    (void)state;
    char *bytes = memory_take(RECORD_BYTES);
    struct buffer data = {0};
    struct arena arena = {0};
    int64_t taken = 0;
    for (int64_t i = 0; i < records; i++) {
        const struct version *version = &versions[i % (SHAPES * VERSIONS)];
        unsigned char *decoded = arena_take(&arena, version->shape->size);
        avro_value_t value, again;
        avro_generic_value_new(version->class, &value);
        avro_c_random(&dice, &arena, &value);
        buffer_clear(&data);
        buffer_add_view(&data, avro_c_write(&value, bytes));
        for (size_t mutations = dice_below(&dice, MUTATIONS) + 1; mutations > 0; mutations--)
            mutate(&data);
        char *exact = memory_text(buffer_view(&data)); /* of its own, so that a byte read too far is seen */
        if (avro_decode(version->plan, view_make(exact, data.size), &arena, decoded, NULL) == OK) {
            avro_generic_value_new(version->class, &again);
            assert_true(avro_c_read(view_make(exact, data.size), &again));
            const char *difference = avro_c_difference(&again, version->shape, decoded);
            if (difference != NULL)
                fail_msg("%s, mutated: %s\n%s", version->shape->name, difference, version->text);
            avro_value_decref(&again);
            taken++;
        }
        free(exact);
        avro_value_decref(&value);
        arena_reset(&arena);
    }
    print_message("%lld records mutated, %lld of them still taken\n", (long long)records, (long long)taken);
    assert_true(taken > records / 100 && taken < records);
    buffer_destroy(&data);
    arena_destroy(&arena);
    free(bytes);
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_avro_c_writes_ours_reads_and_the_other_way_round),
        cmocka_unit_test(what_ours_takes_of_mutated_bytes_avro_c_reads_alike),
    };
    const char *long_form = getenv("TIDINGS_LONG");
    int64_t seed = 0;
    if (long_form != NULL && long_form[0] == '1')
        records = 1000 * 1000;
    if (argc > 1 && !view_to_number(view_of_text(argv[1]), &records))
        return 2;
    if (argc > 2 && view_to_number(view_of_text(argv[2]), &seed) && seed > 0)
        dice.state = (uint64_t)seed;
    print_message("seed %llu\n", (unsigned long long)dice.state);
    return cmocka_run_group_tests(tests, versions_open, versions_close);
}
