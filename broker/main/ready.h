/* <data folder>/ready: the line that `serve` prints, for clients on the same machine; there while it runs. */
#pragma once

#include "broker/base/result.h"

enum { READY_ADDRESS_SIZE = 64 };

/* mllp: NULL where nothing listens. */
enum result ready_write(const char *folder, const char *http, const char *mllp, struct error *err);
void ready_remove(const char *folder);
/* Addresses to connect to ("127.0.0.1:8080" where it listens on all); ret_mllp is empty where nothing listens. NOTHING:
 * no broker runs there. */
enum result ready_read(const char *folder, char ret_http[READY_ADDRESS_SIZE], char ret_mllp[READY_ADDRESS_SIZE],
                       struct error *err);
