/* The views of one process on one table. */
#include "broker/log/compacted_views.h"

#include <sqlite3.h>

void compacted_views_add(struct compacted_views *views, struct compacted_look *look)
{
    (void)pthread_mutex_lock(&views->mutex);
    look->next = views->first;
    views->first = look;
    (void)pthread_mutex_unlock(&views->mutex);
}

void compacted_views_remove(struct compacted_views *views, struct compacted_look *look)
{
    (void)pthread_mutex_lock(&views->mutex);
    for (struct compacted_look **place = &views->first; *place != NULL; place = &(*place)->next) {
        if (*place == look) {
            *place = look->next;
            break;
        }
    }
    (void)pthread_mutex_unlock(&views->mutex);
}

void compacted_views_pause(struct compacted_views *views)
{
    (void)pthread_mutex_lock(&views->mutex);
    for (struct compacted_look *look = views->first; look != NULL; look = look->next) {
        (void)pthread_mutex_lock(&look->mutex);
        if (look->is_taken)
            (void)sqlite3_exec(look->database, "COMMIT", NULL, NULL, NULL);
        look->is_taken = false;
    }
}

void compacted_views_resume(struct compacted_views *views)
{
    for (struct compacted_look *look = views->first; look != NULL; look = look->next)
        (void)pthread_mutex_unlock(&look->mutex);
    (void)pthread_mutex_unlock(&views->mutex);
}
