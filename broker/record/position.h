/* Tidings-Position: where in the log a change stands, as opaque text for clients ("e.17.4711,a.3.99"). */
#pragma once

#include "broker/log/log.h"

enum { POSITION_TEXT_SIZE = 64, POSITIONS_LIMIT = 8 };

/* Writes one position with a NUL; returns a view of the text. */
struct view position_to_text(enum topic topic, const struct log_position *position, char ret[POSITION_TEXT_SIZE]);

struct topic_position {
    enum topic topic;
    struct log_position position;
};
/* Reads up to POSITIONS_LIMIT positions joined by commas. False: not the form of one. */
bool positions_from_text(struct view text, struct topic_position ret[POSITIONS_LIMIT], size_t *ret_count);
