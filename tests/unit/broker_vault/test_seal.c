/* Seals, and the wrapping of the keys that make them. */
#include "region.h"

#include "broker/base/memory.h"

static const uint8_t known_key[DATA_KEY_SIZE] = {0x80, 0x81, 0x82, 0x83, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x8a,
                                                 0x8b, 0x8c, 0x8d, 0x8e, 0x8f, 0x90, 0x91, 0x92, 0x93, 0x94, 0x95,
                                                 0x96, 0x97, 0x98, 0x99, 0x9a, 0x9b, 0x9c, 0x9d, 0x9e, 0x9f};

static uint8_t digit(char character)
{
    return (uint8_t)(character <= '9' ? character - '0' : character - 'a' + 10);
}

static void add_hex(struct buffer *to, const char *hex)
{
    for (; *hex != '\0'; hex += 2)
        buffer_add_byte(to, (uint8_t)(digit(hex[0]) << 4 | digit(hex[1])));
}

/* draft-irtf-cfrg-xchacha-03, A.3.1. */
static void the_standards_example_unseals(void **state)
{
    (void)state;
    struct buffer header = {0}, sealed = {0}, plain = {0};
    struct error err;
    add_hex(&header, "50515253c0c1c2c3c4c5c6c7");
    add_hex(&sealed, "404142434445464748494a4b4c4d4e4f5051525354555657");
    add_hex(&sealed, "bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39"
                     "ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff9"
                     "21f9664c97637da9768812f615c68b13b52e");
    add_hex(&sealed, "c0875924c1c7987947deafd8780acf49");
    assert_int_equal(vault_unseal(known_key, buffer_view(&header), buffer_view(&sealed), &plain, &err), OK);
    assert_true(view_is_text(buffer_view(&plain), "Ladies and Gentlemen of the class of '99: If I could offer you only "
                                                  "one tip for the future, sunscreen would be it."));
    buffer_destroy(&header);
    buffer_destroy(&sealed);
    buffer_destroy(&plain);
}

static void the_nonce_is_what_another_implementation_says(void **state)
{
    (void)state;
    struct buffer sealed = {0};
    vault_seal(known_key, VIEW("header"), VIEW("plain"), &sealed);
    assert_int_equal(sealed.size, 5 + SEAL_OVERHEAD);
    assert_hex(view_make(sealed.data, 24), "a209c3effabf0c8101757ebc5d5e73b3e7c7a188d447e64b");
    buffer_destroy(&sealed);
}

static void the_same_event_sealed_twice_is_the_same_bytes(void **state)
{
    (void)state;
    struct buffer first = {0}, second = {0};
    vault_seal(known_key, VIEW("header"), VIEW("plain"), &first);
    buffer_add_text(&second, "before");
    vault_seal(known_key, VIEW("header"), VIEW("plain"), &second);
    assert_true(view_is(view_after(buffer_view(&second), 6), buffer_view(&first))); /* appended, and alike */
    buffer_destroy(&first);
    buffer_destroy(&second);
}

static void different_events_never_share_a_nonce(void **state)
{
    (void)state;
    uint8_t other_key[DATA_KEY_SIZE];
    memcpy(other_key, known_key, sizeof other_key);
    other_key[31] ^= 1;
    const struct {
        bool other_key;
        struct view header, plain;
    } cases[] = {
        {false, VIEW("header"), VIEW("plain")}, {false, VIEW("headerp"), VIEW("lain")},
        {false, VIEW("heade"), VIEW("rplain")}, {false, VIEW("header"), VIEW("plaiN")},
        {false, VIEW("Header"), VIEW("plain")}, {true, VIEW("header"), VIEW("plain")},
        {false, VIEW(""), VIEW("headerplain")}, {false, VIEW("headerplain"), VIEW("")},
    };
    enum { COUNT = sizeof cases / sizeof *cases };
    struct buffer sealed[COUNT] = {0};
    for (size_t i = 0; i < COUNT; i++) {
        vault_seal(cases[i].other_key ? other_key : known_key, cases[i].header, cases[i].plain, &sealed[i]);
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(sealed[i].data, sealed[j].data, 24);
    }
    for (size_t i = 0; i < COUNT; i++)
        buffer_destroy(&sealed[i]);
}

static void swapped_headers_are_refused(void **state)
{
    (void)state;
    struct buffer a = {0}, b = {0}, plain = {0};
    struct error err;
    vault_seal(known_key, VIEW("header a"), VIEW("body a"), &a);
    vault_seal(known_key, VIEW("header b"), VIEW("body b"), &b);
    assert_int_equal(vault_unseal(known_key, VIEW("header a"), buffer_view(&b), &plain, &err), REJECTED);
    assert_int_equal(vault_unseal(known_key, VIEW("header b"), buffer_view(&a), &plain, &err), REJECTED);
    assert_int_equal(plain.size, 0);
    assert_int_equal(vault_unseal(known_key, VIEW("header a"), buffer_view(&a), &plain, &err), OK);
    assert_true(view_is_text(buffer_view(&plain), "body a"));
    buffer_destroy(&a);
    buffer_destroy(&b);
    buffer_destroy(&plain);
}

static void a_changed_or_cut_seal_is_refused_and_nothing_comes_out(void **state)
{
    (void)state;
    struct buffer sealed = {0}, plain = {0};
    struct error err;
    vault_seal(known_key, VIEW("header"), VIEW("Surname, Given"), &sealed);
    buffer_add_text(&plain, "kept");
    for (size_t i = 0; i < sealed.size; i++) {
        sealed.data[i] ^= 1;
        assert_int_equal(vault_unseal(known_key, VIEW("header"), buffer_view(&sealed), &plain, &err), REJECTED);
        sealed.data[i] ^= 1;
        assert_int_equal(vault_unseal(known_key, VIEW("header"), view_make(sealed.data, i), &plain, &err), REJECTED);
        assert_true(view_is_text(buffer_view(&plain), "kept"));
    }
    buffer_destroy(&sealed);
    buffer_destroy(&plain);
}

static void nothing_seals_to_an_overhead_and_back_to_nothing(void **state)
{
    (void)state;
    struct buffer sealed = {0}, plain = {0};
    struct error err;
    vault_seal(known_key, VIEW_NONE, VIEW_NONE, &sealed);
    assert_int_equal(sealed.size, SEAL_OVERHEAD);
    assert_int_equal(vault_unseal(known_key, VIEW(""), buffer_view(&sealed), &plain, &err), OK);
    assert_int_equal(plain.size, 0);
    buffer_destroy(&sealed);
    buffer_destroy(&plain);
}

static bool contains(struct view bytes, struct view part)
{
    return memmem(bytes.data, bytes.size, part.data, part.size) != NULL;
}

static void nothing_of_the_text_shows_through_a_seal(void **state)
{
    (void)state;
    struct buffer sealed = {0};
    static const char text[] = "9990000018 Featherstonehaugh 1950-02-01";
    vault_seal(known_key, VIEW("header"), view_of_text(text), &sealed);
    for (size_t i = 0; i + 4 < sizeof text; i++)
        assert_false(contains(buffer_view(&sealed), view_make(text + i, 4)));
    assert_false(contains(buffer_view(&sealed), view_make(known_key, 4)));
    buffer_destroy(&sealed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_standards_example_unseals),
        cmocka_unit_test(the_nonce_is_what_another_implementation_says),
        cmocka_unit_test(the_same_event_sealed_twice_is_the_same_bytes),
        cmocka_unit_test(different_events_never_share_a_nonce),
        cmocka_unit_test(swapped_headers_are_refused),
        cmocka_unit_test(a_changed_or_cut_seal_is_refused_and_nothing_comes_out),
        cmocka_unit_test(nothing_seals_to_an_overhead_and_back_to_nothing),
        cmocka_unit_test(nothing_of_the_text_shows_through_a_seal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
