/* Sweeps: what still lives in the emptiest segments is written anew with the next commit, so that their files can go.
 */
#include "broker/store/parts.h"

/* The files hold at most twice what lives, and this. */
enum { SLACK = 8 * 1024 * 1024 };

static int64_t garbage_over_limit(const struct values *values)
{
    int64_t total = 0, live = 0;
    for (size_t i = 0; i < values->count; i++) {
        total += values->segments[i].swept ? 0 : values->segments[i].bytes;
        live += values->segments[i].live;
    }
    return total - 2 * live - SLACK;
}

static struct value_segment *emptiest(struct values *values)
{
    struct value_segment *found = NULL;
    for (size_t i = 0; i + 1 < values->count; i++) {
        struct value_segment *segment = &values->segments[i];
        if (segment->swept || segment->bytes == 0)
            continue;
        if (found == NULL || segment->live * (found->bytes / 1024) < found->live * (segment->bytes / 1024))
            found = segment;
    }
    return found;
}

/* A record lives when its row refers to it; one that is to be written over anyway need not be carried. */
static enum result carry(void *context, uint8_t space, struct view key, struct view value,
                         const struct value_place *place)
{
    struct store *store = context;
    struct value_place where;
    if (overlay_find(&store->overlay, space, key) != NULL)
        return OK;
    enum result result = row_place(store, space, key, &where);
    if (result == OK && where.segment == place->segment && where.at == place->at)
        overlay_put(&store->overlay, space, key, value);
    return result == NOTHING ? OK : result;
}

enum result store_sweep(struct store *store)
{
    /* A commit sweeps in measure with what it writes, so that no single one takes long. */
    int64_t budget = 2 * (int64_t)overlay_bytes(&store->overlay);
    enum result result = values_load(&store->values);
    while (result == OK && budget > 0 && garbage_over_limit(&store->values) > 0) {
        struct value_segment *segment = emptiest(&store->values);
        if (segment == NULL)
            break;
        budget -= segment->bytes;
        result = values_each(&store->values, segment, carry, store);
        segment->swept = segment->changed = result == OK;
    }
    return result;
}
