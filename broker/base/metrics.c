/* Counters of this process, in fixed tables: adding allocates nothing and, but for a label's first time, takes no lock.
 */
#include "broker/base/metrics.h"

#include <pthread.h>
#include <stdatomic.h>

/* ---- counters under labels ---- */

enum { ROWS = 512, SPARE_ROWS = 64, LABELS = 3, TYPE_SIZE = 40 }; /* spare: for what is "other" */

struct row {
    const char *first;    /* source, kind or channel: a word of ours, which lives for ever */
    char type[TYPE_SIZE]; /* events only */
    const char *last;     /* outcome */
    atomic_llong count;
};

/* Rows are only ever added: whoever has seen `used` may read the rows before it. */
struct counters {
    const char *name, *help;
    const char *labels[LABELS]; /* of first, type and last; NULL: it has none */
    atomic_size_t used;
    struct row *rows;
};

static struct row event_rows[ROWS], alert_rows[ROWS], delivery_rows[ROWS];
static struct counters events = {.name = "tidings_events_total",
                                 .help = "Messages taken in, by door, event type and what became of them.",
                                 .labels = {"source", "type", "outcome"},
                                 .rows = event_rows};
static struct counters alerts = {.name = "tidings_alerts_total",
                                 .help = "Alerts numbered, by kind.",
                                 .labels = {"kind", NULL, NULL},
                                 .rows = alert_rows};
static struct counters deliveries = {.name = "tidings_deliveries_total",
                                     .help = "Alerts given to a channel, and what became of them.",
                                     .labels = {"channel", NULL, "outcome"},
                                     .rows = delivery_rows};
static pthread_mutex_t adding = PTHREAD_MUTEX_INITIALIZER;

static struct row *row_find(const struct counters *counters, const char *first, struct view type, const char *last)
{
    size_t used = atomic_load_explicit(&counters->used, memory_order_acquire);
    for (size_t i = 0; i < used; i++) {
        struct row *row = &counters->rows[i];
        if (strcmp(row->first, first) == 0 && view_is_text(type, row->type) && strcmp(row->last, last) == 0)
            return row;
    }
    return NULL;
}

/* NULL: the table is full. */
static struct row *row_add(struct counters *counters, const char *first, struct view type, const char *last)
{
    (void)pthread_mutex_lock(&adding);
    struct row *row = row_find(counters, first, type, last); /* another thread may have been faster */
    size_t used = atomic_load_explicit(&counters->used, memory_order_relaxed);
    if (row == NULL && used < (view_is_text(type, "other") ? ROWS : ROWS - SPARE_ROWS)) {
        row = &counters->rows[used];
        row->first = first;
        row->last = last;
        memcpy(row->type, type.data, type.size);
        row->type[type.size] = '\0';
        atomic_store_explicit(&counters->used, used + 1, memory_order_release);
    }
    (void)pthread_mutex_unlock(&adding);
    return row;
}

static bool count_one(struct counters *counters, const char *first, struct view type, const char *last)
{
    struct row *row = row_find(counters, first, type, last);
    if (row == NULL)
        row = row_add(counters, first, type, last);
    if (row != NULL)
        atomic_fetch_add_explicit(&row->count, 1, memory_order_relaxed);
    return row != NULL;
}

static bool type_is_a_word(struct view type)
{
    const char *at = type.data;
    for (size_t i = 0; i < type.size; i++)
        if (!(at[i] >= 'a' && at[i] <= 'z') && !(at[i] >= '0' && at[i] <= '9') && at[i] != '-')
            return false;
    return type.size > 0 && type.size < TYPE_SIZE;
}

void metrics_event(const char *source, struct view type, const char *outcome)
{
    /* A full table still counts: what has no row of its own any more is "other". */
    if (!type_is_a_word(type) || !count_one(&events, source, type, outcome))
        (void)count_one(&events, source, VIEW("other"), outcome);
}

void metrics_alert(const char *kind)
{
    (void)count_one(&alerts, kind, VIEW(""), "");
}

void metrics_delivery(const char *channel, const char *outcome)
{
    (void)count_one(&deliveries, channel, VIEW(""), outcome);
}

static void counters_render(struct counters *counters, struct buffer *to)
{
    size_t used = atomic_load_explicit(&counters->used, memory_order_acquire);
    buffer_add_format(to, "# HELP %s %s\n# TYPE %s counter\n", counters->name, counters->help, counters->name);
    for (size_t i = 0; i < used; i++) {
        struct row *row = &counters->rows[i];
        const char *values[LABELS] = {row->first, row->type, row->last};
        buffer_add_text(to, counters->name);
        for (int label = 0; label < LABELS; label++)
            if (counters->labels[label] != NULL)
                buffer_add_format(to, "%s%s=\"%s\"", label == 0 ? "{" : ",", counters->labels[label], values[label]);
        buffer_add_format(to, "} %lld\n", (long long)atomic_load_explicit(&row->count, memory_order_relaxed));
    }
}

/* ---- histograms ---- */

/* From half a millisecond, an embedded commit, to ten seconds, when a publisher has long been told to send again. */
static const double bounds[] = {0.0005, 0.001, 0.002, 0.003, 0.005, 0.0075, 0.01, 0.02,
                                0.05,   0.1,   0.25,  0.5,   1,     2.5,    5,    10};
enum { BOUNDS = sizeof bounds / sizeof bounds[0] };

struct histogram {
    const char *name, *help;
    atomic_llong counts[BOUNDS + 1]; /* not cumulative; the last is what is beyond all bounds */
    atomic_llong sum_ns;
};

static struct histogram publish_to_deliver = {
    .name = "tidings_publish_to_deliver_seconds",
    .help = "From when ingest took an event to when its alert was given to a channel.",
};
static struct histogram append = {
    .name = "tidings_append_seconds",
    .help = "From an append to the log to its durable answer.",
};

static void observe(struct histogram *histogram, double seconds)
{
    size_t at = 0;
    if (!(seconds > 0)) /* two machines' clocks may differ */
        seconds = 0;
    while (at < BOUNDS && seconds > bounds[at])
        at++;
    atomic_fetch_add_explicit(&histogram->counts[at], 1, memory_order_relaxed);
    atomic_fetch_add_explicit(&histogram->sum_ns, (long long)((seconds < 1e6 ? seconds : 1e6) * 1e9),
                              memory_order_relaxed);
}

void metrics_publish_to_deliver(double seconds)
{
    observe(&publish_to_deliver, seconds);
}

void metrics_append(double seconds)
{
    observe(&append, seconds);
}

static long long histogram_read(struct histogram *histogram, long long counts[BOUNDS + 1])
{
    long long total = 0;
    for (size_t i = 0; i <= BOUNDS; i++) {
        counts[i] = atomic_load_explicit(&histogram->counts[i], memory_order_relaxed);
        total += counts[i];
    }
    return total;
}

double metrics_publish_to_deliver_quantile(double p)
{
    long long counts[BOUNDS + 1];
    double rank = p * (double)histogram_read(&publish_to_deliver, counts), before = 0;
    for (size_t i = 0; i < BOUNDS; i++) {
        double here = (double)counts[i], lower = i == 0 ? 0 : bounds[i - 1];
        if (here > 0 && before + here >= rank)
            return lower + (bounds[i] - lower) * (rank - before) / here;
        before += here;
    }
    return counts[BOUNDS] > 0 ? bounds[BOUNDS - 1] : 0;
}

static void histogram_render(struct histogram *histogram, struct buffer *to)
{
    long long counts[BOUNDS + 1], total = histogram_read(histogram, counts), so_far = 0;
    const char *name = histogram->name;
    buffer_add_format(to, "# HELP %s %s\n# TYPE %s histogram\n", name, histogram->help, name);
    for (size_t i = 0; i < BOUNDS; i++) {
        so_far += counts[i];
        buffer_add_format(to, "%s_bucket{le=\"%g\"} %lld\n", name, bounds[i], so_far);
    }
    double sum = (double)atomic_load_explicit(&histogram->sum_ns, memory_order_relaxed) / 1e9;
    buffer_add_format(to, "%s_bucket{le=\"+Inf\"} %lld\n%s_sum %.9f\n%s_count %lld\n", name, total, name, sum, name,
                      total);
}

/* ---- gauges ---- */

static struct lag {
    const char *role;
    atomic_bool reported;
    atomic_llong events;
    _Atomic double seconds;
} lags[] = {{.role = "ingest"}, {.role = "match"}, {.role = "deliver"}, {.role = "read"}, {.role = "api"}};
enum { ROLES = sizeof lags / sizeof lags[0] };

static atomic_llong subscribers_live, quarantined;

static struct lag *lag_find(const char *role)
{
    for (size_t i = 0; i < ROLES; i++)
        if (strcmp(lags[i].role, role) == 0)
            return &lags[i];
    return NULL;
}

void metrics_lag(const char *role, int64_t behind, double seconds)
{
    struct lag *lag = lag_find(role);
    if (lag == NULL)
        return;
    atomic_store_explicit(&lag->events, behind, memory_order_relaxed);
    atomic_store_explicit(&lag->seconds, seconds, memory_order_relaxed);
    atomic_store_explicit(&lag->reported, true, memory_order_release);
}

bool metrics_lag_of(const char *role, int64_t *ret_events, double *ret_seconds)
{
    struct lag *lag = lag_find(role);
    if (lag == NULL || !atomic_load_explicit(&lag->reported, memory_order_acquire))
        return false;
    *ret_events = atomic_load_explicit(&lag->events, memory_order_relaxed);
    *ret_seconds = atomic_load_explicit(&lag->seconds, memory_order_relaxed);
    return true;
}

void metrics_quarantined(void)
{
    atomic_fetch_add_explicit(&quarantined, 1, memory_order_relaxed);
}

int64_t metrics_quarantined_total(void)
{
    return atomic_load_explicit(&quarantined, memory_order_relaxed);
}

void metrics_subscribers_live(int64_t delta)
{
    atomic_fetch_add_explicit(&subscribers_live, delta, memory_order_relaxed);
}

static void lags_render(struct buffer *to)
{
    int64_t behind;
    double seconds;
    buffer_add_text(to, "# HELP tidings_lag_events Records of the log that a role has not yet taken in.\n"
                        "# TYPE tidings_lag_events gauge\n");
    for (size_t i = 0; i < ROLES; i++)
        if (metrics_lag_of(lags[i].role, &behind, &seconds))
            buffer_add_format(to, "tidings_lag_events{role=\"%s\"} %lld\n", lags[i].role, (long long)behind);
    buffer_add_text(to, "# HELP tidings_lag_seconds Age of the oldest record that a role has not yet taken in.\n"
                        "# TYPE tidings_lag_seconds gauge\n");
    for (size_t i = 0; i < ROLES; i++)
        if (metrics_lag_of(lags[i].role, &behind, &seconds))
            buffer_add_format(to, "tidings_lag_seconds{role=\"%s\"} %.3f\n", lags[i].role, seconds);
}

void metrics_render(struct buffer *to)
{
    counters_render(&events, to);
    counters_render(&alerts, to);
    counters_render(&deliveries, to);
    lags_render(to);
    histogram_render(&publish_to_deliver, to);
    histogram_render(&append, to);
    buffer_add_format(to,
                      "# HELP tidings_quarantined_total Records set aside because they can never succeed.\n"
                      "# TYPE tidings_quarantined_total counter\ntidings_quarantined_total %lld\n",
                      (long long)metrics_quarantined_total());
    buffer_add_format(to,
                      "# HELP tidings_subscribers_live Live streams that are open.\n"
                      "# TYPE tidings_subscribers_live gauge\ntidings_subscribers_live %lld\n",
                      (long long)atomic_load_explicit(&subscribers_live, memory_order_relaxed));
}
