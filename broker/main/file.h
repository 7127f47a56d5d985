/* A whole file, or stdin, in memory. */
#pragma once

#include "broker/base/buffer.h"
#include "broker/base/result.h"

/* path "-": stdin. REJECTED: it cannot be read, or is larger than limit. */
enum result file_read(const char *path, size_t limit, struct buffer *ret, struct error *err);
/* The first line, without its end. REJECTED: the same, or it is empty. */
enum result file_read_line(const char *path, size_t limit, struct buffer *ret, struct error *err);
