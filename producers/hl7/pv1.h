/* Where the patient is: PV1 (HL7 v2.5, 3.4.3). */
#pragma once

#include "broker/event/care_event.h"
#include "producers/hl7/reading.h"

/* I and B inpatient, D day-case, E emergency, any other code outpatient; not said: unknown. */
enum event_class pv1_class(struct message *message);
/* The stay as PV1 says it; all but its times and how it ended. REJECTED: the spell is too long to be an identifier. */
enum result pv1_read(struct reading *reading, struct encounter *ret, struct refusal *ret_refusal);
/* PV1-6 and PV1-3 name different sites. Where either says none it is the same site. */
bool pv1_changes_site(struct message *message);
/* PV1-36, NHS Data Dictionary: discharge method. */
bool discharge_method_is_death(struct view method);
bool discharge_method_is_self_discharge(struct view method);
