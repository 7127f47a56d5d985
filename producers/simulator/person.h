/* A made-up person: a function of a number alone. So nothing needs to be remembered, and every run, whatever its seed,
 * finds the same people registered to the same practices. */
#pragma once

#include "producers/simulator/region.h"

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

void person_read(int number, struct person *ret);
/* The number-th synthetic NHS number: each different up to 899,999, check digit right. */
void person_nhs_number(int number, char ret[NHS_NUMBER_SIZE]);
