/* The table of routes: method, path, who may use it, what answers. */
#include "consumers/api/inside.h"

enum { ANYONE = 0, OPERATOR = ROLE_OPERATOR, SUBSCRIBER = ROLE_SUBSCRIBER, PUBLISHER = ROLE_PUBLISHER };

static const struct route routes[] = {
    {"GET", "/health/live", ANYONE, health_live},
    {"GET", "/health/ready", ANYONE, health_ready},
    {"GET", "/metrics", OPERATOR | ROLE_METRICS, metrics_show},
    {"GET", "/status", OPERATOR | ROLE_METRICS, status_show},
    {"POST", "/session", ANYONE, session_open},
    {"DELETE", "/session", OPERATOR | SUBSCRIBER | PUBLISHER | ROLE_AUDITOR | ROLE_METRICS, session_end},
    {"POST", "/tokens", OPERATOR, token_add},
    {"POST", "/tokens/link", OPERATOR, token_link},
    {"DELETE", "/tokens/{id}", OPERATOR, token_end},
    {"PUT", "/organisations/{ods}", OPERATOR, organisation_put},
    {"GET", "/organisations/{ods}", OPERATOR | SUBSCRIBER | PUBLISHER, organisation_show},
    {"GET", "/organisations", OPERATOR | SUBSCRIBER | PUBLISHER, organisation_list},
    {"PUT", "/subscribers/{id}", OPERATOR | SUBSCRIBER, subscriber_put},
    {"GET", "/subscribers/{id}", OPERATOR | SUBSCRIBER, subscriber_show},
    {"GET", "/subscribers", OPERATOR | SUBSCRIBER, subscriber_list},
    {"POST", "/registrations", OPERATOR | SUBSCRIBER, registration_add},
    {"GET", "/registrations", OPERATOR | SUBSCRIBER, registration_list},
    {"POST", "/registrations/{id}/end", OPERATOR | SUBSCRIBER, registration_end},
    {"POST", "/subscriptions", OPERATOR | SUBSCRIBER, subscription_add},
    {"GET", "/subscriptions", OPERATOR | SUBSCRIBER, subscription_list},
    {"GET", "/subscriptions/{id}", OPERATOR | SUBSCRIBER, subscription_show},
    {"PATCH", "/subscriptions/{id}", OPERATOR | SUBSCRIBER, subscription_patch},
    {"DELETE", "/subscriptions/{id}", OPERATOR | SUBSCRIBER, subscription_end},
    {"POST", "/subscriptions/{id}/pause", OPERATOR | SUBSCRIBER, subscription_pause},
    {"POST", "/subscriptions/{id}/resume", OPERATOR | SUBSCRIBER, subscription_resume},
    {"POST", "/subscriptions/{id}/replay", OPERATOR | SUBSCRIBER, subscription_replay},
    {"GET", "/subscriptions/{id}/alerts", SUBSCRIBER, alerts_pull},
    {"GET", "/subscriptions/{id}/alerts/{number}", SUBSCRIBER, alert_show},
    {"GET", "/subscriptions/{id}/stream", SUBSCRIBER, alerts_stream},
    {"POST", "/subscriptions/{id}/receipts", SUBSCRIBER, receipt_add},
    {"POST", "/patients/search", SUBSCRIBER | PUBLISHER, patient_search},
    {"GET", "/worklist", OPERATOR | PUBLISHER, work_list},
    {"GET", "/quarantine", OPERATOR, quarantine_list},
};

/* Takes the next segment of a path, without its slash. */
static bool segment_take(struct view *path, struct view *ret)
{
    if (path->size == 0 || *(const char *)path->data != '/')
        return false;
    *path = view_after(*path, 1);
    const char *slash = path->size == 0 ? NULL : memchr(path->data, '/', path->size);
    size_t size = slash == NULL ? path->size : (size_t)(slash - (const char *)path->data);
    *ret = view_make(path->data, size);
    *path = view_after(*path, size);
    return true;
}

static bool path_matches(struct view pattern, struct view path, struct view params[CALL_PARAMS])
{
    struct view wanted, given;
    size_t count = 0;
    while (pattern.size > 0) {
        if (!segment_take(&pattern, &wanted) || !segment_take(&path, &given))
            return false;
        if (*(const char *)wanted.data != '{') {
            if (!view_is(wanted, given))
                return false;
        } else if (given.size == 0 || count == CALL_PARAMS) {
            return false;
        } else {
            params[count++] = given;
        }
    }
    return path.size == 0;
}

const struct route *route_find(struct view method, struct view path, struct view params[CALL_PARAMS],
                               bool *ret_path_known)
{
    *ret_path_known = false;
    for (size_t i = 0; i < sizeof routes / sizeof routes[0]; i++) {
        if (!path_matches(view_of_text(routes[i].path), path, params))
            continue;
        *ret_path_known = true;
        if (view_is_text(method, routes[i].method))
            return &routes[i];
    }
    return NULL;
}
