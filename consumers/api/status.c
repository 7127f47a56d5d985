/* How the broker is: health, status, metrics. No patient content. */
#include "consumers/api/inside.h"

#include "broker/base/metrics.h"

void health_live(struct call *call)
{
    call_answer(call, 200, VIEW("{\"status\":\"live\"}"));
}

/* Ready: would accept and make durable an event now. */
void health_ready(struct call *call)
{
    const struct api_door *door = call->api->options.door;
    bool ready = log_is_healthy(call->api->options.log) && !call->api->quiescing &&
                 (door == NULL || door->is_ready(door->context));
    if (ready)
        call_answer(call, 200, VIEW("{\"status\":\"ready\"}"));
    else
        call_problem(call, 503, "An event could not be made durable now.");
}

void metrics_show(struct call *call)
{
    metrics_render(&call->body);
    http_answer(call->request, &(struct http_answer){.status = 200,
                                                     .content_type = "text/plain; version=0.0.4; charset=utf-8",
                                                     .body = buffer_view(&call->body)});
    call_destroy(call);
}

void status_show(struct call *call)
{
    static const char *const roles[] = {"ingest", "match", "deliver", "read", "api"};
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "region", view_of_text(call->api->options.region));
    json_member_bool(&json, "logHealthy", log_is_healthy(call->api->options.log));
    json_name(&json, "roles");
    json_open_array(&json);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        int64_t events;
        double seconds;
        if (!metrics_lag_of(roles[i], &events, &seconds))
            continue;
        json_open_object(&json);
        json_member_text(&json, "role", view_of_text(roles[i]));
        json_member_number(&json, "lagEvents", events);
        json_name(&json, "lagSeconds");
        json_double(&json, seconds);
        json_close_object(&json);
    }
    json_close_array(&json);
    json_name(&json, "publishToDeliverSeconds");
    json_open_object(&json);
    json_name(&json, "p50");
    json_double(&json, metrics_publish_to_deliver_quantile(0.5));
    json_name(&json, "p99");
    json_double(&json, metrics_publish_to_deliver_quantile(0.99));
    json_close_object(&json);
    json_member_number(&json, "quarantined", metrics_quarantined_total());
    json_close_object(&json);
    call_answer(call, 200, buffer_view(&call->body));
}
