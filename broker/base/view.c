/* What is read out of borrowed text. */
#include "broker/base/view.h"

bool view_to_number(struct view text, int64_t *ret)
{
    const unsigned char *byte = text.data;
    int64_t number = 0;
    if (text.size == 0 || text.size > 18)
        return false;
    for (size_t i = 0; i < text.size; i++) {
        if (byte[i] < '0' || byte[i] > '9')
            return false;
        number = number * 10 + (byte[i] - '0');
    }
    *ret = number;
    return true;
}
