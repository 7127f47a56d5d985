/* Words of alerts, payloads and subscriptions. */
#include "broker/event/telling.h"

static const char *const kinds[] = {"new", "correction", "retraction", "catch-up", "ended", "withheld"};
static const char *const payloads[] = {"full", "id-only", "empty"};
static const char *const statuses[] = {"requested", "active", "paused", "ended"};

const char *alert_kind_name(enum alert_kind kind)
{
    return kinds[(unsigned)kind <= ALERT_WITHHELD ? kind : ALERT_WITHHELD];
}

const char *payload_name(enum payload payload)
{
    return payloads[(unsigned)payload <= PAYLOAD_EMPTY ? payload : PAYLOAD_EMPTY];
}

bool payload_from_name(struct view name, enum payload *ret)
{
    for (enum payload payload = PAYLOAD_FULL; payload <= PAYLOAD_EMPTY; payload++) {
        if (view_is_text(name, payloads[payload])) {
            *ret = payload;
            return true;
        }
    }
    return false;
}

const char *subscription_status_name(enum subscription_status status)
{
    return statuses[(unsigned)status <= SUBSCRIPTION_ENDED ? status : SUBSCRIPTION_ENDED];
}
