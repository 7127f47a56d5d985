/* Words that people type: the one they may have meant (edit distance with swaps). */
#include "broker/main/word.h"

#include <string.h>

enum { WORD_LIMIT = 32 }; /* longer words of ours there are none */

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t word_distance(const char *a, const char *b)
{
    size_t rows[WORD_LIMIT + 1][WORD_LIMIT + 1];
    size_t size_a = strlen(a), size_b = strlen(b);
    if (size_a > WORD_LIMIT || size_b > WORD_LIMIT)
        return WORD_LIMIT;
    for (size_t i = 0; i <= size_a; i++) {
        for (size_t j = 0; j <= size_b; j++) {
            if (i == 0 || j == 0) {
                rows[i][j] = i + j;
                continue;
            }
            rows[i][j] = least(least(rows[i - 1][j], rows[i][j - 1]) + 1, rows[i - 1][j - 1] + (a[i - 1] != b[j - 1]));
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                rows[i][j] = least(rows[i][j], rows[i - 2][j - 2] + 1);
        }
    }
    return rows[size_a][size_b];
}

bool word_is_near(const char *given, const char *known)
{
    size_t size = strlen(given);
    if (size >= 3 && strncmp(given, known, size) == 0)
        return true; /* its beginning */
    return word_distance(given, known) <= (size < 5 ? 1 : size < 9 ? 2 : 3);
}
