/* The page at /: its three files, as bytes that live for ever. Who serves them sets the headers, a strict CSP among
 * them. */
#pragma once

#include "broker/base/view.h"

/* path: "/", "/page.css" or "/page.js". False: not one of them. */
bool page_find(struct view path, struct view *ret_body, const char **ret_content_type);
