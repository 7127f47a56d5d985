/*
 * The views of one process on one table. A view keeps its look at the file between finds, since taking one costs more
 * than the find; the writer ends all looks after each commit, so none is older than what was answered, and pauses the
 * views while it empties the write-ahead log, which a look would hold back for ever.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>

struct sqlite3;

/* What the writer needs of a view. */
struct compacted_look {
    struct compacted_look *next;
    pthread_mutex_t mutex; /* held during each use of the connection */
    struct sqlite3 *database;
    bool is_taken;
};

struct compacted_views {
    pthread_mutex_t mutex;
    struct compacted_look *first;
};

void compacted_views_add(struct compacted_views *views, struct compacted_look *look);
void compacted_views_remove(struct compacted_views *views, struct compacted_look *look);
/* Ends every look; until resumed, none begins. */
void compacted_views_pause(struct compacted_views *views);
void compacted_views_resume(struct compacted_views *views);
