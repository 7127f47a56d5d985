/* The broker that a client command talks to: found, asked, and its answers understood. */
#pragma once

#include "broker/client/client.h"
#include "broker/main/command.h"
#include "broker/vault/vault.h"

enum { BROKER_URL_SIZE = 256, BROKER_MLLP_SIZE = 128 };

struct broker {
    struct client *client;
    char url[BROKER_URL_SIZE];
    char mllp[BROKER_MLLP_SIZE]; /* --mllp, the one that runs on --data, or 127.0.0.1:2575 */
    bool is_operator;            /* the token is the operator's own, of --data */
};

/*
 * By --url, --data, TIDINGS_URL, or http://127.0.0.1:8080, in this order; with the token of --token-file, --data or
 * TIDINGS_TOKEN.
 */
enum result broker_open(const struct options *options, struct broker *ret, struct error *err);
/* Only the token, NUL-terminated; for whoever makes connections of its own. ret_is_operator: it is the one of --data.
 */
enum result broker_token_find(const struct options *options, struct buffer *ret, bool *ret_is_operator,
                              struct error *err);
/* Another connection to the same broker, with a token of its own. */
enum result broker_open_as(const struct broker *same, const char *token, struct broker *ret, struct error *err);
void broker_close(struct broker *broker);

/*
 * One request. body: JSON, or NULL. ret_answer (may be NULL) is cleared first. REJECTED: the broker refuses; the reason
 * is what it said. AGAIN: it cannot be reached, or says "later" for longer than we wait. After a change it returns only
 * when whoever asks next will see it.
 */
enum result broker_ask(struct broker *broker, const char *method, const char *path, const struct buffer *body,
                       struct buffer *ret_answer, struct error *err);
/* One POST of this content type, again while the broker says "later". OK: it answered, with *ret_status. */
enum result broker_post(struct broker *broker, const char *path, const char *content_type, struct view body,
                        int *ret_status, struct buffer *ret_answer, struct error *err);
/* The reason in a problem+json (or MNS) answer. */
enum result broker_refusal(const struct broker *broker, int status, struct view answer, struct error *err);

/* A token of these roles ("subscriber") for one organisation, for an hour; needs the operator's. It is on record. */
enum result broker_borrow_token(struct broker *broker, struct view organisation, const char *role,
                                char ret_id[TOKEN_ID_SIZE], char ret_token[TOKEN_TEXT_SIZE], struct error *err);
void broker_give_back_token(struct broker *broker, const char *id);

/* A part of a path or query, percent-encoded. */
void path_add(struct buffer *path, const char *part);
/* Ends the text with a NUL, for use as a C string. */
const char *path_text(struct buffer *path);

/* Waits with jitter: about `ms`, never more than half as much again. */
void broker_pause(int ms);
