/* The count of what was heard against what had to be: each way of being wrong is seen. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "producers/simulator/dice.h"
#include "producers/simulator/latency.h"
#include "producers/simulator/recent.h"
#include "producers/simulator/tally.h"

enum { START_MS = 1000000 };

static const struct expected_alert first = {0, PRACTICE, 101}, second = {0, PRACTICE, 102};

static struct tally *tally_of_one(void)
{
    struct tally *tally = tally_create(10, 4, START_MS);
    tally_listen_from(tally, 0, 0);
    return tally;
}

static struct seen_alert alert(int64_t number, uint64_t key)
{
    return (struct seen_alert){.subscriber = 0,
                               .number = number,
                               .ours = true,
                               .id = 7000 + key,
                               .key = key,
                               .published_ms = START_MS + 1,
                               .seen_us = 5000};
}

static void see(struct tally *tally, struct seen_alert seen)
{
    tally_see(tally, &seen);
}

static struct tally_counts count_and_end(struct tally *tally)
{
    struct tally_counts counts;
    tally_count(tally, &counts);
    tally_destroy(tally);
    return counts;
}

static uint64_t wrong(const struct tally_counts *c)
{
    return c->missed + c->doubled + c->unexpected + c->gaps + c->out_of_order + c->baseless;
}

static void what_is_acknowledged_and_seen_is_right(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_confirm(tally, &first, 1);
    assert_false(tally_is_settled(tally));
    see(tally, alert(1, 101));
    assert_true(tally_is_settled(tally));
    struct tally_counts counts = count_and_end(tally);
    assert_int_equal(wrong(&counts), 0);
    assert_int_equal(counts.expected, 1);
    assert_int_equal(counts.seen, 1);
    assert_true(counts.p50_ms > 2.7 && counts.p50_ms < 3.3);
}

static void an_alert_may_be_seen_before_the_acknowledgement(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    see(tally, alert(1, 101));
    tally_confirm(tally, &first, 1);
    struct tally_counts counts = count_and_end(tally);
    assert_int_equal(wrong(&counts), 0);
    assert_int_equal(counts.seen, 1);
    assert_int_equal(counts.open, 0);
}

static void what_an_earlier_run_told_counts_as_seen_and_the_rest_of_it_is_nobodys_fault(void **state)
{
    struct tally *tally = tally_of_one();
    struct seen_alert earlier = alert(1, 101), unknown = alert(2, 900);
    (void)state;
    earlier.published_ms = unknown.published_ms = START_MS - 1;
    see(tally, earlier);
    see(tally, unknown);
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_confirm(tally, &first, 1);
    struct tally_counts counts = count_and_end(tally);
    assert_int_equal(wrong(&counts), 0);
    assert_int_equal(counts.seen, 1);
}

static void a_missed_alert_is_seen(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_confirm(tally, &first, 1);
    assert_int_equal(count_and_end(tally).missed, 1);
}

static void what_was_never_acknowledged_is_not_missed(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    struct tally_counts counts = count_and_end(tally);
    assert_int_equal(wrong(&counts), 0);
    assert_int_equal(counts.expected, 0);
    assert_int_equal(counts.open, 1);
}

static void what_was_rejected_must_not_be_told(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_withdraw(tally, &first, 1);
    see(tally, alert(1, 101));
    assert_int_equal(count_and_end(tally).unexpected, 1);
}

static void the_same_thing_under_another_number_is_doubled(void **state)
{
    struct tally *tally = tally_of_one();
    struct seen_alert again = alert(2, 101);
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_confirm(tally, &first, 1);
    see(tally, alert(1, 101));
    again.id++;
    see(tally, again);
    assert_int_equal(count_and_end(tally).doubled, 1);
}

static void the_same_number_again_is_doubled(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_confirm(tally, &first, 1);
    see(tally, alert(1, 101));
    see(tally, alert(1, 101));
    assert_int_equal(count_and_end(tally).doubled, 1);
}

static void a_telling_that_nothing_explains_is_unexpected(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    see(tally, alert(1, 101));
    assert_int_equal(count_and_end(tally).unexpected, 1);
}

static void a_number_left_out_is_a_gap_also_where_the_alert_is_not_ours(void **state)
{
    struct tally *tally = tally_of_one();
    struct seen_alert foreign = alert(2, 101);
    (void)state;
    foreign.ours = false;
    see(tally, foreign);
    struct tally_counts counts = count_and_end(tally);
    assert_int_equal(counts.gaps, 1);
    assert_int_equal(counts.unexpected, 0);
}

static void what_happened_later_and_is_told_first_is_out_of_order(void **state)
{
    struct tally *tally = tally_of_one();
    (void)state;
    tally_expect(tally, &first, 1, 3, 1, 2000);
    tally_expect(tally, &second, 1, 3, 2, 2000);
    tally_confirm(tally, &first, 1);
    tally_confirm(tally, &second, 1);
    see(tally, alert(1, 102));
    see(tally, alert(2, 101));
    assert_int_equal(count_and_end(tally).out_of_order, 1);
}

static void taking_back_what_was_never_told_is_baseless(void **state)
{
    struct tally *tally = tally_of_one();
    struct seen_alert retraction = alert(2, 102);
    (void)state;
    tally_expect(tally, &first, 1, 0, 1, 2000);
    tally_expect(tally, &second, 1, 0, 2, 2000);
    see(tally, alert(1, 101));
    retraction.concerns = 7000 + 101;
    see(tally, retraction);
    struct tally_counts counts;
    tally_count(tally, &counts);
    assert_int_equal(counts.baseless, 0);
    retraction.number = 3;
    retraction.id = 8000;
    retraction.concerns = 9999;
    see(tally, retraction);
    assert_int_equal(count_and_end(tally).baseless, 1);
}

/* Many want the same slot. */
static uint64_t hash_of(uint64_t number)
{
    return dice_mix(number) | 7U << 20;
}

static void the_newest_hashes_are_kept_and_older_ones_are_not(void **state)
{
    enum { KEPT = 1 << 18 };
    struct recent recent;
    (void)state;
    recent_open(&recent);
    for (uint64_t i = 1; i <= 3 * KEPT; i++)
        recent_add(&recent, hash_of(i));
    assert_true(recent_has_forgotten(&recent));
    for (uint64_t i = 1; i <= 3 * KEPT; i++)
        assert_int_equal(recent_has(&recent, hash_of(i)), i > 2 * KEPT);
    recent_close(&recent);
}

static void quantiles_are_right_within_a_sixteenth(void **state)
{
    struct latency latency = {0};
    (void)state;
    assert_true(latency_quantile_ms(&latency, 0.5) == 0);
    for (int64_t us = 1; us <= 100000; us++)
        latency_add(&latency, us);
    double p50 = latency_quantile_ms(&latency, 0.5), p99 = latency_quantile_ms(&latency, 0.99);
    assert_true(p50 > 47 && p50 < 53);
    assert_true(p99 > 93 && p99 < 105);
    latency_add(&latency, INT64_MAX);
    latency_add(&latency, -5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_acknowledged_and_seen_is_right),
        cmocka_unit_test(an_alert_may_be_seen_before_the_acknowledgement),
        cmocka_unit_test(what_an_earlier_run_told_counts_as_seen_and_the_rest_of_it_is_nobodys_fault),
        cmocka_unit_test(a_missed_alert_is_seen),
        cmocka_unit_test(what_was_never_acknowledged_is_not_missed),
        cmocka_unit_test(what_was_rejected_must_not_be_told),
        cmocka_unit_test(the_same_thing_under_another_number_is_doubled),
        cmocka_unit_test(the_same_number_again_is_doubled),
        cmocka_unit_test(a_telling_that_nothing_explains_is_unexpected),
        cmocka_unit_test(a_number_left_out_is_a_gap_also_where_the_alert_is_not_ours),
        cmocka_unit_test(what_happened_later_and_is_told_first_is_out_of_order),
        cmocka_unit_test(taking_back_what_was_never_told_is_baseless),
        cmocka_unit_test(the_newest_hashes_are_kept_and_older_ones_are_not),
        cmocka_unit_test(quantiles_are_right_within_a_sixteenth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
