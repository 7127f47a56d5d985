/* Positions as text and back. */
#include "broker/record/position.h"

#include <stdio.h>

static const char letters[TOPIC_COUNT] = {'e', 'a', 'd', 'k', 'q', 'u'};

struct view position_to_text(enum topic topic, const struct log_position *position, char ret[POSITION_TEXT_SIZE])
{
    int size = snprintf(ret, POSITION_TEXT_SIZE, "%c.%d.%lld", letters[topic], position->partition,
                        (long long)position->offset);
    return view_make(ret, (size_t)size);
}

static bool one_from_text(struct view text, struct topic_position *ret)
{
    const char *at = text.data;
    if (text.size < 5 || at[1] != '.')
        return false;
    const char *letter = memchr(letters, at[0], TOPIC_COUNT);
    const char *dot = memchr(at + 2, '.', text.size - 2);
    int64_t partition, offset;
    if (letter == NULL || dot == NULL || !view_to_number(view_make(at + 2, (size_t)(dot - at - 2)), &partition) ||
        !view_to_number(view_after(text, (size_t)(dot - at + 1)), &offset) || partition > INT32_MAX)
        return false;
    *ret = (struct topic_position){(enum topic)(letter - letters), {(int32_t)partition, offset}};
    return true;
}

bool positions_from_text(struct view text, struct topic_position ret[POSITIONS_LIMIT], size_t *ret_count)
{
    size_t count = 0;
    for (;;) {
        const char *comma = text.size == 0 ? NULL : memchr(text.data, ',', text.size);
        size_t size = comma == NULL ? text.size : (size_t)(comma - (const char *)text.data);
        if (count == POSITIONS_LIMIT || !one_from_text(view_make(text.data, size), &ret[count]))
            return false;
        count++;
        if (comma == NULL)
            break;
        text = view_after(text, size + 1);
    }
    *ret_count = count;
    return true;
}
