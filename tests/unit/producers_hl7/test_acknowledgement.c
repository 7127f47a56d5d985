/* Answers, byte by byte. */
#include "message_help.h"

#include "producers/hl7/acknowledgement.h"

static const struct refusal refused = {"MSH-11", "202", "not this | one & not that", false};

/* What is answered, with \r as a line end, 0B as "[" and 1C 0D as "]". */
static const char *answer(const char *msh, enum verdict verdict, const struct refusal *refusal)
{
    static char text[8192];
    struct arena arena = {0};
    struct message message;
    struct refusal ignored;
    struct buffer to = {0};
    struct control_ids ids = {.started_ms = 0x12345, .count = 7};
    (void)!message_parse(view_of_text(msh), &arena, &message, &ignored);
    acknowledgement_write(&to, &message, verdict, refusal, &ids, 1795428000000);
    size_t size = 0;
    for (size_t i = 0; i < to.size && size < sizeof text - 1; i++) {
        char c = (char)to.data[i];
        if (c == 0x1C) {
            i++;
            c = ']';
        }
        text[size++] = c == 0x0B ? '[' : c == '\r' ? '\n' : c;
    }
    text[size] = '\0';
    buffer_destroy(&to);
    arena_destroy(&arena);
    return text;
}

static void original_mode_has_one_answer(void **state)
{
    (void)state;
    assert_string_equal(
        answer("MSH|^~\\&|PAS|R0A|TIDINGS|REGION|20261123||ADT^A01|M1|P|2.3||||||8859/1", VERDICT_ACCEPT, NULL),
        "[MSH|^~\\&|TIDINGS|REGION|PAS|R0A|20261123100000+0000||ACK^A01|00000012345000000007|P|2.3||||||8859/1\n"
        "MSA|AA|M1\n]");
    assert_string_equal(
        answer("MSH|^~\\&|PAS|R0A|||20261123||ADT^A01^ADT_A01|M1|P|2.5.1", VERDICT_REJECT, &refused),
        "[MSH|^~\\&|||PAS|R0A|20261123100000+0000||ACK^A01^ACK|00000012345000000007|P|2.5.1\n"
        "MSA|AR|M1\n"
        "ERR||MSH^1^11|202^Unsupported processing id^HL70357|E||||not this \\F\\ one \\T\\ not that\n]");
}

static void an_error_without_a_place_has_no_location(void **state)
{
    (void)state;
    const struct refusal later = {"", "207", "send it again", true};
    assert_string_equal(answer("MSH|^~\\&|||||||ORU|M1|P", VERDICT_ERROR, &later),
                        "[MSH|^~\\&|||||20261123100000+0000||ACK|00000012345000000007|P|2.5\n"
                        "MSA|AE|M1\n"
                        "ERR|||207^Application internal error^HL70357|E||||send it again\n]");
    const struct refusal segment = {"PID", "100", "missing", false};
    assert_non_null(strstr(answer("MSH|^~\\&|||||||ORU|M1|P", VERDICT_REJECT, &segment), "ERR||PID^1|100^"));
}

/* The codes of the answers, in order. */
static void assert_codes(const char *modes, enum verdict verdict, const char *codes)
{
    char msh[256], found[64] = "";
    (void)snprintf(msh, sizeof msh, "MSH|^~\\&|PAS|R0A|||20261123||ADT^A01|M1|P|2.4|||%s", modes);
    const char *text = answer(msh, verdict, verdict == VERDICT_ACCEPT ? NULL : &refused);
    for (const char *at = strstr(text, "MSA|"); at != NULL; at = strstr(at + 4, "MSA|"))
        (void)snprintf(found + strlen(found), sizeof found - strlen(found), "%.2s ", at + 4);
    assert_string_equal(found, codes);
}

static void enhanced_mode_answers_as_asked(void **state)
{
    (void)state;
    assert_codes("", VERDICT_ACCEPT, "AA ");
    assert_codes("|", VERDICT_ERROR, "AE ");
    assert_codes("\"\"|\"\"", VERDICT_REJECT, "AR ");
    assert_codes("AL", VERDICT_ACCEPT, "CA ");
    assert_codes("AL|NE", VERDICT_ERROR, "CE ");
    assert_codes("AL|NE", VERDICT_REJECT, "CR ");
    assert_codes("AL|AL", VERDICT_ACCEPT, "CA AA ");
    assert_codes("AL|AL", VERDICT_REJECT, "CR AR ");
    assert_codes("NE|NE", VERDICT_REJECT, "");
    assert_codes("NE", VERDICT_ACCEPT, "");
    assert_codes("|AL", VERDICT_ACCEPT, "AA ");
    assert_codes("ER|NE", VERDICT_ACCEPT, "");
    assert_codes("ER|NE", VERDICT_ERROR, "CE ");
    assert_codes("SU|NE", VERDICT_ACCEPT, "CA ");
    assert_codes("SU|NE", VERDICT_REJECT, "");
    assert_codes("NE|ER", VERDICT_ACCEPT, "");
    assert_codes("NE|ER", VERDICT_ERROR, "AE ");
    assert_codes("ER|SU", VERDICT_ACCEPT, "AA ");
    assert_codes("ER|SU", VERDICT_ERROR, "CE ");
    assert_codes("XX|NE", VERDICT_ACCEPT, "CA ");
}

static void each_answer_has_a_control_id_of_its_own(void **state)
{
    (void)state;
    const char *text = answer("MSH|^~\\&|PAS|R0A|||20261123||ADT^A01|M1|P|2.4|||AL|AL", VERDICT_ACCEPT, NULL);
    assert_non_null(strstr(text, "|00000012345000000007|"));
    assert_non_null(strstr(text, "|00000012345000000008|"));
}

static void the_senders_delimiters_are_used(void **state)
{
    (void)state;
    assert_string_equal(answer("MSH$*!?@$PAS$R0A$$$20261123$$ADT*A01$M?F?1$P$2.4", VERDICT_REJECT, &refused),
                        "[MSH$*!?@$$$PAS$R0A$20261123100000+0000$$ACK*A01*ACK$00000012345000000007$P$2.4\n"
                        "MSA$AR$M?F?1\n"
                        "ERR$$MSH*1*11$202*Unsupported processing id*HL70357$E$$$$not this | one & not that\n]");
}

static void a_message_with_bad_delimiters_is_still_named(void **state)
{
    (void)state;
    const struct refusal bad = {"MSH-2", "102", "bad", false};
    const char *text = answer("MSH|^^\\&|PAS|R0A|||20261123||ADT^A01|M1|P|2.4", VERDICT_REJECT, &bad);
    assert_non_null(strstr(text, "MSA|AR|M1\n"));
    text = answer("MSH~^^\\&~PA|S~R0A~~~20261123~~ADT^A01~M|1~P~2.4", VERDICT_REJECT, &bad);
    assert_non_null(strstr(text, "MSA|AR|M?1\n"));
}

static void what_is_no_message_is_answered_too(void **state)
{
    (void)state;
    const struct refusal none = {"MSH", "100", "no MSH", false};
    assert_string_equal(answer("hello", VERDICT_REJECT, &none),
                        "[MSH|^~\\&|||||20261123100000+0000||ACK|00000012345000000007||2.5\n"
                        "MSA|AR|\n"
                        "ERR||MSH^1|100^Segment sequence error^HL70357|E||||no MSH\n]");
}

static void an_answer_never_ends_its_frame_early(void **state)
{
    (void)state;
    assert_non_null(
        strstr(answer("MSH|^~\\&|A\x0B|R0A|||20261123||ADT^A01|M1\x1C\rPID|9990000018", VERDICT_ACCEPT, NULL),
               "MSA|AA|M1?\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(original_mode_has_one_answer),
        cmocka_unit_test(an_error_without_a_place_has_no_location),
        cmocka_unit_test(enhanced_mode_answers_as_asked),
        cmocka_unit_test(each_answer_has_a_control_id_of_its_own),
        cmocka_unit_test(the_senders_delimiters_are_used),
        cmocka_unit_test(a_message_with_bad_delimiters_is_still_named),
        cmocka_unit_test(what_is_no_message_is_answered_too),
        cmocka_unit_test(an_answer_never_ends_its_frame_early),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
