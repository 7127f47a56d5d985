/* Durations as people write them. */
#include "broker/main/duration.h"

#include "broker/base/view.h"

#define LONGEST_MS (100LL * 366 * 24 * 3600 * 1000)

bool duration_read(const char *text, int64_t *ret_ms)
{
    static const struct {
        const char *unit;
        int64_t ms;
    } units[] = {{"ms", 1}, {"s", 1000}, {"m", 60 * 1000}, {"h", 3600 * 1000}, {"d", 24LL * 3600 * 1000}};
    size_t digits = strspn(text, "0123456789");
    int64_t number;
    if (!view_to_number(view_make(text, digits), &number))
        return false;
    if (number == 0 && text[digits] == '\0') {
        *ret_ms = 0;
        return true;
    }
    for (size_t i = 0; i < sizeof units / sizeof units[0]; i++) {
        if (strcmp(text + digits, units[i].unit) != 0)
            continue;
        if (number > LONGEST_MS / units[i].ms)
            return false;
        *ret_ms = number * units[i].ms;
        return true;
    }
    return false;
}
