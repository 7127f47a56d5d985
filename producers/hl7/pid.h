/* Who a message is about: PID (HL7 v2.5, 3.4.2) and the practice of PD1 (3.4.10). */
#pragma once

#include "broker/event/care_event.h"
#include "producers/hl7/reading.h"

/* REJECTED: nobody is named, or the NHS number is untrusted and the publisher wants that refused. A missing or
 * untrusted number is noted for the work list. A publisher asserts only its own organisation's local numbers: those of
 * another one are not taken. */
enum result pid_read(struct reading *reading, struct patient *ret, struct refusal *ret_refusal);
