/* A made-up person: a function of the seed and a number, so that nothing needs to be remembered. */
#pragma once

#include "producers/simulator/region.h"

#include <stdint.h>

enum { NHS_NUMBER_SIZE = 11, NOBODY = -1 };

struct person {
    char nhs_number[NHS_NUMBER_SIZE];
    const char *family, *given, *title, *street, *town;
    char sex; /* 'F' or 'M' */
    char birth_date[9];
    unsigned house;
    unsigned local_number;             /* in every hospital's own series */
    int subscribers[SUBSCRIBER_KINDS]; /* who looks after them, by kind; NOBODY */
};

void person_read(uint64_t seed, int number, struct person *ret);
/* The number-th synthetic NHS number of this seed, each different up to 899,999, check digit right. */
void person_nhs_number(uint64_t seed, int number, char ret[NHS_NUMBER_SIZE]);
