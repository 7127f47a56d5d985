/* Rows: where each numbered alert stands, kept in blocks so that a commit writes few of them; and how one is found by
 * its cause. */
#include "broker/number/inside.h"

#include "broker/base/bytes.h"

/* A block's key: subscription, 00, the number of the block. */
static struct view block_key(struct view subscription, int64_t number, struct buffer *to)
{
    uint8_t tail[9] = {0};
    bytes_put_u64(tail + 1, (uint64_t)(number - 1) / ROWS_A_BLOCK);
    buffer_clear(to);
    buffer_add_view(to, subscription);
    buffer_add(to, tail, sizeof tail);
    return buffer_view(to);
}

static size_t place_in_block(int64_t number)
{
    return (size_t)((number - 1) % ROWS_A_BLOCK) * ROW_SIZE;
}

static void row_encode(const struct log_record *telling, const struct cause *cause, uint8_t ret[ROW_SIZE])
{
    bytes_put_u32(ret, (uint32_t)telling->partition);
    bytes_put_u64(ret + 4, (uint64_t)telling->offset);
    bytes_put_u32(ret + 12, (uint32_t)cause->topic);
    bytes_put_u32(ret + 16, (uint32_t)cause->partition);
    bytes_put_u64(ret + 20, (uint64_t)cause->offset);
    bytes_put_u32(ret + 28, (uint32_t)cause->index);
}

void number_row_put(struct fold_output *output, struct view subscription, int64_t number,
                    const struct log_record *telling, const struct cause *cause)
{
    struct buffer key = {0}, block = {0};
    uint8_t row[ROW_SIZE];
    struct view name = block_key(subscription, number, &key);
    enum result result = place_in_block(number) == 0 ? NOTHING : fold_find_row(output, ROW_SPACE, name, &block);
    if (result == NOTHING)
        buffer_clear(&block);
    if (block.size > place_in_block(number))
        block.size = place_in_block(number);
    row_encode(telling, cause, row);
    buffer_add(&block, row, sizeof row);
    if (result == OK || result == NOTHING) /* else the record will not count as applied */
        fold_put_row(output, ROW_SPACE, name, buffer_view(&block));
    buffer_destroy(&key);
    buffer_destroy(&block);
}

/* False: there is no such row in the block. */
static bool row_decode(struct view block, int64_t number, struct numbered_alert *ret)
{
    size_t place = place_in_block(number);
    if (block.size < place + ROW_SIZE)
        return false;
    const uint8_t *at = (const uint8_t *)block.data + place;
    ret->number = number;
    ret->telling = (struct log_position){(int32_t)bytes_get_u32(at), (int64_t)bytes_get_u64(at + 4)};
    ret->cause = (struct cause){(int32_t)bytes_get_u32(at + 12), (int32_t)bytes_get_u32(at + 16),
                                (int64_t)bytes_get_u64(at + 20), (int32_t)bytes_get_u32(at + 28)};
    return true;
}

enum result number_find(struct store *store, struct view subscription, int64_t number, struct numbered_alert *ret)
{
    struct buffer key = {0}, block = {0};
    if (number < 1)
        return NOTHING;
    enum result result = store_find(store, ROW_SPACE, block_key(subscription, number, &key), &block);
    if (result == OK && !row_decode(buffer_view(&block), number, ret))
        result = NOTHING;
    buffer_destroy(&key);
    buffer_destroy(&block);
    return result;
}

static int cause_compare(const struct cause *a, const struct cause *b)
{
    if (a->offset != b->offset)
        return a->offset < b->offset ? -1 : 1;
    return (a->index > b->index) - (a->index < b->index);
}

bool number_was_given(struct fold_output *output, struct view subscription, int64_t head, const struct cause *cause)
{
    struct buffer key = {0}, block = {0};
    int64_t low = 1, high = head;
    bool found = false;
    while (low <= high && !found) {
        int64_t middle = low + (high - low) / 2, at = middle;
        struct numbered_alert alert = {0};
        bool same_source = false;
        for (; at >= low && !same_source; at--) { /* back to the nearest row of the same source partition */
            same_source = fold_find_row(output, ROW_SPACE, block_key(subscription, at, &key), &block) == OK &&
                          row_decode(buffer_view(&block), at, &alert) && alert.cause.topic == cause->topic &&
                          alert.cause.partition == cause->partition;
        }
        int order = same_source ? cause_compare(&alert.cause, cause) : -1;
        found = same_source && order == 0;
        if (order < 0)
            low = middle + 1;
        else
            high = at; /* at stands one before the row that was compared */
    }
    buffer_destroy(&key);
    buffer_destroy(&block);
    return found;
}
