/* The region's key file: made once, for its owner's eyes only. */
#include "region.h"

#include "broker/base/memory.h"

#include <sys/resource.h>

static void assert_refused(struct region *region, const char *because)
{
    struct vault *vault = NULL;
    assert_int_equal(vault_open(region->path, &vault, &region->err), REJECTED);
    assert_null(vault);
    assert_non_null(strstr(region->err.text, because));
}

static void a_new_key_is_one_line_for_its_owner_only(void **state)
{
    (void)state;
    struct region region;
    region_open(&region, NULL);
    struct stat facts;
    char text[200];
    assert_int_equal(stat(region.path, &facts), 0);
    assert_int_equal(facts.st_mode & 07777, 0600);
    assert_int_equal(facts.st_nlink, 1);
    int fd = open(region.path, O_RDONLY);
    ssize_t size = read(fd, text, sizeof text);
    (void)close(fd);
    assert_int_equal(size, (ssize_t)sizeof KNOWN_REGION - 1);
    assert_memory_equal(text, "tidings-region-key-1 ", 21);
    assert_int_equal(text[size - 1], '\n');
    region_close(&region);
}

static void a_key_that_is_there_is_never_replaced(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    region_write(&region, KNOWN_REGION, 0600);
    assert_int_equal(vault_create(region.path, &region.err), REJECTED);
    assert_non_null(strstr(region.err.text, "never replaced"));
    assert_int_equal(vault_open(region.path, &region.vault, &region.err), OK);
    region_close(&region);
}

static void a_full_disk_leaves_no_half_a_key(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    struct rlimit before, small = {.rlim_cur = 40, .rlim_max = RLIM_INFINITY};
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small.rlim_max = before.rlim_max;
    (void)signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    enum result result = vault_create(region.path, &region.err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(result, AGAIN);
    assert_int_equal(access(region.path, F_OK), -1);
    assert_int_equal(vault_create(region.path, &region.err), OK);
    region_close(&region);
}

static void two_new_regions_have_different_keys(void **state)
{
    (void)state;
    struct region a, b;
    region_open(&a, NULL);
    region_open(&b, NULL);
    char ref_a[PATIENT_REF_SIZE], ref_b[PATIENT_REF_SIZE];
    vault_patient_ref_of_nhs_number(a.vault, VIEW("9990000018"), ref_a);
    vault_patient_ref_of_nhs_number(b.vault, VIEW("9990000018"), ref_b);
    assert_string_not_equal(ref_a, ref_b);
    region_close(&a);
    region_close(&b);
}

static void a_missing_key_says_where_to_copy_it_from(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    assert_refused(&region, "copy it from the machine that made this log");
    region_close(&region);
}

static void a_key_that_others_can_read_is_refused(void **state)
{
    (void)state;
    static const mode_t modes[] = {0604, 0640, 0644, 0660, 0666, 0610, 0601};
    struct region region;
    region_folder(&region);
    for (size_t i = 0; i < sizeof modes / sizeof *modes; i++) {
        region_write(&region, KNOWN_REGION, modes[i]);
        assert_refused(&region, "chmod 600");
    }
    region_close(&region);
}

static void a_key_of_another_user_is_refused(void **state)
{
    (void)state;
    if (geteuid() != 0)
        skip(); /* only root can give a file away */
    struct region region;
    region_folder(&region);
    region_write(&region, KNOWN_REGION, 0600);
    assert_int_equal(chown(region.path, 65534, 65534), 0);
    assert_refused(&region, "belongs to user 65534");
    region_close(&region);
}

static void a_key_of_another_length_is_refused(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    region_write(&region, "", 0600);
    assert_refused(&region, "0 bytes long");
    region_write(&region, "tidings-region-key-1 AAEC\n", 0600);
    assert_refused(&region, "copy it again, whole");
    region_write(&region, KNOWN_REGION "\n", 0600);
    assert_refused(&region, "109 bytes long and not 108");
    region_close(&region);
}

static void a_file_of_that_length_that_is_no_key_is_refused(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    static const size_t at[] = {0, 19, 21, 60, sizeof KNOWN_REGION - 2};
    for (size_t i = 0; i < sizeof at / sizeof *at; i++) {
        char text[] = KNOWN_REGION;
        text[at[i]] = '!';
        region_write(&region, text, 0600);
        assert_refused(&region, "is not a region key");
    }
    region_close(&region);
}

static void a_link_or_a_folder_in_its_place_is_refused(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    char elsewhere[128];
    (void)snprintf(elsewhere, sizeof elsewhere, "%s/elsewhere", region.folder);
    assert_int_equal(symlink(elsewhere, region.path), 0);
    assert_refused(&region, "cannot be opened");
    assert_int_equal(unlink(region.path), 0);
    assert_int_equal(mkdir(region.path, 0700), 0);
    assert_refused(&region, "is not a file");
    assert_int_equal(rmdir(region.path), 0);
    region_close(&region);
}

static void no_reason_tells_the_secret(void **state)
{
    (void)state;
    struct region region;
    region_folder(&region);
    char text[] = KNOWN_REGION;
    text[0] = 'T';
    region_write(&region, text, 0600);
    assert_refused(&region, "is not a region key");
    assert_null(strstr(region.err.text, "AAECAwQF"));
    region_close(&region);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_new_key_is_one_line_for_its_owner_only),
        cmocka_unit_test(a_key_that_is_there_is_never_replaced),
        cmocka_unit_test(a_full_disk_leaves_no_half_a_key),
        cmocka_unit_test(two_new_regions_have_different_keys),
        cmocka_unit_test(a_missing_key_says_where_to_copy_it_from),
        cmocka_unit_test(a_key_that_others_can_read_is_refused),
        cmocka_unit_test(a_key_of_another_user_is_refused),
        cmocka_unit_test(a_key_of_another_length_is_refused),
        cmocka_unit_test(a_file_of_that_length_that_is_no_key_is_refused),
        cmocka_unit_test(a_link_or_a_folder_in_its_place_is_refused),
        cmocka_unit_test(no_reason_tells_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
