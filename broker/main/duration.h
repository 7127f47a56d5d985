/* Durations as people write them: "500ms", "60s", "5m", "2h", "365d". */
#pragma once

#include <stdbool.h>
#include <stdint.h>

/* False: not one, or over 100 years. A bare 0 is one. */
bool duration_read(const char *text, int64_t *ret_ms);
