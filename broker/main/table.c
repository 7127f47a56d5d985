/* Answers of the broker as tables for people. */
#include "broker/main/table.h"

#include "broker/codec/cloudevent.h"

#include <stdio.h>
#include <stdlib.h>

struct view shown_text(struct arena *arena, struct view text)
{
    char *copy = arena_take(arena, text.size + 1);
    for (size_t i = 0; i < text.size; i++) {
        unsigned char byte = ((const unsigned char *)text.data)[i];
        copy[i] = byte < 0x20 || byte == 0x7F ? '?' : (char)byte;
    }
    return view_make(copy, text.size);
}

struct joining {
    struct buffer text;
};

static bool join(void *context, struct view element)
{
    struct joining *joining = context;
    if (joining->text.size > 0)
        buffer_add_text(&joining->text, ", ");
    buffer_add_view(&joining->text, element);
    return true;
}

/* A list is shown with commas. NULL data: not there. */
static struct view cell_find(struct arena *arena, struct view json, const char *path)
{
    struct view found;
    if (json_find(json, path, arena, &found) != OK)
        return VIEW_NONE;
    if (found.size == 0 || *(const char *)found.data != '[')
        return shown_text(arena, found);
    struct joining joining = {0};
    if (json_each(found, "", arena, join, &joining) == OK)
        found = buffer_view(&joining.text);
    found = shown_text(arena, found);
    buffer_destroy(&joining.text);
    return found;
}

static size_t column_count(const struct column *columns)
{
    size_t count = 0;
    while (columns[count].title != NULL)
        count++;
    return count;
}

void table_add(struct table *table, struct view json)
{
    size_t count = column_count(table->columns);
    table->cells = memory_grow(table->cells, (table->cell_count + count) * sizeof *table->cells);
    for (size_t i = 0; i < count; i++) {
        struct view cell = cell_find(&table->arena, json, table->columns[i].path);
        table->cells[table->cell_count++] = cell.data == NULL ? VIEW("-") : cell;
    }
}

static bool table_add_one(void *context, struct view element)
{
    table_add(context, element);
    return true;
}

void table_add_list(struct table *table, struct view json, const char *path)
{
    (void)!json_each(json, path, &table->arena, table_add_one, table);
}

/* Characters, as far as UTF-8 says: a byte that goes on with a character is none. */
static int width_of(struct view text)
{
    int width = 0;
    for (size_t i = 0; i < text.size; i++)
        width += (((const unsigned char *)text.data)[i] & 0xC0) != 0x80;
    return width;
}

static void cell_print(struct view text, int width)
{
    (void)fwrite(text.data, 1, text.size, stdout);
    int rest = width - width_of(text);
    printf("%*s", rest > 0 ? rest : 0, "");
}

void table_print(struct table *table)
{
    size_t count = column_count(table->columns), rows = count == 0 ? 0 : table->cell_count / count;
    int widths[TABLE_COLUMNS] = {0};
    for (size_t i = 0; i < count; i++) {
        widths[i] = (int)strlen(table->columns[i].title);
        for (size_t row = 0; row < rows; row++) {
            int width = width_of(table->cells[row * count + i]);
            widths[i] = width > widths[i] ? width : widths[i];
        }
    }
    for (size_t row = 0; row <= rows; row++) {
        for (size_t i = 0; i < count; i++) {
            struct view text = row == 0 ? view_of_text(table->columns[i].title) : table->cells[(row - 1) * count + i];
            cell_print(text, i + 1 == count ? 0 : widths[i] + 2);
        }
        printf("\n");
    }
}

void table_destroy(struct table *table)
{
    free(table->cells);
    arena_destroy(&table->arena);
    *table = (struct table){0};
}

void object_print(const struct column *columns, struct view json)
{
    struct arena arena = {0};
    int widest = 0;
    for (const struct column *column = columns; column->title != NULL; column++) {
        int width = (int)strlen(column->title);
        widest = width > widest ? width : widest;
    }
    for (const struct column *column = columns; column->title != NULL; column++) {
        struct view cell = cell_find(&arena, json, column->path);
        if (cell.data == NULL || cell.size == 0)
            continue;
        cell_print(view_of_text(column->title), widest + 2);
        cell_print(cell, 0);
        printf("\n");
    }
    arena_destroy(&arena);
}
