/*
 * Who there is: organisations, subscribers, tokens; folded from tidings.directory into the memory of one thread. Read
 * at the edges only, never by a fold.
 */
#pragma once

#include "broker/base/memory.h"
#include "broker/base/time.h"
#include "broker/event/directory_entry.h"
#include "broker/log/log.h"
#include "broker/vault/vault.h"

struct directory;
enum result directory_open(struct log *log, struct directory **ret, struct error *err);
void directory_close(struct directory *directory);
/* Takes in what is new; call when directory_fd is readable, and before looking after an own append. */
enum result directory_follow(struct directory *directory, struct error *err);
int directory_fd(const struct directory *directory);
/* The next offset of tidings.directory it will take in: for Tidings-Position. */
int64_t directory_position(const struct directory *directory);

/* NULL: not there. What is returned lives until the next directory_follow. */
const struct organisation *directory_organisation(const struct directory *directory, struct view id);
const struct subscriber *directory_subscriber(const struct directory *directory,
                                              struct view id); /* organisations too */
/* By MSH-4: an exact id, a name in hl7Names, or (five characters) its first three as an id. */
const struct organisation *directory_organisation_by_hl7_name(const struct directory *directory, struct view name);
/* Another organisation that has one of these hl7Names (also as its id) or sources already; NULL: none. */
const struct organisation *directory_clash(const struct directory *directory, const struct organisation *wanted);
/* The zone of the organisation, opened once. */
const struct time_zone *directory_zone(const struct directory *directory, const struct organisation *organisation);
/* A live, unexpired token for the presented text; NULL: none. Its organisations stand in order. */
const struct token *directory_token(const struct directory *directory, struct view text, int64_t now_ms);
/* Neither ended nor over, nor is the token that a session was opened with. */
bool directory_token_is_live(const struct directory *directory, const struct token *token, int64_t now_ms);
const struct token *directory_token_by_id(const struct directory *directory, struct view id); /* ended ones too */
bool directory_has_operator(const struct directory *directory); /* a live token with ROLE_OPERATOR */
/* In order of id, after `after` (exclusive), until each answers false. */
void directory_each_organisation(const struct directory *directory, struct view after,
                                 bool (*each)(void *context, const struct organisation *organisation), void *context);
void directory_each_subscriber(const struct directory *directory, struct view after,
                               bool (*each)(void *context, const struct subscriber *subscriber), void *context);

/* Log entries that put these into the directory; key and value live in arena. */
struct log_entry directory_put_organisation(const struct organisation *organisation, struct arena *arena);
struct log_entry directory_put_subscriber(const struct subscriber *subscriber, struct arena *arena);
struct log_entry directory_put_token(const struct token *token, struct arena *arena);
