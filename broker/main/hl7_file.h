/* HL7 v2 messages in a file, and what their acknowledgements say: as much of HL7 as a sender needs. */
#pragma once

#include "broker/base/buffer.h"

/*
 * The next message from *at (0 at first): from a line that begins with MSH to the next such line. Line ends become CR;
 * MLLP's framing bytes and batch segments (FHS, BHS, BTS, FTS) are left out. ret is cleared first. False: no more.
 */
bool hl7_file_next(struct view text, size_t *at, struct buffer *ret);
/* Does the text begin with a message, or what may stand before one? */
bool hl7_file_is(struct view text);

/* Field `field` (from 1) of the first segment `segment`, as it stands; size 0: not there. */
struct view hl7_field(struct view message, const char *segment, unsigned field);
/* Its component, from 1. */
struct view hl7_component(struct view message, struct view field, unsigned component);

enum hl7_verdict { HL7_ACCEPTED, HL7_LATER, HL7_NEVER };
/* The verdict of an acknowledgement (MSA-1). False: it has none. */
bool hl7_verdict_of(struct view acknowledgement, enum hl7_verdict *ret);
/* How many acknowledgements the message asks for (MSH-15, MSH-16) once it gets this verdict: 0, 1 or 2. */
int hl7_answers_wanted(struct view message, enum hl7_verdict verdict);
/* "103 Table value not found at MSH-4: no organisation ..." of an acknowledgement's ERR. */
void hl7_reason_add(struct view acknowledgement, struct buffer *to);
