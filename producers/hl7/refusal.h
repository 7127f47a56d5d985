/* Why a message was not taken, as its sender must hear it (ERR segment, HL7 v2.5, 2.15.5). All texts are ours, and live
 * for ever. */
#pragma once

#include "broker/base/result.h"

#include <stdbool.h>

struct refusal {
    const char *at;   /* "PID-3", "PV1"; "": no one place */
    const char *code; /* HL7 table 0357: "101" */
    const char *text; /* for people; never a patient's data */
    bool again;       /* AE: send again later. false, AR: never again */
};

/* The message can never be taken. Returns REJECTED: `return refusal_set(...)`. */
static inline enum result refusal_set(struct refusal *ret, const char *at, const char *code, const char *text)
{
    *ret = (struct refusal){.at = at, .code = code, .text = text, .again = false};
    return REJECTED;
}
