/* Answers of the broker as tables for people. What comes from outside is shown without control characters. */
#pragma once

#include "broker/base/memory.h"
#include "broker/base/result.h"

struct column {
    const char *title;
    const char *path; /* in the item: "channel/kind" */
};

enum { TABLE_COLUMNS = 10 };

struct table {
    const struct column *columns; /* ended by one without title */
    struct view *cells;
    size_t cell_count;
    struct arena arena;
};

/* Adds a row for an object. What it does not have is a dash. */
void table_add(struct table *table, struct view json);
/* Adds a row for each element of the list at path. */
void table_add_list(struct table *table, struct view json, const char *path);
/* To stdout; a row is a line. */
void table_print(struct table *table);
void table_destroy(struct table *table);

/* One object, a member a line; members it does not have are left out. */
void object_print(const struct column *columns, struct view json);
/* The text without control characters, so that it cannot speak to the terminal. */
struct view shown_text(struct arena *arena, struct view text);
