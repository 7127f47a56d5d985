/* A client command from the question to what is printed. */
#pragma once

#include "broker/main/broker.h"
#include "broker/main/table.h"

/* Asks and prints the answer: as it is with --json, else as an object of these columns. Opens and closes the broker.
 * Answers the exit code. */
int answer_show(const struct invocation *invocation, const char *method, const char *path, const struct buffer *body,
                const struct column *columns);
/* The same, but for people only one member's text, alone on its line: the id of what was made, for scripts too. member
 * NULL: nothing. */
int answer_show_member(const struct invocation *invocation, const char *method, const char *path,
                       const struct buffer *body, const char *member);
/* Asks for every page of a list and prints them: with --json each page's answer on a line, else one table. path: with
 * its query or without. */
int answer_list(const struct invocation *invocation, const char *path, const struct column *columns);

/* "/organisations/A81001": before, then the part encoded, then after. */
const char *path_make(struct buffer *to, const char *before, const char *part, const char *after);

struct json;
/* {"name": ["...", ...]} of an option that repeats; nothing where it is not given. */
void json_member_options(struct json *json, const char *name, const struct options *options, const char *option);
/* {"name": "..."} of an option; nothing where it is not given. */
void json_member_option(struct json *json, const char *name, const struct options *options, const char *option);
