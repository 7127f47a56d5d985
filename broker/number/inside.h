/* The inside of numbering, for the files of this room. */
#pragma once

#include "broker/number/number.h"

enum { ROW_SPACE = 'n', ROW_SIZE = 32, ROWS_A_BLOCK = 16 };

struct number {
    struct arena arena; /* of the record at hand */
    struct just_numbered *just;
    size_t just_count, just_capacity;
};

/* The next row of a subscription. */
void number_row_put(struct fold_output *output, struct view subscription, int64_t number,
                    const struct log_record *telling, const struct cause *cause);

/* Did the subscription have the telling that `cause` made? Rows of one source partition stand in the order of their
 * causes, so a binary search over the numbers finds it without an index of its own (docs/decisions/0004). */
bool number_was_given(struct fold_output *output, struct view subscription, int64_t head, const struct cause *cause);
