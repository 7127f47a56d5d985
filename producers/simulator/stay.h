/*
 * One patient's way through a hospital, a step at a time.
 *
 *   at home --A04 E--> in ED --A01--> on ward --A03--> discharged, or died --> at home
 *      |                  `------------A03----------------^  |
 *      |--A01--> on ward, --A02--> another ward or site      `--A13--> where they were
 *      `--A04 O--> (a clinic, the same day) at home
 *   A11, right after the A01 or A04: back to where they were, as if never.
 */
#pragma once

#include "producers/simulator/dice.h"

#include <stdbool.h>
#include <stdint.h>

enum whereabouts { AT_HOME, IN_ED, ON_WARD, DISCHARGED, DIED };

/* What the hospital knows of who it is. */
enum identification { IDENTIFIED, WITHOUT_NHS_NUMBER, WITH_A_WRONG_NHS_NUMBER };

struct bed {
    int site, ward, room, bed;
};

struct stay {
    enum whereabouts whereabouts, before; /* before: where an A11 or A13 puts the patient back */
    enum identification identification;
    bool fresh;    /* nothing has happened since the A01 or A04 */
    bool repeated; /* the A01 was sent again already */
    char class;    /* PV1-2 */
    int hospital, consultant, reason, method;
    unsigned visit;
    struct bed bed, left;
    int64_t stepped_ms;                             /* when anything happened last */
    int64_t arrived_ms, admitted_ms, discharged_ms; /* 0: not */
};

/* What the steps of all patients share. */
struct ward_book {
    int hospitals;
    unsigned visits;     /* given so far */
    int dead, dead_most; /* beyond it a death is found to be recorded of the wrong person, so that a region lives on */
};

/* The next thing that happens: its trigger ("A01"), with the stay as it is from then on. NULL: nothing does. */
const char *stay_step(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms);
