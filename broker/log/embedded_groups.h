/* How far each group has come, in a small SQLite file of the embedded log. A crash may lose the newest. Any thread. */
#pragma once

#include "broker/log/log.h"

struct embedded_groups;

/* read_only: nothing is made; with no file there, no group has come anywhere. */
enum result embedded_groups_open(const char *path, bool read_only, struct embedded_groups **ret, struct error *err);
void embedded_groups_close(struct embedded_groups *groups);
/* The next offset to read; -1: the group has none. */
enum result embedded_groups_find(struct embedded_groups *groups, const char *group, enum topic topic, int32_t partition,
                                 int64_t *ret, struct error *err);
enum result embedded_groups_put(struct embedded_groups *groups, const char *group, enum topic topic, int32_t partition,
                                int64_t next_offset, struct error *err);
