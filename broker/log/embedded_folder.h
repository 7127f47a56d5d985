/* What makes a folder an embedded log: its owner's lock, its identity, and its number of partitions. */
#pragma once

#include "broker/base/result.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { IDENTITY_TEXT_SIZE = 33 }; /* 16 bytes in hex and a NUL */

/* Makes the folders and takes the lock. REJECTED: another process has it. */
enum result embedded_folder_own(const char *log_folder, int *ret_lock, struct error *err);
/* Reads the identity and the partitions, and makes them where there is no log yet and it may be made. asked 0: whatever
 * is there. REJECTED: another number is there than was asked for, or there is no log. */
enum result embedded_folder_read(const char *log_folder, int32_t asked, bool may_make,
                                 char ret_identity[IDENTITY_TEXT_SIZE], int32_t *ret_partitions, struct error *err);
