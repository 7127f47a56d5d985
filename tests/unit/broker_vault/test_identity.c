/* PatientRefs, event ids, hashes and tokens. The answers written here were computed with Python's hashlib. */
#include "region.h"

#include "broker/base/memory.h"

static void a_patient_ref_is_what_another_implementation_says(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, KNOWN_REGION);
    char ref[PATIENT_REF_SIZE];
    vault_patient_ref_of_nhs_number(region.vault, VIEW("9990000018"), ref);
    assert_string_equal(ref, "inPGJIXxpzGe0qdW3V2OIok787oxHHEY");
    vault_patient_ref_of_local_id(region.vault, VIEW("R0A"), VIEW("654321"), ref);
    assert_string_equal(ref, "ozwLqdgcI-S7KEjihJj0zXY5hVag32m_");
    region_close(&region);
}

static void the_two_kinds_of_patient_ref_differ(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, KNOWN_REGION);
    char nhs[PATIENT_REF_SIZE], local[PATIENT_REF_SIZE];
    vault_patient_ref_of_nhs_number(region.vault, VIEW("9990000018"), nhs);
    vault_patient_ref_of_local_id(region.vault, VIEW(""), VIEW("9990000018"), local);
    assert_string_not_equal(nhs, local);
    region_close(&region);
}

static void assigner_and_number_do_not_run_together(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, KNOWN_REGION);
    char a[PATIENT_REF_SIZE], b[PATIENT_REF_SIZE];
    vault_patient_ref_of_local_id(region.vault, VIEW("R0"), VIEW("A1234"), a);
    vault_patient_ref_of_local_id(region.vault, VIEW("R0A"), VIEW("1234"), b);
    assert_string_not_equal(a, b);
    region_close(&region);
}

static void a_token_made_again_from_the_same_seed_is_the_same_and_opens(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, KNOWN_REGION);
    char id[TOKEN_ID_SIZE], same_id[TOKEN_ID_SIZE], text[TOKEN_TEXT_SIZE], same[TOKEN_TEXT_SIZE],
        other[TOKEN_TEXT_SIZE];
    uint8_t hash[TOKEN_HASH_SIZE], read[TOKEN_HASH_SIZE];
    vault_token_derive(region.vault, VIEW("seed"), id, text, hash);
    vault_token_derive(region.vault, VIEW("other seed"), same_id, other, read);
    assert_string_not_equal(id, same_id);
    vault_token_derive(region.vault, VIEW("seed"), same_id, same, read);
    assert_string_equal(text, same);
    assert_true(vault_token_read(view_of_text(text), same_id, read));
    assert_string_equal(id, same_id);
    assert_memory_equal(hash, read, sizeof hash);
    region_close(&region);
}

static void a_content_hash_is_what_another_implementation_says(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, KNOWN_REGION);
    uint8_t hash[HASH_SIZE];
    vault_content_hash(region.vault, VIEW("content"), hash);
    assert_hex(VIEW_OF(hash), "e92d1fdfd97b6c4373671f7d806c6a49");
    region_close(&region);
}

static void a_hash_of_parts_is_what_another_implementation_says(void **state)
{
    (void)state;
    uint8_t hash[32], other[32];
    vault_hash((const struct view[]){VIEW("abc"), VIEW(""), VIEW("de")}, 3, hash, sizeof hash);
    assert_hex(VIEW_OF(hash), "b7c750d2c1e867e805993b4b876405f75a804cc3081ecaba7c8a9a2c4c6a9683");
    vault_hash((const struct view[]){VIEW("abcd"), VIEW(""), VIEW("e")}, 3, other, sizeof other);
    assert_memory_not_equal(hash, other, sizeof hash);
}

enum { MESSAGE_TIME = 1795428930 };

static struct event_id known_event(int64_t ms)
{
    return vault_event_id(VIEW("R0A"), VIEW("EPR"), VIEW("MSG001"), 1, ms);
}

static void an_event_id_is_a_uuid_of_version_8_that_others_can_compute(void **state)
{
    (void)state;
    struct event_id id = known_event(MESSAGE_TIME * 1000LL);
    char text[EVENT_ID_TEXT_SIZE];
    (void)event_id_to_text(&id, text);
    assert_string_equal(text, "01a207e7-51d0-8692-9d48-340df99281f2");
}

static void a_message_sent_again_later_has_the_same_id_but_for_the_time(void **state)
{
    (void)state;
    struct event_id first = known_event(MESSAGE_TIME * 1000LL), again = known_event(MESSAGE_TIME * 1000LL + 5000);
    assert_memory_not_equal(first.bytes, again.bytes, EVENT_ID_SIZE);
    assert_true(event_id_is_same_message(&first, &again));
    struct event_id second = vault_event_id(VIEW("R0A"), VIEW("EPR"), VIEW("MSG001"), 2, MESSAGE_TIME * 1000LL);
    struct event_id other = vault_event_id(VIEW("R0A"), VIEW("EPRM"), VIEW("SG001"), 1, MESSAGE_TIME * 1000LL);
    assert_false(event_id_is_same_message(&first, &second));
    assert_false(event_id_is_same_message(&first, &other));
}

static void event_ids_sort_by_time_and_stay_uuids_at_both_ends_of_time(void **state)
{
    (void)state;
    static const int64_t times[] = {INT64_MIN, 0, 1, 1LL << 40, (1LL << 48) - 1, INT64_MAX};
    struct event_id last = known_event(times[0]);
    for (size_t i = 0; i < sizeof times / sizeof *times; i++) {
        struct event_id id = known_event(times[i]);
        assert_true(memcmp(last.bytes, id.bytes, EVENT_ID_SIZE) <= 0);
        assert_int_equal(id.bytes[6] >> 4, 8);
        assert_int_equal(id.bytes[8] >> 6, 2);
        last = id;
    }
}

static void a_new_token_reads_back_to_its_id_and_hash(void **state)
{
    (void)state;
    char id[TOKEN_ID_SIZE], text[TOKEN_TEXT_SIZE], read_id[TOKEN_ID_SIZE], other[TOKEN_TEXT_SIZE];
    uint8_t hash[TOKEN_HASH_SIZE], read_hash[TOKEN_HASH_SIZE];
    vault_token_create(id, text, hash);
    assert_int_equal(strlen(text), TOKEN_TEXT_SIZE - 1);
    assert_int_equal(strlen(id), TOKEN_ID_SIZE - 1);
    assert_true(vault_token_read(view_of_text(text), read_id, read_hash));
    assert_string_equal(id, read_id);
    assert_true(vault_equal(hash, read_hash, sizeof hash));
    vault_token_create(read_id, other, read_hash);
    assert_string_not_equal(text, other);
    assert_false(vault_equal(hash, read_hash, sizeof hash));
}

static void a_tokens_hash_covers_its_id_and_its_secret(void **state)
{
    (void)state;
    char text[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
    uint8_t hash[TOKEN_HASH_SIZE], other[TOKEN_HASH_SIZE];
    (void)snprintf(text, sizeof text, "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA");
    assert_true(vault_token_read(view_of_text(text), id, hash));
    assert_hex(VIEW_OF(hash), "4793c17dd6c4e99a6f8ef54abd70db66c7a7018db4dd14e075bc24ab4ab519f1");
    text[3] = 'B';
    assert_true(vault_token_read(view_of_text(text), id, other));
    assert_false(vault_equal(hash, other, sizeof hash));
    text[3] = 'A';
    text[20] = 'B';
    assert_true(vault_token_read(view_of_text(text), id, other));
    assert_false(vault_equal(hash, other, sizeof hash));
}

static void what_is_not_the_form_of_a_token_is_none(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        ".",
        "AAAAAAAAAAAAAAAA",
        "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",   /* short */
        "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* long */
        "AAAAAAAAAAAAAAAA-AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  /* no dot */
        "AAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", /* the dot elsewhere */
        "AAAAAAAA AAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",  /* a space */
        "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+",  /* not URL-safe */
        "AAAAAAAAAAAAAAAA.AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB",  /* bits that no 32 bytes give */
    };
    char id[TOKEN_ID_SIZE] = "untouched";
    uint8_t hash[TOKEN_HASH_SIZE];
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        assert_false(vault_token_read(view_of_text(texts[i]), id, hash));
    assert_false(vault_token_read(VIEW_NONE, id, hash));
    assert_string_equal(id, "untouched");
}

static void a_protected_process_leaves_no_core_and_lives_on(void **state)
{
    (void)state;
    vault_protect_process();
    uint8_t a[16] = {0}, b[16] = {0};
    vault_random(a, sizeof a);
    vault_random(b, sizeof b);
    assert_memory_not_equal(a, b, sizeof a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_patient_ref_is_what_another_implementation_says),
        cmocka_unit_test(the_two_kinds_of_patient_ref_differ),
        cmocka_unit_test(assigner_and_number_do_not_run_together),
        cmocka_unit_test(a_token_made_again_from_the_same_seed_is_the_same_and_opens),
        cmocka_unit_test(a_content_hash_is_what_another_implementation_says),
        cmocka_unit_test(a_hash_of_parts_is_what_another_implementation_says),
        cmocka_unit_test(an_event_id_is_a_uuid_of_version_8_that_others_can_compute),
        cmocka_unit_test(a_message_sent_again_later_has_the_same_id_but_for_the_time),
        cmocka_unit_test(event_ids_sort_by_time_and_stay_uuids_at_both_ends_of_time),
        cmocka_unit_test(a_new_token_reads_back_to_its_id_and_hash),
        cmocka_unit_test(a_tokens_hash_covers_its_id_and_its_secret),
        cmocka_unit_test(what_is_not_the_form_of_a_token_is_none),
        cmocka_unit_test(a_protected_process_leaves_no_core_and_lives_on),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
