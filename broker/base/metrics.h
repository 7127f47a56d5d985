/* Counters of this process, added to from any thread, rendered as Prometheus text. No label grows with patients or
 * people. */
#pragma once

#include "broker/base/buffer.h"

/* tidings_events_total{source,type,outcome}; type: one of ours, or "other". source: "hl7", "cloudevents", "api". */
void metrics_event(const char *source, struct view type, const char *outcome);
void metrics_alert(const char *kind);
void metrics_delivery(const char *channel, const char *outcome);
void metrics_quarantined(void);
/* Histograms, in seconds. */
void metrics_publish_to_deliver(double seconds);
void metrics_append(double seconds);
/* Gauges. role: "ingest", "match", "deliver", "read", "api". */
void metrics_lag(const char *role, int64_t events, double seconds);
void metrics_subscribers_live(int64_t delta);

/* What /status reads back. False: that role has not reported in this process. */
bool metrics_lag_of(const char *role, int64_t *ret_events, double *ret_seconds);
int64_t metrics_quarantined_total(void);
/* The p-th quantile (0..1) of publish-to-deliver seen so far, in seconds, interpolated in its bucket; 0 with none. */
double metrics_publish_to_deliver_quantile(double p);

/* Appends the Prometheus text exposition format, version 0.0.4. */
void metrics_render(struct buffer *to);
