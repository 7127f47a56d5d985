/* Hex, base64url, CRC-32C, UTF-8, numbers as bytes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/bytes.h"

static void crc32c_gives_the_known_answers(void **state)
{
    (void)state;
    unsigned char bytes[48];
    assert_int_equal(bytes_crc32c(0, "", 0), 0);
    assert_int_equal(bytes_crc32c(0, "123456789", 9), 0xE3069283);
    /* RFC 3720, appendix B.4 */
    memset(bytes, 0, 32);
    assert_int_equal(bytes_crc32c(0, bytes, 32), 0x8A9136AA);
    memset(bytes, 0xFF, 32);
    assert_int_equal(bytes_crc32c(0, bytes, 32), 0x62A8AB43);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = i;
    assert_int_equal(bytes_crc32c(0, bytes, 32), 0x46DD794E);
    for (unsigned char i = 0; i < 32; i++)
        bytes[i] = (unsigned char)(31 - i);
    assert_int_equal(bytes_crc32c(0, bytes, 32), 0x113FDB5C);
}

static void crc32c_goes_on_where_it_was(void **state)
{
    (void)state;
    unsigned char bytes[64];
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (unsigned char)(i * 37 + 11);
    uint32_t whole = bytes_crc32c(0, bytes, sizeof bytes);
    for (size_t cut = 0; cut <= sizeof bytes; cut++)
        assert_int_equal(bytes_crc32c(bytes_crc32c(0, bytes, cut), bytes + cut, sizeof bytes - cut), whole);
}

static void base64url_goes_there_and_back(void **state)
{
    (void)state;
    /* RFC 4648, section 10, without padding; and the two characters that differ. */
    static const char *const rows[][2] = {
        {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
        {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF", "-_8"}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[16], back[8];
        size_t size = strlen(rows[i][0]);
        bytes_to_base64url(view_of_text(rows[i][0]), text);
        assert_string_equal(text, rows[i][1]);
        assert_true(bytes_from_base64url(view_of_text(text), back, size));
        assert_memory_equal(back, rows[i][0], size);
    }
}

static void what_is_no_base64url_of_that_size_is_refused(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {{"Zg==", 1}, {"Zg", 2},  {"Zm9", 1}, {"Zh", 1},  {"Zm9", 2},
                {"Z+8", 2},  {"Z/8", 2}, {"Z 8", 2}, {"Z\n8", 2}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char back[8];
        if (bytes_from_base64url(view_of_text(rows[i].text), back, rows[i].size))
            fail_msg("%s", rows[i].text);
    }
    char back[8];
    assert_false(bytes_from_base64url(VIEW("Z\0"), back, 1));
}

static void utf8_is_what_rfc_3629_says(void **state)
{
    (void)state;
    const struct view right[] = {
        VIEW(""),
        VIEW_NONE,
        VIEW("plain\0\x7F"),
        VIEW("\xC2\x80"),
        VIEW("\xDF\xBF"),
        VIEW("\xE0\xA0\x80"),
        VIEW("\xED\x9F\xBF"),
        VIEW("\xEE\x80\x80"),
        VIEW("\xEF\xBF\xBF"),
        VIEW("\xF0\x90\x80\x80"),
        VIEW("\xF4\x8F\xBF\xBF"),
    };
    const struct view wrong[] = {
        VIEW("\x80"),
        VIEW("\xBF"),
        VIEW("\xC0\x80"),
        VIEW("\xC1\xBF"),
        VIEW("\xC2"),
        VIEW("\xC2\x7F"),
        VIEW("\xC2\xC0"),
        VIEW("\xE0\x80\x80"),
        VIEW("\xE0\x9F\xBF"),
        VIEW("\xE0\xA0"),
        VIEW("\xED\xA0\x80"),
        VIEW("\xED\xBF\xBF"),
        VIEW("\xEF\xBF\xC0"),
        VIEW("\xF0\x80\x80\x80"),
        VIEW("\xF0\x8F\xBF\xBF"),
        VIEW("\xF0\x90\x80"),
        VIEW("\xF4\x90\x80\x80"),
        VIEW("\xF5\x80\x80\x80"),
        VIEW("\xFE"),
        VIEW("\xFF"),
        VIEW("a\xC3\xA9\x80"),
    };
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++)
        assert_true(bytes_are_utf8(right[i]));
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(bytes_are_utf8(wrong[i]));
    assert_int_equal(bytes_utf8_sequence(VIEW("\xF0\x90\x80\x80x")), 4);
    assert_int_equal(bytes_utf8_sequence(VIEW("x\xFF")), 1);
    assert_int_equal(bytes_utf8_sequence(VIEW("\xFFx")), 0);
    assert_int_equal(bytes_utf8_sequence(VIEW("")), 0);
}

static void numbers_are_big_endian(void **state)
{
    (void)state;
    unsigned char bytes[8];
    struct buffer hex = {0};
    bytes_put_u64(bytes, 0x0123456789ABCDEF);
    bytes_add_hex(&hex, VIEW_OF(bytes));
    assert_true(view_is_text(buffer_view(&hex), "0123456789abcdef"));
    assert_true(bytes_get_u64(bytes) == 0x0123456789ABCDEF);
    bytes_put_u32(bytes, 0xFFFFFFFE);
    assert_int_equal(bytes_get_u32(bytes), 0xFFFFFFFE);
    buffer_destroy(&hex);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(crc32c_gives_the_known_answers),
        cmocka_unit_test(crc32c_goes_on_where_it_was),
        cmocka_unit_test(base64url_goes_there_and_back),
        cmocka_unit_test(what_is_no_base64url_of_that_size_is_refused),
        cmocka_unit_test(utf8_is_what_rfc_3629_says),
        cmocka_unit_test(numbers_are_big_endian),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
