/* The inside of a directory, for the files of this room. */
#pragma once

#include "broker/directory/directory.h"

/* One object and the memory it lives in: replaced as a whole. */
struct held {
    struct arena arena;
    union {
        struct organisation organisation;
        struct subscriber subscriber;
        struct token token;
    };
    struct time_zone *zone; /* of an organisation, once asked for */
    struct view id;
};

/* Ids in order, found by binary search: directories are read far more often than they change. */
struct held_list {
    struct held **items;
    size_t count, capacity;
};

/* An hl7Name or source, and whose it is. */
struct alias {
    struct view name;
    struct held *owner;
};
struct alias_list {
    struct alias *items;
    size_t count, capacity;
};

struct directory {
    struct log_reader *reader;
    int64_t position;
    struct held_list organisations, subscribers, tokens;
    struct alias_list hl7_names, sources;
    bool aliases_changed;
    size_t tokens_most; /* so many: then those that are over are looked for and forgotten */
};

struct held *held_find(const struct held_list *list, struct view id);
/* Puts item in the place of the one with its id, which is returned to be freed; NULL: it is new. */
struct held *held_put(struct held_list *list, struct held *item);
/* Destroys those for which keep answers false. */
void held_list_keep(struct held_list *list, bool (*keep)(void *context, const struct held *item), void *context);
void held_destroy(struct held *item);
void held_list_destroy(struct held_list *list);
size_t held_after(const struct held_list *list, struct view id); /* the index of the first id behind this one */

const struct alias *alias_find(const struct alias_list *list, struct view name);
void aliases_make(struct directory *directory); /* anew, from the organisations */
void alias_list_destroy(struct alias_list *list);
