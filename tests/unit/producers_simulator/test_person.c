/* Made-up people. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "producers/simulator/person.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

/* NHS Data Dictionary: weights 10 to 2, modulus 11; written here once more, by hand. */
static bool check_digit_is_right(const char *number)
{
    int sum = 0;
    for (int i = 0; i < 9; i++)
        sum += (10 - i) * (number[i] - '0');
    int check = (11 - sum % 11) % 11;
    return check < 10 && number[9] == '0' + check;
}

static void every_nhs_number_is_synthetic_right_and_of_one_person(void **state)
{
    enum { PEOPLE = 900 * 1000 };
    char *taken = calloc(10 * 1000 * 1000, 1);
    char number[NHS_NUMBER_SIZE];
    (void)state;
    assert_non_null(taken);
    for (int i = 0; i < PEOPLE; i++) {
        person_nhs_number(i, number);
        assert_int_equal(strlen(number), 10);
        assert_memory_equal(number, "999", 3);
        assert_true(check_digit_is_right(number));
        long rest = strtol(number + 3, NULL, 10);
        assert_int_equal(taken[rest], 0);
        taken[rest] = 1;
    }
    free(taken);
}

static void a_person_is_the_same_each_time(void **state)
{
    (void)state;
    for (int i = 0; i < 2000; i++) {
        struct person a, b;
        memset(&a, 0, sizeof a);
        memset(&b, 0, sizeof b);
        person_read(i, &a);
        person_read(i, &b);
        assert_string_equal(a.nhs_number, b.nhs_number);
        assert_ptr_equal(a.family, b.family);
        assert_string_equal(a.birth_date, b.birth_date);
        assert_memory_equal(a.subscribers, b.subscribers, sizeof a.subscribers);
    }
}

static void everybody_has_a_practice_of_the_district_and_some_of_the_old_live_in_homes(void **state)
{
    int homes = 0, teams = 0;
    (void)state;
    for (int i = 0; i < 5000; i++) {
        struct person person;
        struct place_of_care place;
        person_read(i, &person);
        int district = i / DISTRICT_PATIENTS;
        assert_int_equal(region_subscriber(person.subscribers[PRACTICE], &place), PRACTICE);
        assert_int_equal(person.subscribers[PRACTICE] / DISTRICT_SUBSCRIBERS, district);
        if (person.subscribers[CARE_HOME] != NOBODY) {
            assert_int_equal(region_subscriber(person.subscribers[CARE_HOME], &place), CARE_HOME);
            assert_true(strncmp(person.birth_date, "1951", 4) < 0);
            homes++;
        }
        if (person.subscribers[COMMUNITY] != NOBODY) {
            assert_int_equal(region_subscriber(person.subscribers[COMMUNITY], &place), COMMUNITY);
            teams++;
        }
    }
    assert_in_range(homes, 200, 1500);
    assert_in_range(teams, 500, 2000);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void no_two_organisations_have_one_code(void **state)
{
    enum { HOSPITALS = 200, SUBSCRIBERS = 8000 };
    char(*codes)[ODS_SIZE] = calloc(HOSPITALS + SUBSCRIBERS, sizeof *codes);
    struct place_of_care place;
    (void)state;
    assert_int_equal(region_subscribers(500 * 1000), SUBSCRIBERS);
    for (int i = 0; i < HOSPITALS; i++) {
        region_hospital(i, &place);
        memcpy(codes[i], place.ods, ODS_SIZE);
    }
    for (int i = 0; i < SUBSCRIBERS; i++) {
        (void)region_subscriber(i, &place);
        memcpy(codes[HOSPITALS + i], place.ods, ODS_SIZE);
    }
    qsort(codes, HOSPITALS + SUBSCRIBERS, sizeof *codes, by_text);
    for (int i = 1; i < HOSPITALS + SUBSCRIBERS; i++)
        assert_string_not_equal(codes[i - 1], codes[i]);
    free(codes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_nhs_number_is_synthetic_right_and_of_one_person),
        cmocka_unit_test(a_person_is_the_same_each_time),
        cmocka_unit_test(everybody_has_a_practice_of_the_district_and_some_of_the_old_live_in_homes),
        cmocka_unit_test(no_two_organisations_have_one_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
