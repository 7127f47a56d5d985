/* Which mode a request is in, what its headers say, and what the organisation adds. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "producers/cloudevents/inside.h"

static void the_media_type_says_the_mode(void **state)
{
    (void)state;
    static const struct {
        const char *type;
        bool attributes;
        enum posted_mode mode;
    } rows[] = {
        {"application/cloudevents+json", false, POSTED_STRUCTURED},
        {"Application/CloudEvents+JSON", false, POSTED_STRUCTURED},
        {"application/cloudevents+json; charset=UTF-8", false, POSTED_STRUCTURED},
        {"application/cloudevents+json;charset=\"utf-8\"", true, POSTED_STRUCTURED},
        {"application/cloudevents+json;charset=utf-8;x=y", true, POSTED_STRUCTURED},
        {"application/cloudevents+json; charset=latin1", false, POSTED_UNSUPPORTED},
        {"application/cloudevents+json; charset=utf-80", false, POSTED_UNSUPPORTED},
        {"application/cloudevents+avro", true, POSTED_UNSUPPORTED},
        {"application/cloudevents", true, POSTED_UNSUPPORTED},
        {"application/cloudevents-batch+json", false, POSTED_BATCH},
        {"application/cloudevents-batch+json ; charset=utf-8", false, POSTED_BATCH},
        {"application/cloudevents-batch+avro", true, POSTED_UNSUPPORTED},
        {"application/json", true, POSTED_BINARY},
        {"application/json", false, POSTED_UNSUPPORTED},
        {"application/fhir+json", true, POSTED_BINARY},
        {"text/json", true, POSTED_BINARY},
        {"text/plain", true, POSTED_UNSUPPORTED},
        {"+json", true, POSTED_UNSUPPORTED},
        {"json", true, POSTED_UNSUPPORTED},
        {";", true, POSTED_UNSUPPORTED},
        {"", true, POSTED_BINARY},
        {NULL, true, POSTED_BINARY},
        {NULL, false, POSTED_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (posted_mode_of(view_of_text(rows[i].type), rows[i].attributes) != rows[i].mode)
            fail_msg("row %zu: %s", i, rows[i].type);
}

static void a_header_is_decoded_once(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"plain", "plain"},
        {"", ""},
        {"a%20b", "a b"},
        {"%C3%a9", "\xC3\xA9"},
        {"%2520", "%20"},
        {"100%", "100%"},
        {"%zz%4", "%zz%4"},
        {"\"quoted\"", "quoted"},
        {"\"a\\\"b\\\\\"", "a\"b\\"},
        {"\"a%22\"", "a\""},
        {"W/\"16\"", "W/\"16\""},
        {"\"", "\""},
        {"\"\"", ""},
        {"{\"a\":\"b\"}", "{\"a\":\"b\"}"},
    };
    struct arena arena = {0};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct view decoded = posted_header_decode(view_of_text(rows[i][0]), &arena);
        if (!view_is_text(decoded, rows[i][1]))
            fail_msg("%s became %.*s", rows[i][0], VIEW_ARGS(decoded));
    }
    struct view nul = posted_header_decode(VIEW("%00"), &arena);
    assert_int_equal(nul.size, 1);
    arena_destroy(&arena);
}

static void what_was_refused_is_still_named_where_it_can_be_read(void **state)
{
    (void)state;
    struct arena arena = {0};
    struct posted posted = {.mode = POSTED_STRUCTURED, .body = VIEW("{\"id\":\"m-1\",\"source\":7}")};
    assert_true(view_is_text(posted_find(&posted, 0, "id", &arena), "m-1"));
    assert_true(view_is_text(posted_find(&posted, 0, "source", &arena), "7"));
    assert_true(view_is_text(posted_find(&posted, 0, "type", &arena), ""));
    posted = (struct posted){.mode = POSTED_BATCH, .body = VIEW("[{},{\"id\":\"m-2\"}]")};
    assert_true(view_is_text(posted_find(&posted, 1, "id", &arena), "m-2"));
    assert_true(view_is_text(posted_find(&posted, 9, "id", &arena), ""));
    posted.body = VIEW("[{},");
    assert_true(view_is_text(posted_find(&posted, 1, "id", &arena), ""));
    struct cloudevent_attribute attribute = {VIEW("id"), VIEW("m-3")};
    posted = (struct posted){.mode = POSTED_BINARY, .attributes = &attribute, .attribute_count = 1};
    assert_true(view_is_text(posted_find(&posted, 0, "id", &arena), "m-3"));
    struct buffer long_id = {0};
    buffer_add_text(&long_id, "{\"id\":\"");
    for (int i = 0; i < 1000; i++)
        buffer_add_text(&long_id, "x");
    buffer_add_text(&long_id, "\"}");
    posted = (struct posted){.mode = POSTED_STRUCTURED, .body = buffer_view(&long_id)};
    assert_true(view_is_text(posted_find(&posted, 0, "id", &arena), ""));
    buffer_destroy(&long_id);
    arena_destroy(&arena);
}

struct sample {
    struct organisation organisation;
    struct cloudevent event;
    struct local_id local;
    struct problems problems;
    struct arena arena;
};

static void sample_start(struct sample *sample, struct view nhs_number, struct view untrusted, struct view assigner)
{
    *sample = (struct sample){.organisation.id = VIEW("R0A"),
                              .event = {.id = VIEW("m-1"), .source = VIEW("urn:x"), .time_ms = 7, .content = VIEW("c")},
                              .local = {assigner, VIEW("654321")}};
    sample->event.event.body.patient = (struct patient){
        .nhs_number = nhs_number, .untrusted_nhs_number = untrusted, .local_ids = &sample->local, .local_id_count = 1};
}

static void a_local_number_without_assigner_is_the_publishers(void **state)
{
    (void)state;
    struct sample sample;
    sample_start(&sample, VIEW_NONE, VIEW_NONE, VIEW_NONE);
    assert_true(publication_check(&sample.organisation, &sample.event, "", &sample.problems));
    assert_true(view_is_text(sample.local.assigner, "R0A"));
    struct publication publication = publication_of(&sample.organisation, &sample.event, 3, &sample.arena);
    assert_true(view_is_text(publication.publisher, "R0A"));
    assert_true(view_is_text(publication.content, "c"));
    assert_int_equal(publication.event_count, 1);
    assert_int_equal(publication.token, 3);
    assert_int_equal(publication.item_count, 1);
    assert_true(view_is_text(publication.items[0].kind, "missing-nhs-number"));
    assert_true(view_is_text(publication.items[0].message_id, "m-1"));
    arena_destroy(&sample.arena);
}

static void a_foreign_number_alone_says_nobody(void **state)
{
    (void)state;
    struct sample sample;
    sample_start(&sample, VIEW_NONE, VIEW_NONE, VIEW("RX1"));
    assert_false(publication_check(&sample.organisation, &sample.event, "3/", &sample.problems));
    assert_string_equal(sample.problems.list[0].at, "3/data/patient");
    assert_true(view_is_text(sample.local.assigner, "RX1"));
    sample_start(&sample, VIEW("9990000018"), VIEW_NONE, VIEW("RX1"));
    assert_true(publication_check(&sample.organisation, &sample.event, "3/", &sample.problems));
    assert_int_equal(publication_of(&sample.organisation, &sample.event, 0, &sample.arena).item_count, 0);
}

static void an_untrusted_number_is_listed_or_rejected_as_the_organisation_wants(void **state)
{
    (void)state;
    struct sample sample;
    sample_start(&sample, VIEW_NONE, VIEW("9990000019"), VIEW("R0A"));
    assert_true(publication_check(&sample.organisation, &sample.event, "", &sample.problems));
    struct publication publication = publication_of(&sample.organisation, &sample.event, 0, &sample.arena);
    assert_int_equal(publication.item_count, 1);
    assert_true(view_is_text(publication.items[0].kind, "untrusted-nhs-number"));
    sample.organisation.reject_untrusted = true;
    assert_false(publication_check(&sample.organisation, &sample.event, "", &sample.problems));
    assert_string_equal(sample.problems.list[0].at, "data/patient/nhsNumber");
    arena_destroy(&sample.arena);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_media_type_says_the_mode),
        cmocka_unit_test(a_header_is_decoded_once),
        cmocka_unit_test(what_was_refused_is_still_named_where_it_can_be_read),
        cmocka_unit_test(a_local_number_without_assigner_is_the_publishers),
        cmocka_unit_test(a_foreign_number_alone_says_nobody),
        cmocka_unit_test(an_untrusted_number_is_listed_or_rejected_as_the_organisation_wants),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
