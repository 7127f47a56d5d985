/* Escape sequences in text (HL7 v2.5, 2.7): \F\ \S\ \T\ \R\ \E\ \Xhh..\ \.br\ and their like. */
#pragma once

#include "producers/hl7/message.h"

/* Appends text with its escapes resolved, still in the message's character set. \H\ and \N\ (highlighting) go. A
 * sequence that is not known, or does not end, stays as it is: nothing of what people wrote is lost. */
void escape_decode(const struct delimiters *delimiters, struct view text, struct buffer *to);
/* Appends our own ASCII text with what is a delimiter, or not printable, escaped. */
void escape_encode(const struct delimiters *delimiters, struct view text, struct buffer *to);
