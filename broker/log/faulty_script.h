/* What the faulty log does wrong, and when: the script of log_faulty_open, read once, asked at every call. Any thread.
 */
#pragma once

#include "broker/log/log.h"

enum faulty_action {
    FAULTY_NONE,
    FAULTY_FAIL,        /* not appended, AGAIN */
    FAULTY_LOSE_ANSWER, /* appended, UNCERTAIN */
    FAULTY_SKIP,        /* not appended, OK: a lie */
    FAULTY_TWICE,       /* appended twice */
    FAULTY_DELAY,       /* the answer comes late */
};

struct faulty_decision {
    enum faulty_action action;
    int delay_ms;
};

struct faulty_script;

/* REJECTED: a line is not a rule. */
enum result faulty_script_open(const char *text, struct faulty_script **ret, struct error *err);
void faulty_script_close(struct faulty_script *script);
/* Counts this append call, which holds records for these topics (bits), and says what becomes of it. */
struct faulty_decision faulty_script_append(struct faulty_script *script, unsigned topics);
/* Counts this read call. True: it fails. */
bool faulty_script_read(struct faulty_script *script, enum topic topic);
