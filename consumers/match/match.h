/*
 * Matching: the fold over one patient's events that decides who is to be told. A pure function of (rules, state,
 * event); the same log always gives the same tellings (design, section 2: promise).
 */
#pragma once

#include "broker/fold/fold.h"

enum result match_apply(void *context, const struct fold_input *input, struct fold_output *output, struct error *err);
/* The fold that runs it: name "match", over tidings.events, states sealed. */
struct fold match_fold(void);
