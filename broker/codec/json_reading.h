/*
 * Inside broker/codec: one JSON object from outside while it is read, member by member, noting what is wrong and where.
 * What is noted never quotes a value: it may be a patient's.
 */
#pragma once

#include "broker/codec/cloudevent.h"
#include "broker/event/limits.h"

#include <jansson.h>

enum { READING_AT = 48 }; /* "999/data/patient/localIds/15/" is the longest */

struct reading {
    const json_t *object; /* NULL: not there (noted already, if it matters), so none of its members is */
    struct arena *arena;  /* where all that is read will live */
    struct problems *problems;
    char at[READING_AT]; /* what the path of a member begins with: "/", "data/patient/" */
};

enum need { OPTIONAL, REQUIRED };

/* Strictly JSON: one object or array, no duplicate member, no NUL, UTF-8, nothing after it, LIMIT_JSON_DEPTH. NULL:
 * noted at `at`. The caller gives it back with json_decref. */
json_t *reading_parse(struct view text, const char *at, struct problems *problems);
/* A reading of value, which must be an object; otherwise a problem at `at`, without the separator that ends it. */
struct reading reading_start(const json_t *value, const char *at, struct arena *arena, struct problems *problems);
/* before, name and "/"; cut to fit. ret may not overlap. */
void reading_join(char ret[READING_AT], const char *before, const char *name);
[[gnu::format(printf, 3, 4)]] void reading_problem(const struct reading *reading, const char *name, const char *why,
                                                   ...);
/* Every member that is not one of the names is a problem: a silent loss of a misspelt member would harm. */
void reading_refuse_others(const struct reading *reading, const char *const *names, size_t count);

/* The member; NULL: not there, or null, which is a problem. */
const json_t *reading_member(const struct reading *reading, const char *name, enum need need);
struct reading reading_object(const struct reading *reading, const char *name, enum need need);

/* A text of 1 to limit characters without control characters. NULL data: not there, or a problem. */
struct view reading_text(const struct reading *reading, const char *name, enum need need, size_t limit);
/* The same, but line ends and tabs may stand in it. */
struct view reading_prose(const struct reading *reading, const char *name, enum need need, size_t limit);
struct view reading_ods_code(const struct reading *reading, const char *name, enum need need);
struct view reading_uri_reference(const struct reading *reading, const char *name, enum need need, size_t limit);
/* RFC 3339 to ms; 0: not there, or a problem. */
int64_t reading_time(const struct reading *reading, const char *name, enum need need);
struct view reading_date(const struct reading *reading, const char *name); /* YYYY-MM-DD */
bool reading_bool(const struct reading *reading, const char *name, bool otherwise);
/* The same of an element of a list, whose place is its name. */
struct view reading_text_of(const struct reading *reading, const char *name, const json_t *value, size_t limit);
/* A list of texts. Each may be checked: NULL is right, else the reason. Returns the count; 0: none, or a problem. */
size_t reading_texts(const struct reading *reading, const char *name, enum need need, size_t most, size_t limit,
                     const char *(*check)(struct view text), struct view **ret);

/* The value's text as dump gives it (flags: JSON_COMPACT ...), in arena. likely: how large it hardly ever gets. */
struct view reading_dump(const json_t *value, size_t flags, size_t likely, struct arena *arena);

/* Checks of a text: NULL is right, else the reason. */
const char *ods_code_check(struct view text);
const char *uri_reference_check(struct view text);
