/* Segments, delimiters, escapes and character sets. */
#include "message_help.h"

#include "producers/hl7/escape.h"

struct parsed {
    struct arena arena;
    struct message message;
    struct refusal refusal;
};

static enum result parse(struct parsed *parsed, struct view bytes)
{
    arena_reset(&parsed->arena);
    return message_parse(bytes, &parsed->arena, &parsed->message, &parsed->refusal);
}

static void segments_end_with_cr_or_lf_or_both(void **state)
{
    (void)state;
    static const char *const ends[] = {"\r", "\n", "\r\n", "\r\r\n", "\n\n"};
    for (size_t i = 0; i < sizeof ends / sizeof ends[0]; i++) {
        struct parsed parsed = {0};
        char text[256];
        (void)snprintf(text, sizeof text, "MSH|^~\\&|APP|R0A%sZZZ|1%sPID|1||two^x~three%sPV1|1|I", ends[i], ends[i],
                       ends[i]);
        assert_int_equal(parse(&parsed, view_of_text(text)), OK);
        assert_view(message_field(&parsed.message, SEGMENT_PID, 3), "two^x~three");
        assert_view(message_field(&parsed.message, SEGMENT_PV1, 2), "I");
        assert_view(message_field(&parsed.message, SEGMENT_MSH, 4), "R0A");
        assert_null(message_field(&parsed.message, SEGMENT_MSH, 5).data);
        assert_null(message_field(&parsed.message, SEGMENT_EVN, 1).data);
        arena_destroy(&parsed.arena);
    }
}

static void msh_counts_its_fields_as_the_standard_does(void **state)
{
    (void)state;
    struct parsed parsed = {0};
    assert_int_equal(parse(&parsed, VIEW("MSH|^~\\&|three|four\r")), OK);
    assert_view(message_field(&parsed.message, SEGMENT_MSH, 1), "|");
    assert_view(message_field(&parsed.message, SEGMENT_MSH, 2), "^~\\&");
    assert_view(message_field(&parsed.message, SEGMENT_MSH, 3), "three");
    assert_view(message_field(&parsed.message, SEGMENT_MSH, 4), "four");
    arena_destroy(&parsed.arena);
}

static void other_delimiters_are_used_when_the_sender_names_them(void **state)
{
    (void)state;
    struct parsed parsed = {0};
    assert_int_equal(parse(&parsed, VIEW("MSH$*!?@$APP\rPID$1$$a*b@c!d?S?e\r")), OK);
    struct view field = message_field(&parsed.message, SEGMENT_PID, 3);
    struct view second = field_repetition(&parsed.message, field, 2);
    assert_view(message_text(&parsed.message, second), "d*e");
    struct view component = repetition_component(&parsed.message, field_repetition(&parsed.message, field, 1), 2);
    assert_view(component_subcomponent(&parsed.message, component, 2), "c");
    assert_null(component_subcomponent(&parsed.message, component, 3).data);
    arena_destroy(&parsed.arena);
}

static void wrong_or_repeated_delimiters_are_refused_with_a_reason(void **state)
{
    (void)state;
    static const struct {
        const char *text, *at, *code;
    } bad[] = {
        {"", "MSH", "100"},
        {"PID|1\r", "MSH", "100"},
        {"MSH", "MSH-1", "102"},
        {"MSH\rPID|1", "MSH-1", "102"},
        {"MSHA^~\\&AAPP", "MSH-1", "102"},
        {"MSH ^~\\& APP", "MSH-1", "102"},
        {"MSH||APP", "MSH-2", "102"},
        {"MSH|^~\\|APP", "MSH-2", "102"},
        {"MSH|^~\\&#%|APP", "MSH-2", "102"},
        {"MSH|^^\\&|APP", "MSH-2", "102"},
        {"MSH|^~\\^|APP", "MSH-2", "102"},
        {"MSH^^~\\&^APP", "MSH-2", "102"},
        {"MSH|^~A&|APP", "MSH-2", "102"},
        {"MSH|^~\\&", NULL, NULL},
        {"MSH|^~\\&#|APP", NULL, NULL}, /* version 2.7 */
        {"\r\nMSH|^~\\&|APP", NULL, NULL},
        {"\xEF\xBB\xBFMSH|^~\\&|APP", NULL, NULL},
        {"MSH|^~\\&|APP\rMSH|^~\\&|APP\r", "MSH", "100"},
        {"MSH|^~\\&|APP\rPV1|1|\x0BMSH|^~\\&|APP\r", "MSH", "100"}, /* an end block was lost */
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct parsed parsed = {0};
        enum result result = parse(&parsed, view_of_text(bad[i].text));
        assert_int_equal(result, bad[i].at == NULL ? OK : REJECTED);
        if (bad[i].at != NULL) {
            assert_string_equal(parsed.refusal.at, bad[i].at);
            assert_string_equal(parsed.refusal.code, bad[i].code);
            assert_false(parsed.refusal.again);
        }
        arena_destroy(&parsed.arena);
    }
}

static void unknown_and_odd_segments_are_normal(void **state)
{
    (void)state;
    struct parsed parsed = {0};
    assert_int_equal(
        parse(&parsed, VIEW("MSH|^~\\&|APP\r\rZ\rPIDX|no\rPID|yes\rZPM|^^^&&&~~\rOBX|1||x\n|broken line\rPV")), OK);
    assert_view(message_field(&parsed.message, SEGMENT_PID, 1), "yes");
    assert_int_equal(parsed.message.counts[SEGMENT_PID], 1);
    arena_destroy(&parsed.arena);
}

static void two_quotes_mean_deleted_and_nothing_means_not_said(void **state)
{
    (void)state;
    struct parsed parsed = {0};
    assert_int_equal(parse(&parsed, VIEW("MSH|^~\\&|APP\rPV1|\"\"||  |x\r")), OK);
    struct view deleted = message_value(&parsed.message, SEGMENT_PV1, 1, 1);
    assert_non_null(deleted.data);
    assert_int_equal(deleted.size, 0);
    assert_null(message_value(&parsed.message, SEGMENT_PV1, 2, 1).data);
    assert_null(message_value(&parsed.message, SEGMENT_PV1, 3, 1).data);
    assert_null(message_value(&parsed.message, SEGMENT_PV1, 4, 2).data);
    assert_null(message_value(&parsed.message, SEGMENT_PV1, 9, 1).data);
    arena_destroy(&parsed.arena);
}

/* The text of PID-5 in a message with this MSH-18. */
static void assert_decoded(const char *character_set, const char *raw, const char *text, size_t undecodable)
{
    struct parsed parsed = {0};
    char bytes[512];
    (void)snprintf(bytes, sizeof bytes, "MSH|^~\\&||||||||||||||||%s~X\rPID|||||%s\r", character_set, raw);
    assert_int_equal(parse(&parsed, view_of_text(bytes)), OK);
    assert_view(message_value(&parsed.message, SEGMENT_PID, 5, 1), text);
    assert_int_equal(parsed.message.undecodable, undecodable);
    arena_destroy(&parsed.arena);
}

static void escapes_are_decoded(void **state)
{
    (void)state;
    assert_decoded("", "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f", "a|b^c&d~e\\f", 0);
    assert_decoded("", "\\X41\\\\X4243\\D", "ABCD", 0);
    assert_decoded("", "one\\.br\\two\\.sp\\three", "one\ntwo\nthree", 0);
    assert_decoded("", "one\\X0D0A\\two\\X0D\\three", "one\ntwo\nthree", 0);
    assert_decoded("", "\\H\\loud\\N\\ quiet", "loud quiet", 0);
    assert_decoded("8859/1", "Zo\\XEB\\", "Zo\xC3\xAB", 0);
}

static void escapes_that_are_not_known_stay_as_they_are(void **state)
{
    (void)state;
    assert_decoded("", "C:\\temp\\new", "C:\\temp\\new", 0);
    assert_decoded("", "end\\", "end\\", 0);
    assert_decoded("", "\\X4\\ \\XZZ\\ \\X\\", "\\X4\\ \\XZZ\\ \\X\\", 0);
    assert_decoded("", "\\\\F\\", "\\|", 0);
}

static void a_control_character_becomes_visible(void **state)
{
    (void)state;
    assert_decoded("", "V1\\X00\\23",
                   "V1\xEF\xBF\xBD"
                   "23",
                   1);
    assert_decoded("",
                   "V1\x1C"
                   "23\x7F",
                   "V1\xEF\xBF\xBD"
                   "23\xEF\xBF\xBD",
                   2);
}

static void character_sets_become_utf_8(void **state)
{
    (void)state;
    assert_decoded("8859/1", "Zo\xEB", "Zo\xC3\xAB", 0);
    assert_decoded("ISO-8859-1",
                   "O\x92"
                   "Brien",
                   "O\xE2\x80\x99"
                   "Brien",
                   0);                                           /* what Windows sends under that name */
    assert_decoded("8859/1", "\xC3\xAB", "\xC3\x83\xC2\xAB", 0); /* it is what it says it is */
    assert_decoded("8859/1", "a\x81", "a\xEF\xBF\xBD", 1);
    assert_decoded("UNICODE UTF-8", "Zo\xC3\xAB", "Zo\xC3\xAB", 0);
    assert_decoded("UTF-8", "Zo\xEB\x80!", "Zo\xEF\xBF\xBD\xEF\xBF\xBD!", 2);
    assert_decoded("8859/2",
                   "\xA3"
                   "aba",
                   "\xC5\x81"
                   "aba",
                   0);
    assert_decoded("8859/15", "\xA4", "\xE2\x82\xAC", 0);
}

static void without_a_name_utf_8_is_taken_where_the_bytes_are_that(void **state)
{
    (void)state;
    assert_decoded("", "Zo\xC3\xAB", "Zo\xC3\xAB", 0);
    assert_decoded("ASCII", "Zo\xEB", "Zo\xC3\xAB", 0);
    assert_decoded("EBCDIC", "Zoe", "Zoe", 0);
    assert_decoded("EBCDIC", "Zo\xEB", "Zo\xC3\xAB", 1); /* a guess: told */
}

static void our_own_text_is_escaped(void **state)
{
    (void)state;
    struct buffer to = {0};
    escape_encode(&usual_delimiters, VIEW("a|b^c&d~e\\f\n\xC3"), &to);
    assert_view(buffer_view(&to), "a\\F\\b\\S\\c\\T\\d\\R\\e\\E\\f??");
    buffer_destroy(&to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(segments_end_with_cr_or_lf_or_both),
        cmocka_unit_test(msh_counts_its_fields_as_the_standard_does),
        cmocka_unit_test(other_delimiters_are_used_when_the_sender_names_them),
        cmocka_unit_test(wrong_or_repeated_delimiters_are_refused_with_a_reason),
        cmocka_unit_test(unknown_and_odd_segments_are_normal),
        cmocka_unit_test(two_quotes_mean_deleted_and_nothing_means_not_said),
        cmocka_unit_test(escapes_are_decoded),
        cmocka_unit_test(escapes_that_are_not_known_stay_as_they_are),
        cmocka_unit_test(a_control_character_becomes_visible),
        cmocka_unit_test(character_sets_become_utf_8),
        cmocka_unit_test(without_a_name_utf_8_is_taken_where_the_bytes_are_that),
        cmocka_unit_test(our_own_text_is_escaped),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
