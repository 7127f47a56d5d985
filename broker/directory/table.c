/* Sorted lists of objects and of the names they go by. */
#include "broker/directory/inside.h"

#include <stdlib.h>

static size_t place_of(const struct held_list *list, struct view id, bool behind)
{
    size_t low = 0, high = list->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = view_compare(list->items[middle]->id, id);
        if (order < 0 || (behind && order == 0))
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

size_t held_after(const struct held_list *list, struct view id)
{
    return id.data == NULL ? 0 : place_of(list, id, true);
}

struct held *held_find(const struct held_list *list, struct view id)
{
    size_t place = place_of(list, id, false);
    return place < list->count && view_is(list->items[place]->id, id) ? list->items[place] : NULL;
}

struct held *held_put(struct held_list *list, struct held *item)
{
    size_t place = place_of(list, item->id, false);
    if (place < list->count && view_is(list->items[place]->id, item->id)) {
        struct held *old = list->items[place];
        list->items[place] = item;
        return old;
    }
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = memory_grow(list->items, list->capacity * sizeof *list->items);
    }
    memmove(list->items + place + 1, list->items + place, (list->count - place) * sizeof *list->items);
    list->items[place] = item;
    list->count++;
    return NULL;
}

void held_list_keep(struct held_list *list, bool (*keep)(void *context, const struct held *item), void *context)
{
    size_t kept = 0;
    for (size_t i = 0; i < list->count; i++) {
        if (keep(context, list->items[i]))
            list->items[kept++] = list->items[i];
        else
            held_destroy(list->items[i]);
    }
    list->count = kept;
}

void held_destroy(struct held *item)
{
    if (item == NULL)
        return;
    time_zone_close(item->zone);
    arena_destroy(&item->arena);
    free(item);
}

void held_list_destroy(struct held_list *list)
{
    for (size_t i = 0; i < list->count; i++)
        held_destroy(list->items[i]);
    free(list->items);
}

static int alias_order(const void *a, const void *b)
{
    return view_compare(((const struct alias *)a)->name, ((const struct alias *)b)->name);
}

const struct alias *alias_find(const struct alias_list *list, struct view name)
{
    struct alias wanted = {.name = name};
    return list->count == 0 ? NULL : bsearch(&wanted, list->items, list->count, sizeof wanted, alias_order);
}

static void alias_add(struct alias_list *list, struct view name, struct held *owner)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        list->items = memory_grow(list->items, list->capacity * sizeof *list->items);
    }
    list->items[list->count++] = (struct alias){name, owner};
}

void aliases_make(struct directory *directory)
{
    directory->hl7_names.count = directory->sources.count = 0;
    for (size_t i = 0; i < directory->organisations.count; i++) {
        struct held *owner = directory->organisations.items[i];
        for (size_t j = 0; j < owner->organisation.hl7_name_count; j++)
            alias_add(&directory->hl7_names, owner->organisation.hl7_names[j], owner);
        for (size_t j = 0; j < owner->organisation.source_count; j++)
            alias_add(&directory->sources, owner->organisation.sources[j], owner);
    }
    if (directory->hl7_names.count > 0)
        qsort(directory->hl7_names.items, directory->hl7_names.count, sizeof(struct alias), alias_order);
    if (directory->sources.count > 0)
        qsort(directory->sources.items, directory->sources.count, sizeof(struct alias), alias_order);
}

void alias_list_destroy(struct alias_list *list)
{
    free(list->items);
}
