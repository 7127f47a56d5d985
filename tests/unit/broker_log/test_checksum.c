/* CRC-32C: the processor's and our own are the same, and are the published one. */
#include "broker/base/bytes.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

static void it_gives_the_published_values(void **state)
{
    (void)state;
    static const uint8_t zeros[32], text[] = "123456789";
    uint8_t counting[32];
    for (size_t i = 0; i < sizeof counting; i++)
        counting[i] = (uint8_t)i;
    /* RFC 3720, appendix B.4; the last is the catalogue's check value. */
    assert_int_equal(bytes_crc32c(0, zeros, sizeof zeros), 0x8A9136AAU);
    assert_int_equal(bytes_crc32c(0, counting, sizeof counting), 0x46DD794EU);
    assert_int_equal(bytes_crc32c(0, text, 9), 0xE3069283U);
    assert_int_equal(bytes_crc32c_portable(0, zeros, sizeof zeros), 0x8A9136AAU);
    assert_int_equal(bytes_crc32c_portable(0, counting, sizeof counting), 0x46DD794EU);
    assert_int_equal(bytes_crc32c_portable(0, text, 9), 0xE3069283U);
}

static void both_ways_agree_on_every_size_and_alignment(void **state)
{
    (void)state;
    uint8_t bytes[600];
    uint32_t seed = 7;
    for (size_t i = 0; i < sizeof bytes; i++) {
        seed = seed * 1664525 + 1013904223;
        bytes[i] = (uint8_t)(seed >> 24);
    }
    for (size_t from = 0; from < 9; from++)
        for (size_t size = 0; size <= 520; size++)
            assert_int_equal(bytes_crc32c(seed, bytes + from, size), bytes_crc32c_portable(seed, bytes + from, size));
}

static void it_goes_on_from_where_it_was(void **state)
{
    (void)state;
    static const char text[] = "the sequence of records that is the truth";
    uint32_t whole = bytes_crc32c(0, text, sizeof text);
    for (size_t cut = 0; cut <= sizeof text; cut++)
        assert_int_equal(bytes_crc32c(bytes_crc32c(0, text, cut), text + cut, sizeof text - cut), whole);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_gives_the_published_values),
        cmocka_unit_test(both_ways_agree_on_every_size_and_alignment),
        cmocka_unit_test(it_goes_on_from_where_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
