/* Organisations by number. */
#include "producers/simulator/region.h"

#include <stdio.h>

static const char *const towns[] = {"Exampleton",   "Sampleford", "Mockbury",   "Testwick",  "Trialham",
                                    "Placeholding", "Specimen",   "Dummock",    "Draftley",  "Prototon",
                                    "Fictham",      "Notreal",    "Imagineham", "Pretendle", "Makebeliefe",
                                    "Inventon",     "Hypothorpe", "Supposeby",  "Simulby",   "Modelton"};

enum { TOWNS = sizeof towns / sizeof towns[0] };

void region_hospital(int hospital, struct place_of_care *ret)
{
    unsigned number = (unsigned)hospital;
    (void)snprintf(ret->ods, sizeof ret->ods, "R%u%c", number / 26 % 10, 'A' + (char)(number % 26));
    (void)snprintf(ret->name, sizeof ret->name, "%s Hospital (simulated)", towns[number % TOWNS]);
}

int region_subscribers(int patients)
{
    return (patients + DISTRICT_PATIENTS - 1) / DISTRICT_PATIENTS * DISTRICT_SUBSCRIBERS;
}

enum subscriber_kind region_subscriber(int subscriber, struct place_of_care *ret)
{
    unsigned district = (unsigned)subscriber / DISTRICT_SUBSCRIBERS,
             place = (unsigned)subscriber % DISTRICT_SUBSCRIBERS;
    if (place < DISTRICT_PRACTICES) {
        unsigned number = district * DISTRICT_PRACTICES + place;
        (void)snprintf(ret->ods, sizeof ret->ods, "A%05u", (81001 + number) % 100000);
        (void)snprintf(ret->name, sizeof ret->name, "%s Practice %u (simulated)", towns[number % TOWNS], number + 1);
        return PRACTICE;
    }
    if (place < DISTRICT_PRACTICES + DISTRICT_HOMES) {
        unsigned number = district * DISTRICT_HOMES + place - DISTRICT_PRACTICES;
        (void)snprintf(ret->ods, sizeof ret->ods, "VN%03u", (number + 1) % 100000);
        (void)snprintf(ret->name, sizeof ret->name, "%s House %u (simulated)", towns[number % TOWNS], number + 1);
        return CARE_HOME;
    }
    (void)snprintf(ret->ods, sizeof ret->ods, "NL%03u", (district + 1) % 100000);
    (void)snprintf(ret->name, sizeof ret->name, "%s Community Team %u (simulated)", towns[district % TOWNS],
                   district + 1);
    return COMMUNITY;
}

const char *region_role(enum subscriber_kind kind)
{
    static const char *const roles[SUBSCRIBER_KINDS] = {"gp", "care-home", "community"};
    return roles[kind];
}
