/* The texts of schemas/ as they were when the program was built; written by built_in_schemas.cmake. */
#pragma once

#include "broker/base/view.h"

struct built_in_schema {
    const char *file; /* without its folder */
    bool old;         /* from schemas/old */
    struct view text;
};

extern const struct built_in_schema built_in_schemas[];
extern const size_t built_in_schema_count;
