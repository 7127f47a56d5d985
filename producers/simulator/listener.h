/* The practices, homes and teams that listen: the first fifty each by a live stream, the others by pull, all in turn.
 */
#pragma once

#include "producers/simulator/credentials.h"
#include "producers/simulator/tally.h"

enum { STREAMS_MOST = 50 };

/* One subscriber's subscription. */
struct subscribed {
    char *id;
    int64_t from; /* heard from the number after it */
};

struct listeners;

struct listeners *listeners_start(struct subscribed *subscribed, int count, struct credentials *credentials,
                                  const char *tag, struct tally *tally);
/* Why somebody could not listen, the last time; "": never. */
void listeners_trouble(struct listeners *listeners, struct error *ret);
void listeners_end(struct listeners *listeners);
