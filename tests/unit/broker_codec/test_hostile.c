/* Bytes made to do harm: each is refused, with a reason, and costs no more than it is long. */
#include "broker/codec/avro.h"
#include "broker/codec/shapes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct item {
    struct view text;
};

struct sample {
    bool truth;
    int32_t whole;
    int64_t large;
    struct view text, maybe;
    uint8_t hash[2];
    struct item *items;
    size_t item_count;
};

static const struct avro_field item_fields[] = {STRING("itemText", struct item, text)};
static const struct avro_shape item_shape = SHAPE("Item", struct item, item_fields);
static const struct avro_field truth_fields[] = {BOOL("truth", struct sample, truth)};
static const struct avro_shape truth_shape = SHAPE("S", struct sample, truth_fields);
static const struct avro_field whole_fields[] = {INT("whole", struct sample, whole)};
static const struct avro_shape whole_shape = SHAPE("S", struct sample, whole_fields);
static const struct avro_field large_fields[] = {LONG("large", struct sample, large)};
static const struct avro_shape large_shape = SHAPE("S", struct sample, large_fields);
static const struct avro_field text_fields[] = {STRING("text", struct sample, text)};
static const struct avro_shape text_shape = SHAPE("S", struct sample, text_fields);
static const struct avro_field maybe_fields[] = {STRING("maybe", struct sample, maybe)};
static const struct avro_shape maybe_shape = SHAPE("S", struct sample, maybe_fields);
static const struct avro_field hash_fields[] = {FIXED("hash", struct sample, hash)};
static const struct avro_shape hash_shape = SHAPE("S", struct sample, hash_fields);
static const struct avro_field items_fields[] = {RECORDS("items", struct sample, items, item_count, &item_shape)};
static const struct avro_shape items_shape = SHAPE("S", struct sample, items_fields);

#define ONE(name, type) "{\"type\":\"record\",\"name\":\"S\",\"fields\":[{\"name\":\"" name "\",\"type\":" type "}]}"
static const char truth_schema[] = ONE("truth", "\"boolean\"");
static const char whole_schema[] = ONE("whole", "\"int\"");
static const char large_schema[] = ONE("large", "\"long\"");
static const char text_schema[] = ONE("text", "\"string\"");
static const char maybe_schema[] = ONE("maybe", "[\"null\",\"string\"]");
static const char hash_schema[] = ONE("hash", "{\"type\":\"fixed\",\"name\":\"H\",\"size\":2}");
static const char items_schema[] =
    ONE("items", "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"Item\",\"fields\":"
                 "[{\"name\":\"itemText\",\"type\":\"string\"}]}}");

#define LARGEST  "\xFE\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01" /* 2^63 - 1 */
#define SMALLEST "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01" /* -2^63 */
#define CASE(of, bytes, why)                                                                                           \
    {                                                                                                                  \
        of##_schema, &of##_shape, {bytes, sizeof bytes - 1}, why                                                       \
    }

static const struct hostile {
    const char *schema;
    const struct avro_shape *shape;
    struct view data;
    const char *why; /* NULL: sound */
} table[] = {
    CASE(truth, "\0", NULL),
    CASE(truth, "\1", NULL),
    CASE(truth, "", "Avro, truth, after 0 bytes: ends too early"),
    CASE(truth, "\2", "Avro, truth, after 0 bytes: a boolean that is neither 0 nor 1"),
    CASE(truth, "\xFF", "Avro, truth, after 0 bytes: a boolean that is neither 0 nor 1"),
    CASE(truth, "\0\0", "Avro: 1 bytes too many"),

    CASE(whole, "\xFE\xFF\xFF\xFF\x0F", NULL), /* 2^31 - 1 */
    CASE(whole, "\xFF\xFF\xFF\xFF\x0F", NULL), /* -2^31 */
    CASE(whole, "\x80\x80\x80\x80\x10", "Avro, whole, after 5 bytes: an int beyond 32 bits"),
    CASE(whole, LARGEST, "Avro, whole, after 10 bytes: an int beyond 32 bits"),
    CASE(large, LARGEST, NULL),
    CASE(large, SMALLEST, NULL),
    CASE(large, "\x80", "Avro, large, after 1 bytes: ends inside a number"),
    CASE(large, "\x80\x00", "Avro, large, after 1 bytes: a number in more bytes than it takes"),
    CASE(large, "\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", "Avro, large, after 1 bytes: a number beyond 64 bits"),
    CASE(large, "\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01",
         "Avro, large, after 1 bytes: a number beyond 64 bits"),

    CASE(text, "\0", NULL),
    CASE(text, "\4\xC3\xA9", NULL),
    CASE(text, "\4x", "Avro, text, after 1 bytes: a length beyond the end"),
    CASE(text, LARGEST, "Avro, text, after 10 bytes: a length beyond the end"),
    CASE(text, "\1", "Avro, text, after 1 bytes: a negative length"),
    CASE(text, SMALLEST, "Avro, text, after 10 bytes: a negative length"),
    CASE(text, "\2\xFF", "Avro, text, after 2 bytes: text that is not UTF-8"),
    CASE(text, "\4\xC0\x80", "Avro, text, after 3 bytes: text that is not UTF-8"),
    CASE(text, "\6\xED\xA0\x80", "Avro, text, after 4 bytes: text that is not UTF-8"),
    CASE(text,
         "\x22"
         "sixteen letters.\xC3",
         "Avro, text, after 18 bytes: text that is not UTF-8"),

    CASE(maybe, "\0", NULL),
    CASE(maybe, "\2\0", NULL),
    CASE(maybe, "\4\0", "Avro, maybe, after 1 bytes: a branch the union does not have"),
    CASE(maybe, "\1", "Avro, maybe, after 1 bytes: a branch the union does not have"),
    CASE(maybe, LARGEST, "Avro, maybe, after 10 bytes: a branch the union does not have"),
    CASE(maybe, SMALLEST, "Avro, maybe, after 10 bytes: a branch the union does not have"),
    CASE(hash, "x", "Avro, hash, after 0 bytes: ends too early"),

    CASE(items, "\0", NULL),
    CASE(items, "\4\2a\0\0", NULL),
    CASE(items, "\2\2a\2\2b\0", NULL), /* two blocks */
    CASE(items, "\3\6\2a\0\0", NULL),  /* a block that says its size */
    CASE(items, "\2\2a", "Avro, items, after 3 bytes: ends too early"),
    CASE(items, "\4\2a", "Avro, itemText, after 3 bytes: ends too early"),
    CASE(items, "\xFE\xFF\xFF\xFF\x0F\2a\0", "Avro, items, after 5 bytes: more elements than there are bytes"),
    CASE(items, LARGEST "\2a\0", "Avro, items, after 10 bytes: more elements than there are bytes"),
    CASE(items, SMALLEST "\0\2a\0", "Avro, items, after 10 bytes: an endless block"),
    CASE(items, "\3", "Avro, items, after 1 bytes: ends too early"),
    CASE(items, "\3\4\2a\0\0", "Avro, items, after 5 bytes: a block that is not as long as it says"),
    CASE(items, "\3\1\2a\0\0", "Avro, items, after 2 bytes: a block beyond the end"),
    CASE(items, "\3" LARGEST "\2a\0\0", "Avro, items, after 11 bytes: a block beyond the end"),
    CASE(items, "\3" SMALLEST "\2a\0\0", "Avro, items, after 11 bytes: a block beyond the end"),
};

static struct avro_plan *plan_of(const char *schema, const struct avro_shape *shape)
{
    struct avro_plan *plan = NULL;
    struct error err = {0};
    if (avro_plan_create(view_of_text(schema), view_of_text(schema), shape, &plan, &err) != OK)
        fail_msg("%s", err.text);
    return plan;
}

static void each_hostile_value_has_its_own_answer(void **state)
{
    (void)state;
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        struct avro_plan *plan = plan_of(table[i].schema, table[i].shape);
        char *exact = memory_take(table[i].data.size); /* of its own, so that a byte read too far is seen */
        memcpy(exact, table[i].data.data, table[i].data.size);
        struct sample sample;
        struct error err = {0};
        enum result result = avro_decode(plan, view_make(exact, table[i].data.size), &arena, &sample, &err);
        assert_int_equal(result, table[i].why == NULL ? OK : REJECTED);
        assert_string_equal(err.text, table[i].why == NULL ? "" : table[i].why);
        free(exact);
        avro_plan_destroy(plan);
    }
    arena_destroy(&arena);
}

static void elements_in_many_small_blocks_all_arrive(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct buffer data = {0};
    struct sample sample;
    struct avro_plan *plan = plan_of(items_schema, &items_shape);
    enum { BLOCKS = 100 * 1000 };
    for (int i = 0; i < BLOCKS; i++)
        buffer_add(&data, "\2\2x", 3);
    buffer_add_byte(&data, 0);
    assert_int_equal(avro_decode(plan, buffer_view(&data), &arena, &sample, NULL), OK);
    assert_int_equal(sample.item_count, BLOCKS);
    for (int i = 0; i < BLOCKS; i++)
        assert_true(view_is_text(sample.items[i].text, "x"));
    avro_plan_destroy(plan);
    buffer_destroy(&data);
    arena_destroy(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_hostile_value_has_its_own_answer),
        cmocka_unit_test(elements_in_many_small_blocks_all_arrive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
