/* A folder for a while: made empty, removed with all that is in it. */
#pragma once

#include "broker/base/result.h"

enum { SCRATCH_PATH_SIZE = 256 };

/* In TMPDIR, or /var/tmp. */
enum result scratch_make(char ret[SCRATCH_PATH_SIZE], struct error *err);
void scratch_remove(const char *path);
