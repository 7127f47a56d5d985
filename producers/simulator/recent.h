/* The newest hashes, so many and no more. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct recent {
    uint64_t *ring;  /* in the order they came */
    uint32_t *table; /* open addressing: a place in the ring and one; 0: free */
    size_t count;    /* ever added */
};

void recent_open(struct recent *recent);
void recent_close(struct recent *recent);
void recent_add(struct recent *recent, uint64_t hash);
bool recent_has(const struct recent *recent, uint64_t hash);
bool recent_has_forgotten(const struct recent *recent);
