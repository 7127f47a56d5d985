/* Inside broker/codec: where things stand in the bytes of JSON, before and beside jansson, which keeps no positions. */
#pragma once

#include "broker/base/view.h"

/* Does the text nest at most `limit` deep? Any bytes may come; jansson's own limit (2,048) would let a stack of them
 * through. */
bool json_nests_within(struct view text, int limit);

/* The bytes of a member's value as sent; text is a whole JSON object that jansson has read. NULL data: not there under
 * this spelling (a name with escapes in it is not found). */
struct view json_member_as_sent(struct view text, const char *name);

/* Walks the elements of a whole JSON array that jansson has read: *at starts at 0. False: no more. */
bool json_element_as_sent(struct view text, size_t *at, struct view *ret);
