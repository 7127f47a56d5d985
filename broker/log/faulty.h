/* The faulty log from inside. */
#pragma once

#include "broker/log/faulty_script.h"
#include "broker/log/implementation.h"

struct faulty_log {
    struct log base;
    struct log *inner;
    struct faulty_script *script;
};

static inline struct faulty_log *faulty_of(struct log *log)
{
    return (struct faulty_log *)log;
}

enum result faulty_appender_open(struct log *log, struct log_appender **ret, struct error *err);
void faulty_appender_close(struct log_appender *appender);
enum result faulty_append(struct log_appender *appender, const struct log_entry *entries, size_t count, uint64_t token,
                          struct error *err);
enum result faulty_collect(struct log_appender *appender, int timeout_ms, struct log_answer *ret);
int faulty_appender_fd(const struct log_appender *appender);
