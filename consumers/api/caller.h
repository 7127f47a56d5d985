/* Who asks, and what that lets them do. */
#pragma once

#include "consumers/api/inside.h"

/* The live token or session a request presents; NULL: none. A one-time code is none. */
const struct token *caller_token(struct api *api, const struct http_request *request, bool *ret_by_cookie);
void caller_take(struct call *call, const struct token *token, bool by_cookie);
