/* A parser of live streams: text/event-stream (WHATWG HTML, section 9.2.6), fed with whatever pieces the socket gives.
 */
#pragma once

#include "broker/base/buffer.h"

#include <stdbool.h>

struct sse {
    struct buffer line, id, event, data;
    bool began;    /* the first line, which may begin with a byte order mark, is behind */
    bool after_cr; /* a LF that comes now belongs to the CR before it */
    bool has_data;
};

enum { LIMIT_SSE_BYTES = 4 * 1024 * 1024 }; /* of one event; ours are under 300 KiB */

enum sse_outcome { SSE_MORE, SSE_STOPPED, SSE_TOO_LARGE };

/* Calls each for every event that bytes complete, until it answers false (SSE_STOPPED). event is "message" where the
 * stream names none. id is the last one that the stream gave, also by an earlier event; an event without data calls
 * nobody but moves the id (sse_last_id). */
enum sse_outcome sse_feed(struct sse *sse, struct view bytes,
                          bool (*each)(void *context, struct view id, struct view event, struct view data),
                          void *context);
struct view sse_last_id(const struct sse *sse);
/* Zero-initialised is empty and valid. */
void sse_destroy(struct sse *sse);
