/* What one schema wrote, read by another. */
#include "broker/codec/avro.h"
#include "broker/codec/shapes.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct inner {
    int64_t length;
    struct view text;
};

struct outer {
    int32_t whole;
    int64_t large;
    struct view text, bytes;
    bool truth;
    uint8_t hash[4];
    struct inner *items;
    size_t item_count;
    bool has_inner;
    struct inner inner;
};

static const struct avro_field inner_fields[] = {
    LONG("length", struct inner, length),
    STRING("text", struct inner, text),
};
static const struct avro_shape inner_shape = SHAPE("Inner", struct inner, inner_fields);
static const struct avro_field outer_fields[] = {
    INT("whole", struct outer, whole),
    LONG("large", struct outer, large),
    STRING("text", struct outer, text),
    BYTES("bytes", struct outer, bytes),
    BOOL("truth", struct outer, truth),
    FIXED("hash", struct outer, hash),
    RECORDS("items", struct outer, items, item_count, &inner_shape),
    OPTIONAL_RECORD("inner", struct outer, inner, has_inner, &inner_shape),
};
static const struct avro_shape outer_shape = SHAPE("Outer", struct outer, outer_fields);

#define INNER                                                                                                          \
    "{'type':'record','name':'Inner','fields':[{'name':'length','type':'long','default':3},{'name':'text','type':'"    \
    "string','default':'in'}]}"
/* Today's: every field with a default that is not what a zeroed struct says. */
#define TODAY                                                                                                          \
    "{'type':'record','name':'Outer','namespace':'uk.test','fields':["                                                 \
    "{'name':'whole','type':'int','default':-7},"                                                                      \
    "{'name':'large','type':{'type':'long','logicalType':'timestamp-millis'},'default':9000000000},"                   \
    "{'name':'text','type':['string','null'],'default':'caf\\u00e9'},"                                                 \
    "{'name':'bytes','type':['null','bytes'],'default':null},"                                                         \
    "{'name':'truth','type':'boolean','default':true},"                                                                \
    "{'name':'hash','type':{'type':'fixed','name':'Hash','size':4},'default':'\\u0000\\u00ffab'},"                     \
    "{'name':'items','type':{'type':'array','items':" INNER "},'default':[]},"                                         \
    "{'name':'inner','type':['null','Inner'],'default':null}]}"
#define OUTER(fields) "{'type':'record','name':'Outer','fields':[" fields "]}"

/* Schemas are written here with ' for ". */
static struct view json(const char *text, char *to, size_t size)
{
    assert_true(strlen(text) < size);
    for (size_t i = 0; i <= strlen(text); i++)
        to[i] = text[i] == '\'' ? '"' : text[i];
    return view_of_text(to);
}

static enum result plan(const char *writer, const char *reader, struct avro_plan **ret, struct error *err)
{
    char written[4096], wanted[4096];
    return avro_plan_create(json(writer, written, sizeof written), json(reader, wanted, sizeof wanted), &outer_shape,
                            ret, err);
}

/* Reads bytes of the writer's schema; the struct's views point into data and arena. */
static enum result read_as_today(const char *writer, struct view data, struct arena *arena, struct outer *ret)
{
    struct avro_plan *made = NULL;
    struct error err = {0};
    if (plan(writer, TODAY, &made, &err) != OK)
        fail_msg("%s", err.text);
    enum result result = avro_decode(made, data, arena, ret, &err);
    avro_plan_destroy(made);
    return result;
}

static void assert_refused(const char *writer, const char *reader, const char *why)
{
    struct avro_plan *made = NULL;
    struct error err = {0};
    assert_int_equal(plan(writer, reader, &made, &err), REJECTED);
    assert_null(made);
    assert_string_equal(err.text, why);
}

static void a_field_the_writer_lacks_has_the_readers_default(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    struct avro_plan *made = NULL;
    assert_int_equal(plan(OUTER("{'name':'truth','type':'boolean'}"), TODAY, &made, NULL), OK);
    assert_int_equal(avro_decode(made, view_make("\0", 1), &arena, &outer, NULL), OK);
    assert_false(outer.truth);
    assert_int_equal(outer.whole, -7);
    assert_int_equal(outer.large, 9000000000);
    assert_true(view_is_text(outer.text, "caf\xC3\xA9"));
    assert_null(outer.bytes.data);
    assert_memory_equal(outer.hash,
                        "\0\xFF"
                        "ab",
                        4);
    assert_int_equal(outer.item_count, 0);
    assert_false(outer.has_inner);
    avro_plan_destroy(made);
    arena_destroy(&arena);
}

static void a_nested_field_the_writer_lacks_has_its_default_too(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    const char *writer =
        OUTER("{'name':'items','type':{'type':'array','items':{'type':'record','name':'Inner','fields':["
              "{'name':'length','type':'long'}]}}},{'name':'inner','type':['null','Inner']}");
    struct avro_plan *made = NULL;
    assert_int_equal(plan(writer, TODAY, &made, NULL), OK);
    assert_int_equal(avro_decode(made, view_make("\4\2\4\0\2\6", 6), &arena, &outer, NULL), OK);
    assert_int_equal(outer.item_count, 2);
    assert_int_equal(outer.items[1].length, 2);
    assert_true(view_is_text(outer.items[1].text, "in"));
    assert_true(outer.has_inner);
    assert_int_equal(outer.inner.length, 3);
    assert_true(view_is_text(outer.inner.text, "in"));
    avro_plan_destroy(made);
    arena_destroy(&arena);
}

static void a_record_can_be_a_default(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    struct avro_plan *made = NULL;
    struct error err = {0};
    const char *reader =
        OUTER("{'name':'whole','type':'int'},{'name':'large','type':'long'},{'name':'text','type':'string'},"
              "{'name':'bytes','type':'bytes','default':'\\u00fe'},{'name':'truth','type':'boolean','default':false},"
              "{'name':'hash','type':{'type':'fixed','name':'Hash','size':4},'default':'abcd'},"
              "{'name':'inner','type':[" INNER ",'null'],'default':{'length':5}},"
              "{'name':'items','type':{'type':'array','items':'Inner'},'default':[]}");
    assert_int_equal(
        plan(OUTER("{'name':'whole','type':'int'},{'name':'large','type':'int'},{'name':'text','type':'string'}"),
             reader, &made, &err),
        OK);
    assert_int_equal(avro_decode(made, view_make("\2\4\2x", 4), &arena, &outer, &err), OK);
    assert_true(outer.has_inner);
    assert_int_equal(outer.inner.length, 5);
    assert_true(view_is_text(outer.inner.text, "in"));
    assert_true(view_is_text(outer.bytes, "\xFE"));
    avro_plan_destroy(made);
    arena_destroy(&arena);
}

static void fields_the_reader_does_not_have_are_skipped_whatever_they_are(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    const char *writer = OUTER("{'name':'z0','type':'null'},{'name':'z1','type':'boolean'},{'name':'z2','type':'int'},{"
                               "'name':'z3','type':'long'},"
                               "{'name':'z4','type':'float'},{'name':'z5','type':'double'},{'name':'z6','type':'bytes'}"
                               ",{'name':'z7','type':'string'},"
                               "{'name':'z8','type':{'type':'fixed','name':'F','size':3}},{'name':'z9','type':{'type':'"
                               "enum','name':'E','symbols':['A','B']}},"
                               "{'name':'za','type':{'type':'array','items':{'type':'array','items':'int'}}},{'name':'"
                               "zb','type':{'type':'map','values':'long'}},"
                               "{'name':'zc','type':['null','string','int']},{'name':'zd','type':{'type':'record','"
                               "name':'R','fields':[{'name':'r','type':'E'}]}},"
                               "{'name':'whole','type':'int'}");
    static const char data[] = "\1\2\4ffffdddddddd\2b\2s"
                               "FFF\2"
                               "\2\4\2\4\0\1\6\2\2\0\0" /* one array of two, then a sized block of one array of one */
                               "\2\2k\6\0"              /* one entry */
                               "\4\6\2\x54";
    assert_int_equal(read_as_today(writer, view_make(data, sizeof data - 1), &arena, &outer), OK);
    assert_int_equal(outer.whole, 42);
    assert_int_equal(read_as_today(OUTER("{'name':'z','type':'string'},{'name':'whole','type':'int'}"),
                                   view_make("\2\xFF\2", 3), &arena, &outer),
                     REJECTED);
    /* and none of them is looked past without a check */
    for (size_t size = 0; size < sizeof data - 1; size++)
        assert_int_equal(read_as_today(writer, view_make(data, size), &arena, &outer), REJECTED);
    arena_destroy(&arena);
}

static void an_int_is_read_as_a_long_and_text_as_bytes(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    const char *writer =
        OUTER("{'name':'large','type':'int'},{'name':'text','type':'bytes'},{'name':'bytes','type':'string'}");
    assert_int_equal(read_as_today(writer, view_make("\x01\4ab\4cd", 7), &arena, &outer), OK);
    assert_int_equal(outer.large, -1);
    assert_true(view_is_text(outer.text, "ab"));
    assert_true(view_is_text(outer.bytes, "cd"));
    assert_int_equal(read_as_today(writer, view_make("\x01\4\xFF\xFF\4cd", 7), &arena, &outer), REJECTED);
    arena_destroy(&arena);
}

static void a_union_may_come_or_go(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct outer outer;
    /* the writer's has other branches in another order; the reader's whole takes no null */
    const char *writer =
        OUTER("{'name':'text','type':['null','bytes','string']},{'name':'whole','type':['null','int']}");
    assert_int_equal(read_as_today(writer, view_make("\4\2x\2\2", 5), &arena, &outer), OK);
    assert_true(view_is_text(outer.text, "x"));
    assert_int_equal(outer.whole, 1);
    assert_int_equal(read_as_today(writer, view_make("\0\2\2", 3), &arena, &outer), OK);
    assert_null(outer.text.data);
    assert_int_equal(read_as_today(writer, view_make("\0\0", 2), &arena, &outer), REJECTED);
    assert_int_equal(read_as_today(OUTER("{'name':'inner','type':" INNER "}"), view_make("\2\0", 2), &arena, &outer),
                     OK);
    assert_true(outer.has_inner);
    arena_destroy(&arena);
}

static void what_cannot_be_resolved_is_refused_when_the_plan_is_made(void **state)
{
    (void)state;
    assert_refused(OUTER("{'name':'whole','type':'string'}"), TODAY,
                   "whole: the writer's kind is another than the reader's");
    assert_refused(OUTER("{'name':'whole','type':'long'}"), TODAY,
                   "whole: the writer's kind is another than the reader's");
    assert_refused(OUTER("{'name':'text','type':['null','int']}"), TODAY,
                   "text: the writer's kind is another than the reader's");
    assert_refused(OUTER("{'name':'hash','type':{'type':'fixed','name':'Hash','size':5}}"), TODAY,
                   "hash: the writer's fixed is another than the reader's");
    assert_refused(OUTER("{'name':'items','type':{'type':'map','values':'long'}}"), TODAY,
                   "items: the writer's kind is another than the reader's");
    assert_refused("{'type':'record','name':'Other','fields':[]}", TODAY, "record Outer: the writer calls it Other");
    assert_refused("'string'", TODAY, "the writer's schema is not a record");
    assert_refused(OUTER("{'name':'z','type':{'type':'array','items':{'type':'record','name':'N','fields':[]}}}"),
                   TODAY, "z: its elements take no bytes");
    assert_refused(
        OUTER("{'name':'z','type':{'type':'record','name':'N','fields':[{'name':'n','type':['null','N']}]}}"), TODAY,
        "z: nested too deep, or too large");
}

static void a_field_without_default_that_the_writer_lacks_is_refused(void **state)
{
    (void)state;
    const char *reader =
        OUTER("{'name':'whole','type':'int'},{'name':'large','type':'long'},{'name':'text','type':'string'},"
              "{'name':'bytes','type':'bytes'},{'name':'truth','type':'boolean'},"
              "{'name':'hash','type':{'type':'fixed','name':'Hash','size':4}},"
              "{'name':'items','type':{'type':'array','items':" INNER "}},{'name':'inner','type':['null','Inner']}");
    assert_refused(OUTER("{'name':'whole','type':'int'}"), reader, "large: the writer lacks it and it has no default");
}

static void a_readers_schema_that_is_not_the_structs_is_refused(void **state)
{
    (void)state;
    assert_refused(TODAY, OUTER("{'name':'whole','type':'int'}"), "large: the schema and the struct differ");
    assert_refused(TODAY, "'int'", "the reader's schema is not a record");
    assert_refused(TODAY, "{'type':'record','name':'Other','fields':[]}", "record Outer: the schema calls it Other");
    const char *reader =
        OUTER("{'name':'whole','type':'int'},{'name':'large','type':'int'},{'name':'text','type':'string'},"
              "{'name':'bytes','type':'bytes'},{'name':'truth','type':'boolean'},"
              "{'name':'hash','type':{'type':'fixed','name':'Hash','size':4}},"
              "{'name':'items','type':{'type':'array','items':" INNER "}},{'name':'inner','type':['null','Inner']}");
    assert_refused(TODAY, reader, "large: the schema and the struct differ");
}

static void what_is_no_schema_is_refused(void **state)
{
    (void)state;
    struct avro_plan *made = NULL;
    static const char *const refused[] = {
        "",
        "{",
        "[]",
        "{}",
        "{'type':'record'}",
        "{'type':'record','name':'Outer'}",
        "{'type':'nothing'}",
        "{'type':'record','name':'Outer','fields':[{'name':'a'}]}",
        "{'type':'record','name':'Outer','fields':[{'name':'a','type':'Missing'}]}",
        "{'type':'record','name':'Outer','fields':[{'name':'a','type':'int'},{'name':'a','type':'int'}]}",
        "{'type':'record','name':'Outer','name':'Outer','fields':[]}",
        "{'type':'record','name':'Outer','fields':[{'name':'a','type':{'type':'fixed','name':'F'}}]}",
        "{'type':'record','name':'Outer','fields':[]} trailing",
    };
    for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
        struct error err = {0};
        assert_int_equal(plan(refused[i], TODAY, &made, &err), REJECTED);
        assert_true(err.text[0] != '\0');
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_field_the_writer_lacks_has_the_readers_default),
        cmocka_unit_test(a_nested_field_the_writer_lacks_has_its_default_too),
        cmocka_unit_test(a_record_can_be_a_default),
        cmocka_unit_test(fields_the_reader_does_not_have_are_skipped_whatever_they_are),
        cmocka_unit_test(an_int_is_read_as_a_long_and_text_as_bytes),
        cmocka_unit_test(a_union_may_come_or_go),
        cmocka_unit_test(what_cannot_be_resolved_is_refused_when_the_plan_is_made),
        cmocka_unit_test(a_field_without_default_that_the_writer_lacks_is_refused),
        cmocka_unit_test(a_readers_schema_that_is_not_the_structs_is_refused),
        cmocka_unit_test(what_is_no_schema_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
