/* What `serve` was told, read and checked. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/main/options.h"
#include "broker/main/serve.h"

/* *ret borrows from options and from settings (the file of --kafka-settings). REJECTED: the reason names the option. */
enum result serve_options_read(const struct options *options, struct serve_options *ret, struct buffer *settings,
                               struct error *err);
/* "ingest,match" to roles. REJECTED: one is none, or there is none. */
enum result roles_read(const char *text, int *ret, struct error *err);
/* Can only this machine reach it? */
bool address_is_loopback(const char *address);
/* Notes what somebody should think about before it runs like this. */
void serve_options_warn(const struct serve_options *options);
