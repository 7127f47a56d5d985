/* Metrics: counted from any thread, written as Prometheus reads them. The tables are the process's: the tests share
 * them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "broker/base/memory.h"
#include "broker/base/metrics.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

static bool rendered(const char *line)
{
    struct buffer text = {0};
    metrics_render(&text);
    buffer_add_byte(&text, 0);
    char wanted[256];
    (void)snprintf(wanted, sizeof wanted, "\n%s\n", line);
    bool found = strstr((const char *)text.data, wanted) != NULL;
    if (!found)
        print_message("%s is not in:\n%s", line, (const char *)text.data);
    buffer_destroy(&text);
    return found;
}

static void what_was_not_counted_is_still_described(void **state)
{
    (void)state;
    static const char *const names[] = {
        "tidings_events_total counter",     "tidings_alerts_total counter",
        "tidings_deliveries_total counter", "tidings_lag_events gauge",
        "tidings_lag_seconds gauge",        "tidings_publish_to_deliver_seconds histogram",
        "tidings_append_seconds histogram", "tidings_quarantined_total counter",
        "tidings_subscribers_live gauge",
    };
    int64_t events;
    double seconds;
    for (size_t i = 1; i < sizeof names / sizeof names[0]; i++) {
        char line[128];
        (void)snprintf(line, sizeof line, "# TYPE %s", names[i]);
        assert_true(rendered(line));
    }
    assert_true(rendered("tidings_publish_to_deliver_seconds_bucket{le=\"+Inf\"} 0"));
    assert_false(metrics_lag_of("match", &events, &seconds));
    assert_true(metrics_publish_to_deliver_quantile(0.5) <= 0);
}

static void counters_have_their_labels(void **state)
{
    (void)state;
    metrics_event("hl7", VIEW("encounter-admitted-1"), "accepted");
    metrics_event("hl7", VIEW("encounter-admitted-1"), "accepted");
    metrics_event("cloudevents", VIEW("encounter-admitted-1"), "refused");
    metrics_event("hl7", VIEW("Smith\"} 1\n"), "refused");
    metrics_event("hl7", VIEW_NONE, "refused");
    metrics_alert("new");
    metrics_delivery("stream", "sent");
    metrics_quarantined();
    assert_true(rendered("tidings_events_total{source=\"hl7\",type=\"encounter-admitted-1\",outcome=\"accepted\"} 2"));
    assert_true(
        rendered("tidings_events_total{source=\"cloudevents\",type=\"encounter-admitted-1\",outcome=\"refused\"} 1"));
    assert_true(rendered("tidings_events_total{source=\"hl7\",type=\"other\",outcome=\"refused\"} 2"));
    assert_true(rendered("tidings_alerts_total{kind=\"new\"} 1"));
    assert_true(rendered("tidings_deliveries_total{channel=\"stream\",outcome=\"sent\"} 1"));
    assert_true(rendered("tidings_quarantined_total 1"));
    assert_true(metrics_quarantined_total() == 1);
}

static void gauges_say_what_was_last(void **state)
{
    (void)state;
    int64_t events = 0;
    double seconds = 0;
    metrics_lag("match", 5, 0.25);
    metrics_lag("match", 3, 0.125);
    metrics_lag("nobody", 3, 0.125);
    metrics_subscribers_live(3);
    metrics_subscribers_live(-1);
    assert_true(metrics_lag_of("match", &events, &seconds));
    assert_true(events == 3 && seconds > 0.12 && seconds < 0.13);
    assert_false(metrics_lag_of("nobody", &events, &seconds));
    assert_true(rendered("tidings_lag_events{role=\"match\"} 3"));
    assert_true(rendered("tidings_lag_seconds{role=\"match\"} 0.125"));
    assert_true(rendered("tidings_subscribers_live 2"));
}

static void histograms_are_cumulative(void **state)
{
    (void)state;
    metrics_append(0.0004);
    metrics_append(0.0005);
    metrics_append(0.004);
    metrics_append(20);
    metrics_append(-1);
    assert_true(rendered("tidings_append_seconds_bucket{le=\"0.0005\"} 3"));
    assert_true(rendered("tidings_append_seconds_bucket{le=\"0.003\"} 3"));
    assert_true(rendered("tidings_append_seconds_bucket{le=\"0.005\"} 4"));
    assert_true(rendered("tidings_append_seconds_bucket{le=\"10\"} 4"));
    assert_true(rendered("tidings_append_seconds_bucket{le=\"+Inf\"} 5"));
    assert_true(rendered("tidings_append_seconds_count 5"));
    assert_true(rendered("tidings_append_seconds_sum 20.004900000"));
}

static void quantiles_are_read_from_the_buckets(void **state)
{
    (void)state;
    for (int i = 0; i < 98; i++)
        metrics_publish_to_deliver(0.0015);
    metrics_publish_to_deliver(0.3);
    metrics_publish_to_deliver(100);
    double median = metrics_publish_to_deliver_quantile(0.5);
    double tail = metrics_publish_to_deliver_quantile(0.99);
    assert_true(median > 0.001 && median < 0.002);
    assert_true(tail > 0.25 && tail <= 0.5);
    assert_true(metrics_publish_to_deliver_quantile(1) > 9.9);
}

static void *count_much(void *context)
{
    (void)context;
    for (int i = 0; i < 10000; i++) {
        char type[32];
        (void)snprintf(type, sizeof type, "type-%d", i % 50);
        metrics_event("api", view_of_text(type), "accepted");
        metrics_alert("retraction");
    }
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, count_much, NULL), 0);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    for (int i = 0; i < 50; i++) {
        char line[128];
        (void)snprintf(line, sizeof line,
                       "tidings_events_total{source=\"api\",type=\"type-%d\",outcome=\"accepted\"} 800", i);
        assert_true(rendered(line));
    }
    assert_true(rendered("tidings_alerts_total{kind=\"retraction\"} 40000"));
}

static void a_full_table_counts_the_rest_together(void **state)
{
    (void)state;
    for (int i = 0; i < 1000; i++) {
        char type[32];
        (void)snprintf(type, sizeof type, "many-%d", i);
        metrics_event("hl7", view_of_text(type), "refused");
    }
    struct buffer text = {0};
    metrics_render(&text);
    buffer_add_byte(&text, 0);
    size_t rows = 0;
    long long sum = 0;
    static const char start[] = "\ntidings_events_total{source=\"hl7\",";
    for (const char *at = strstr((char *)text.data, start); at != NULL; at = strstr(at + 1, start)) {
        if (strstr(at, "outcome=\"refused\"") == strstr(at, "outcome=")) {
            rows++;
            sum += strtoll(strchr(at, '}') + 1, NULL, 10);
        }
    }
    assert_int_equal(sum, 1002);
    assert_in_range(rows, 100, 512);
    buffer_destroy(&text);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_not_counted_is_still_described), /* first: nothing was counted yet */
        cmocka_unit_test(counters_have_their_labels),
        cmocka_unit_test(gauges_say_what_was_last),
        cmocka_unit_test(histograms_are_cumulative),
        cmocka_unit_test(quantiles_are_read_from_the_buckets),
        cmocka_unit_test(threads_lose_nothing),
        cmocka_unit_test(a_full_table_counts_the_rest_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
