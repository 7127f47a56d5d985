/* One field of an HL7 message with the usual delimiters: for what the simulator reads itself, its own messages and the
 * acknowledgements. It shares nothing with the broker's reader, so that one can show the other wrong. */
#pragma once

#include "broker/base/view.h"

/* PV1-19.1 is field_read(message, "PV1", 19, 1, 1): its first repetition's component, or the whole repetition for
 * component 0. Empty: not there. Borrowed; escapes stand as they are. In MSH, field 1 is the separator itself. */
struct view field_read(struct view message, const char *segment, int field, int repetition, int component);
