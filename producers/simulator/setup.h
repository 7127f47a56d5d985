/* What must be there before anything is sent: organisations, registrations, subscriptions. Made where missing, by the
 * routes that anybody would use; done again it changes nothing. */
#pragma once

#include "producers/simulator/listener.h"
#include "producers/simulator/simulate.h"

/* ret: one for each subscriber of the region, to be given back. stop may end it early (AGAIN). */
enum result setup_region(const struct simulate_options *options, const atomic_bool *stop, struct subscribed **ret,
                         struct error *err);
void setup_destroy(struct subscribed *subscribed, int count);
