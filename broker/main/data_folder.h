/* The data folder: made at first start with the region's key and the operator's token. */
#pragma once

#include "broker/log/log.h"
#include "broker/vault/vault.h"

/* Makes the folder (mode 0700) where it is missing. */
enum result data_folder_make(const char *path, struct error *err);
/* Opens <folder>/region.key; makes it on a log without records. REJECTED: the log has records and the key is not here.
 */
enum result region_key_open(const char *folder, struct log *log, struct vault **ret, struct error *err);
/* `rules` at the beginning of every partition of events and alerts that has nothing yet. */
enum result rules_write(struct log *log, struct error *err);
/* Makes <folder>/operator.token (mode 0600) where there is none and the log is new or embedded. */
enum result operator_token_make(const char *folder, struct log *log, bool embedded, struct error *err);
/* Reads the operator's token of a folder, for clients on the same machine. NOTHING: none there. */
enum result operator_token_read(const char *folder, char ret[TOKEN_TEXT_SIZE], struct error *err);
