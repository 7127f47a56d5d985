/* The inside of a keyring, for the files of this room. */
#pragma once

#include "broker/record/record.h"

struct keyring {
    const struct vault *vault;
    struct log_fetcher *fetcher;
    struct key_cache *cache;
    struct buffer name, value, plain;
    struct arena arena;
};
