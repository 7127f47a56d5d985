/* Inside broker/codec: "What happened", the data of a CloudEvent (interface, section 2). */
#pragma once

#include "broker/codec/json_reading.h"

/* Reads data, and what the type wants of it, into event. about: the attributes, of which subject also names the
 * patient. */
void cloudevent_data_read(const struct reading *data, enum event_type type, const struct cloudevent *about,
                          struct care_event *event);
