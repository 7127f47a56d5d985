/* Rows: where each numbered alert stands, and how one is found by its cause. */
#include "broker/number/inside.h"

#include "broker/base/bytes.h"

struct view number_row_key(struct view subscription, int64_t number, struct buffer *to)
{
    uint8_t tail[9] = {0};
    bytes_put_u64(tail + 1, (uint64_t)number);
    buffer_clear(to);
    buffer_add_view(to, subscription);
    buffer_add(to, tail, sizeof tail);
    return buffer_view(to);
}

void number_row_write(const struct log_record *telling, const struct cause *cause, uint8_t ret[ROW_SIZE])
{
    bytes_put_u32(ret, (uint32_t)telling->partition);
    bytes_put_u64(ret + 4, (uint64_t)telling->offset);
    bytes_put_u32(ret + 12, (uint32_t)cause->topic);
    bytes_put_u32(ret + 16, (uint32_t)cause->partition);
    bytes_put_u64(ret + 20, (uint64_t)cause->offset);
    bytes_put_u32(ret + 28, (uint32_t)cause->index);
}

bool number_row_read(struct view row, struct numbered_alert *ret)
{
    const uint8_t *at = row.data;
    if (row.size != ROW_SIZE)
        return false;
    ret->telling = (struct log_position){(int32_t)bytes_get_u32(at), (int64_t)bytes_get_u64(at + 4)};
    ret->cause = (struct cause){(int32_t)bytes_get_u32(at + 12), (int32_t)bytes_get_u32(at + 16),
                                (int64_t)bytes_get_u64(at + 20), (int32_t)bytes_get_u32(at + 28)};
    return true;
}

enum result number_find(struct store *store, struct view subscription, int64_t number, struct numbered_alert *ret)
{
    struct buffer key = {0}, row = {0};
    enum result result = store_find(store, ROW_SPACE, number_row_key(subscription, number, &key), &row);
    if (result == OK && !number_row_read(buffer_view(&row), ret))
        result = FATAL;
    if (result == OK)
        ret->number = number;
    buffer_destroy(&key);
    buffer_destroy(&row);
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
    struct buffer key = {0}, row = {0};
    int64_t low = 1, high = head;
    bool found = false;
    while (low <= high && !found) {
        int64_t middle = low + (high - low) / 2, at = middle;
        struct numbered_alert alert = {0};
        bool same_source = false;
        for (; at >= low && !same_source; at--) { /* back to the nearest row of the same source partition */
            same_source = fold_find_row(output, ROW_SPACE, number_row_key(subscription, at, &key), &row) == OK &&
                          number_row_read(buffer_view(&row), &alert) && alert.cause.topic == cause->topic &&
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
    buffer_destroy(&row);
    return found;
}
