/* HL7 messages in files, and what acknowledgements say. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/main/hl7_file.h"

static void next_is(struct view text, size_t *at, const char *expected)
{
    struct buffer message = {0};
    assert_true(hl7_file_next(text, at, &message));
    assert_int_equal(message.size, strlen(expected));
    assert_memory_equal(message.data, expected, message.size);
    buffer_destroy(&message);
}

static void no_more(struct view text, size_t *at)
{
    struct buffer message = {0};
    assert_false(hl7_file_next(text, at, &message));
    buffer_destroy(&message);
}

static void messages_begin_with_msh_on_a_line_of_their_own(void **state)
{
    (void)state;
    struct view text = VIEW("MSH|^~\\&|A\nPID|1\n\nMSH|^~\\&|B\r\nPID|2|MSH|\r\nMSH|^~\\&|C\rPID|3\r");
    size_t at = 0;
    next_is(text, &at, "MSH|^~\\&|A\rPID|1\r");
    next_is(text, &at, "MSH|^~\\&|B\rPID|2|MSH|\r");
    next_is(text, &at, "MSH|^~\\&|C\rPID|3\r");
    no_more(text, &at);
}

static void frames_batch_segments_and_byte_order_marks_are_left_out(void **state)
{
    (void)state;
    struct view text = VIEW("\xEF\xBB\xBF"
                            "FHS|^~\\&\rBHS|^~\\&\r\x0BMSH|^~\\&|A\rPID|1\r\x1C\r\x0BMSH|^~\\&|B\r\x1C\rBTS|2\rFTS|1");
    size_t at = 0;
    assert_true(hl7_file_is(text));
    next_is(text, &at, "MSH|^~\\&|A\rPID|1\r");
    next_is(text, &at, "MSH|^~\\&|B\r");
    no_more(text, &at);
}

static void what_is_no_hl7_is_not_taken_for_it(void **state)
{
    (void)state;
    size_t at = 0;
    assert_false(hl7_file_is(VIEW("PID|1")));
    assert_false(hl7_file_is(VIEW("")));
    no_more(VIEW("PID|1\rPV1|1\r"), &at);
}

static void fields_of_msh_are_counted_from_its_separator(void **state)
{
    (void)state;
    struct view message = VIEW("MSH|^~\\&|APP|FAC|||2026||ADT^A01|ID7|P|2.5|||AL|NE\rPID|1||99^^^X\r");
    assert_true(view_is_text(hl7_field(message, "MSH", 3), "APP"));
    assert_true(view_is_text(hl7_field(message, "MSH", 10), "ID7"));
    assert_true(view_is_text(hl7_field(message, "MSH", 15), "AL"));
    assert_int_equal(hl7_field(message, "MSH", 17).size, 0);
    assert_true(view_is_text(hl7_component(message, hl7_field(message, "PID", 3), 4), "X"));
    struct view odd = VIEW("MSH#!~\\&#APP#FAC######ID8\rPID#1##99!!!Y\r");
    assert_true(view_is_text(hl7_field(odd, "MSH", 10), "ID8"));
    assert_true(view_is_text(hl7_component(odd, hl7_field(odd, "PID", 3), 4), "Y"));
}

static int wanted(const char *accept, const char *application, enum hl7_verdict verdict)
{
    struct buffer message = {0};
    buffer_add_format(&message, "MSH|^~\\&|A|B|||2026||ADT^A01|1|P|2.5|||%s|%s\r", accept, application);
    int count = hl7_answers_wanted(buffer_view(&message), verdict);
    buffer_destroy(&message);
    return count;
}

static void a_sender_knows_how_many_answers_it_asked_for(void **state)
{
    (void)state;
    assert_int_equal(wanted("", "", HL7_ACCEPTED), 1); /* original mode */
    assert_int_equal(wanted("AL", "NE", HL7_ACCEPTED), 1);
    assert_int_equal(wanted("AL", "AL", HL7_ACCEPTED), 2);
    assert_int_equal(wanted("NE", "NE", HL7_ACCEPTED), 0);
    assert_int_equal(wanted("ER", "", HL7_ACCEPTED), 0);
    assert_int_equal(wanted("ER", "", HL7_NEVER), 1);
    assert_int_equal(wanted("SU", "ER", HL7_LATER), 1);
}

static void a_refusal_is_told_with_its_code_its_place_and_its_words(void **state)
{
    (void)state;
    struct view answer = VIEW("MSH|^~\\&|T|T|A|B|2026||ACK^A01^ACK|9|P|2.5\rMSA|AR|ID7\r"
                              "ERR||MSH^1^12|203^Unsupported version id^HL70357|E||||version 3 is not HL7 v2\r");
    struct buffer reason = {0};
    enum hl7_verdict verdict;
    assert_true(hl7_verdict_of(answer, &verdict));
    assert_int_equal(verdict, HL7_NEVER);
    hl7_reason_add(answer, &reason);
    assert_true(view_is_text(buffer_view(&reason), "AR 203 Unsupported version id at MSH-12: version 3 is not HL7 v2"));
    buffer_destroy(&reason);
    assert_false(hl7_verdict_of(VIEW("MSH|^~\\&|\r"), &verdict));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_begin_with_msh_on_a_line_of_their_own),
        cmocka_unit_test(frames_batch_segments_and_byte_order_marks_are_left_out),
        cmocka_unit_test(what_is_no_hl7_is_not_taken_for_it),
        cmocka_unit_test(fields_of_msh_are_counted_from_its_separator),
        cmocka_unit_test(a_sender_knows_how_many_answers_it_asked_for),
        cmocka_unit_test(a_refusal_is_told_with_its_code_its_place_and_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
