/* A topic read from its beginning to where it ended when it was opened: for `verify` and `recover`. */
#pragma once

#include "broker/log/log.h"

struct bounded {
    enum topic topic;
    struct log_reader *reader;
    int64_t *ends; /* by partition: the offset behind the last record that is read */
    int64_t *next; /* by partition: the offset behind the last record that was read */
    int32_t partitions, unfinished;
    int64_t records;   /* given so far */
    int64_t silent_ms; /* since when nothing came; 0: something did */
};

enum result bounded_open(struct log *log, struct log_fetcher *fetcher, enum topic topic, struct bounded *ret,
                         struct error *err);
void bounded_close(struct bounded *bounded);

/*
 * Calls each for what comes next, at most about `most` records. Stops at the first answer that is not OK, and gives it
 * back. NOTHING: the end is reached. REJECTED: records that are to be there do not come.
 */
enum result bounded_read(struct bounded *bounded, size_t most,
                         enum result (*each)(void *context, const struct log_record *record, struct error *err),
                         void *context, struct error *err);
/* "tidings.events partition 3, offset 4711" */
enum { POSITION_WORDS_SIZE = 80 };
const char *position_words(enum topic topic, int32_t partition, int64_t offset, char ret[POSITION_WORDS_SIZE]);
