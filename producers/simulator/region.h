/* The region: which hospitals there are, and who listens. A function of numbers alone, so that every run finds the same
 * organisations. A district has 500 patients, five practices, two care homes and a community team. */
#pragma once

enum {
    DISTRICT_PATIENTS = 500,
    DISTRICT_PRACTICES = 5,
    DISTRICT_HOMES = 2,
    DISTRICT_TEAMS = 1,
    DISTRICT_SUBSCRIBERS = DISTRICT_PRACTICES + DISTRICT_HOMES + DISTRICT_TEAMS,
    HOSPITAL_SITES = 2,
    ODS_SIZE = 11, /* ten characters and a NUL */
};

enum subscriber_kind { PRACTICE, CARE_HOME, COMMUNITY, SUBSCRIBER_KINDS };

struct place_of_care {
    char ods[ODS_SIZE];
    char name[64];
};

void region_hospital(int hospital, struct place_of_care *ret);

int region_subscribers(int patients); /* how many listen for so many patients */
enum subscriber_kind region_subscriber(int subscriber, struct place_of_care *ret);
const char *region_role(enum subscriber_kind kind); /* "gp" ... of its registrations */
