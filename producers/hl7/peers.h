/* Where an organisation's messages may come from: its mllpPeers, as CIDR ranges. */
#pragma once

#include "broker/event/directory_entry.h"

struct sockaddr;

/* Is the address in the range ("10.1.0.0/16", "2001:db8::/32", "10.1.2.3")? An IPv4 address that came over IPv6 counts
 * as IPv4. */
bool address_is_in_range(const struct sockaddr *address, struct view range);
/* Without mllpPeers: loopback only. */
bool peers_allow(const struct organisation *organisation, const struct sockaddr *address);
