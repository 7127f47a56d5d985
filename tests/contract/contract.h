/*
 * What a log must do, whichever it is: one fixture an implementation, one set of sentences for all.
 *
 * A place is where a log can be opened, closed and opened again; a new one has no log in it yet.
 */
#pragma once

#include "broker/base/buffer.h"
#include "broker/log/log.h"

#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

enum { PARTITIONS = 4, DEADLINE_MS = 30 * 1000 };

struct contract {
    const char *name;
    /* NULL: cannot be made here; the suite is skipped with the reason. */
    void *(*make)(struct error *err);
    void (*remove)(void *place);
    enum result (*open)(void *place, int32_t partitions, bool read_only, struct log **ret, struct error *err);
    /* Kills what makes records durable and starts it again, while logs may be open. NULL: it is the process that
     * opened. */
    void (*restart)(void *place);
    /* The data folder, whose files can be harmed. NULL: not ours to harm. */
    const char *(*folder)(void *place);
    bool has_one_owner;
};

extern const struct contract contract_embedded, contract_faulty, contract_kafka;

/* What one sentence works with. */
struct world {
    const struct contract *contract;
    void *place;
    struct log *log;
    struct log_appender *appender;
    struct error err;
};

void world_choose(const struct contract *contract); /* for all sentences from here on */
int world_set_up(void **state);
int world_tear_down(void **state);
void world_open(struct world *world); /* with PARTITIONS, and an appender */
void world_close(struct world *world);

struct log_entry entry_of(enum topic topic, int32_t partition, const char *key, const char *value);
/* Appends one record durably; returns its offset. */
int64_t append(struct world *world, enum topic topic, int32_t partition, const char *key, const char *value);
/* Appends, trying again when told so, until it is durable. */
void append_surely(struct world *world, const struct log_entry *entries, size_t count);
/* The next answer, within the deadline. */
struct log_answer collect(struct log_appender *appender);

/* What was read. */
struct seen {
    int32_t partition;
    int64_t offset, ordinal;
    char key[64], value[64]; /* the beginning, and a NUL */
    size_t value_size;
    bool is_tombstone;
};
struct seen_list {
    struct seen *items;
    size_t count, capacity;
};

/* Where to start: start_at's context. */
int64_t start_at_beginning(void *context, int32_t partition, int64_t committed);
int64_t start_at_end(void *context, int32_t partition, int64_t committed);
int64_t start_at_committed(void *context, int32_t partition, int64_t committed); /* beginning, when there is none */
int64_t start_at(void *positions, int32_t partition, int64_t committed);         /* int64_t[] by partition */
typedef int64_t start_function(void *context, int32_t partition, int64_t committed);

struct log_reader *reader_open(struct world *world, enum topic topic, const char *group, start_function *start,
                               void *context);
/* Reads until there are count records, within the deadline. */
void read_until(struct log_reader *reader, size_t count, struct seen_list *list);
/* Reads what is there; stops when there is nothing for a moment. */
void read_all(struct log_reader *reader, struct seen_list *list);
/* The first result of log_read that is not "nothing yet". */
enum result read_result(struct log_reader *reader, struct error *err);
void seen_clear(struct seen_list *list);
bool seen_is(const struct seen *seen, const char *key, const char *value);

/* The sentences, a file a theme. */
struct CMUnitTest;
extern const struct CMUnitTest appending_sentences[], reading_sentences[], finding_sentences[], opening_sentences[],
    failing_sentences[], file_sentences[], kafka_sentences[];
extern const size_t appending_sentence_count, reading_sentence_count, finding_sentence_count, opening_sentence_count,
    failing_sentence_count, file_sentence_count, kafka_sentence_count;

#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)
#define SENTENCES(theme, ...)                                                                                          \
    const struct CMUnitTest theme##_sentences[] = {__VA_ARGS__};                                                       \
    const size_t theme##_sentence_count = sizeof theme##_sentences / sizeof *theme##_sentences
