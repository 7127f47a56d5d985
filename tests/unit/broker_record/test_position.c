/* Tidings-Position as text and back. */
#include "broker/base/memory.h"
#include "broker/record/position.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_position_comes_back_as_it_was(void **state)
{
    (void)state;
    for (enum topic topic = TOPIC_EVENTS; topic < TOPIC_COUNT; topic++) {
        char text[POSITION_TEXT_SIZE];
        struct log_position position = {1023, 123456789012345678};
        struct topic_position back[POSITIONS_LIMIT];
        size_t count = 0;
        assert_true(positions_from_text(position_to_text(topic, &position, text), back, &count));
        assert_int_equal(count, 1);
        assert_int_equal(back[0].topic, topic);
        assert_int_equal(back[0].position.partition, position.partition);
        assert_int_equal(back[0].position.offset, position.offset);
    }
}

static void several_are_joined_by_commas_up_to_the_limit(void **state)
{
    struct topic_position back[POSITIONS_LIMIT];
    size_t count = 0;
    (void)state;
    assert_true(positions_from_text(VIEW("e.17.4711,a.3.99,d.0.0"), back, &count));
    assert_int_equal(count, 3);
    assert_int_equal(back[1].topic, TOPIC_ALERTS);
    assert_int_equal(back[1].position.offset, 99);
    assert_true(positions_from_text(VIEW("e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1"), back, &count));
    assert_false(positions_from_text(VIEW("e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1,e.1.1"), back, &count));
}

static void what_is_no_position_is_refused_whatever_its_end(void **state)
{
    static const char *const wrong[] = {"",
                                        "e",
                                        "e.",
                                        "e.1",
                                        "e.1.",
                                        "e..1",
                                        ".1.1",
                                        "x.1.1",
                                        "e.1.1,",
                                        ",e.1.1",
                                        "e.1.1,,e.1.1",
                                        "e.1.1 ",
                                        " e.1.1",
                                        "e.-1.1",
                                        "e.1.-1",
                                        "e.1.1.1",
                                        "e.99999999999.1",
                                        "e.1.9999999999999999999",
                                        "e.1.0x1",
                                        "ee.1.1",
                                        "E.1.1"};
    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct topic_position back[POSITIONS_LIMIT];
        size_t count = 77;
        char *exact = memory_text(view_of_text(wrong[i])); /* so that a read beyond its end is seen */
        if (positions_from_text(view_make(exact, strlen(wrong[i])), back, &count))
            fail_msg("%s was taken", wrong[i]);
        assert_int_equal(count, 77);
        free(exact);
    }
}

int main(void)
{
    const struct CMUnitTest sentences[] = {
        cmocka_unit_test(a_position_comes_back_as_it_was),
        cmocka_unit_test(several_are_joined_by_commas_up_to_the_limit),
        cmocka_unit_test(what_is_no_position_is_refused_whatever_its_end),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
