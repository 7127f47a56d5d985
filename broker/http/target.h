/* A request target (RFC 9112, section 3.2), read into a decoded path and decoded query parameters. */
#pragma once

#include "broker/base/view.h"

struct parameter {
    struct view name, value;
};

struct target {
    struct view path; /* begins with /, or is * */
    struct parameter *parameters;
    size_t parameter_count;
    void *memory; /* what the views borrow from */
};

enum { LIMIT_PARAMETERS = 64 }; /* of one query: our routes know a handful */

/* raw: "/a%20b?c=d" or "http://host/a?c=d". False: a broken escape, a NUL or bytes that are not UTF-8, too many
 * parameters, or not a path. */
bool target_read(struct view raw, struct target *ret);
void target_destroy(struct target *target); /* zero-initialised is empty and valid */
