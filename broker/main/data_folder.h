/* The data folder: made at first start with the region's key and the operator's token. */
#pragma once

#include "broker/log/log.h"
#include "broker/vault/vault.h"

/* Makes the folder (mode 0700) where it is missing. */
enum result data_folder_make(const char *path, struct error *err);
/* Opens <folder>/region.key; makes it on a log without records. REJECTED: the log has records and the key is not here.
 */
enum result region_key_open(const char *folder, struct log *log, struct vault **ret, struct error *err);
/* `rules` at the beginning of every partition of the topic that has nothing yet. */
enum result rules_write(struct log *log, enum topic topic, struct error *err);
/* Makes an operator's token, known in the log but not written to its file yet. NOTHING: there is one already, in the
 * file or on another machine of a shared log. */
enum result operator_token_make(const char *folder, struct log *log, bool embedded, char ret[TOKEN_TEXT_SIZE],
                                struct error *err);
/* Writes <folder>/operator.token, mode 0600. */
enum result operator_token_write(const char *folder, const char *text, struct error *err);
/* Reads the operator's token of a folder, for clients on the same machine. NOTHING: none there. */
enum result operator_token_read(const char *folder, char ret[TOKEN_TEXT_SIZE], struct error *err);
