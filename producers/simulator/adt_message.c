/* Segment by segment. Hospitals differ as real ones do: in how they write an NHS number, and in which answers they
 * want. */
#include "producers/simulator/adt_message.h"

#include <stdio.h>

enum { WRITTEN_TIME_SIZE = 15 };

static const char *const wards[] = {"WILLOW", "OAK",   "BEECH", "ASH",  "ROWAN", "HAZEL",
                                    "ELM",    "BIRCH", "MAPLE", "LIME", "ALDER", "YEW"};
static const char *const reasons[] = {"Fall at home", "Chest pain",     "Shortness of breath", "Planned operation",
                                      "Confusion",    "Abdominal pain", "Infection",           "Observation"};
static const char *const doctors[] = {"Fixture", "Mockwell", "Stubbs", "Exampleman", "Testwood"};

enum {
    WARD_COUNT = sizeof wards / sizeof wards[0],
    REASON_COUNT = sizeof reasons / sizeof reasons[0],
    DOCTOR_COUNT = sizeof doctors / sizeof doctors[0]
};

/* "20261123101530" on the hospital's wall. */
static const char *local_time(const struct time_zone *zone, int64_t ms, char ret[WRITTEN_TIME_SIZE])
{
    struct time_fields f = time_to_fields_utc(ms + (int64_t)time_zone_offset_s(zone, ms) * 1000);
    (void)snprintf(ret, WRITTEN_TIME_SIZE, "%04u%02u%02u%02u%02u%02u", (unsigned)f.year % 10000,
                   (unsigned)f.month % 100, (unsigned)f.day % 100, (unsigned)f.hour % 100, (unsigned)f.minute % 100,
                   (unsigned)f.second % 100);
    return ret;
}

static void msh_write(const struct adt_message *message, const char *ods, const char *now, struct buffer *to)
{
    static const char *const structures[][2] = {{"A01", "ADT_A01"}, {"A02", "ADT_A02"}, {"A03", "ADT_A03"},
                                                {"A04", "ADT_A01"}, {"A11", "ADT_A09"}, {"A13", "ADT_A01"}};
    const char *structure = "ADT_A01";
    for (size_t i = 0; i < sizeof structures / sizeof structures[0]; i++)
        if (strcmp(structures[i][0], message->trigger) == 0)
            structure = structures[i][1];
    /* Some senders name the site, some the organisation; some want an accept answer (CA), most the original AA. */
    bool by_site = message->stay->hospital % 3 == 1, enhanced = message->stay->hospital % 3 == 2;
    buffer_add_format(to, "MSH|^~\\&|SIMPAS|%s%s|TIDINGS|REGION|%s||ADT^%s^%s|%s|P|2.4|||%s|%s|GBR|ASCII\r", ods,
                      by_site ? "01" : "", now, message->trigger, structure, message->id, enhanced ? "AL" : "",
                      enhanced ? "NE" : "");
}

/* The NHS number, as the hospital writes it, and whether it is one. */
static void nhs_number_write(const struct adt_message *message, struct buffer *to)
{
    char digits[NHS_NUMBER_SIZE];
    memcpy(digits, message->person->nhs_number, sizeof digits);
    if (message->stay->identification == WITHOUT_NHS_NUMBER)
        return;
    if (message->stay->identification == WITH_A_WRONG_NHS_NUMBER)
        digits[9] = digits[9] == '9' ? '0' : (char)(digits[9] + 1);
    if (message->stay->hospital % 3 == 0)
        buffer_add_format(to, "%s^^^NHS^NH~", digits);
    else if (message->stay->hospital % 3 == 1)
        buffer_add_format(to, "%s^^^NHSNBR^NHSNMBR~", digits);
    else
        buffer_add_format(to, "%.3s %.3s %.4s^NSTS01^^NHS^NHS~", digits, digits + 3, digits + 6);
}

/* Who is not identified gets a number of this visit, so that nothing else is ever known under it. */
static void local_number_write(const struct adt_message *message, const char *ods, struct buffer *to)
{
    if (message->stay->identification == IDENTIFIED)
        buffer_add_format(to, "%u^^^%s^MR", message->person->local_number, ods);
    else
        buffer_add_format(to, "T%s%u^^^%s^MR", message->tag, message->stay->visit, ods);
}

static void pid_write(const struct adt_message *message, const char *ods, const struct time_zone *zone,
                      struct buffer *to)
{
    const struct person *person = message->person;
    const struct stay *stay = message->stay;
    char died[WRITTEN_TIME_SIZE] = "";
    if (stay->whereabouts == DIED)
        (void)local_time(zone, stay->discharged_ms, died);
    buffer_add_text(to, "PID|1||");
    nhs_number_write(message, to);
    local_number_write(message, ods, to);
    buffer_add_format(to, "||%s^%s^^^%s^^L||%s|%c|||%u %s^^%s^^ZZ99 3VZ^GBR^H", person->family, person->given,
                      person->title, person->birth_date, person->sex, person->house, person->street, person->town);
    buffer_add_format(to, "||01632 960%03u^PRN^PH||||||||||||||||%s|%s||%s\r", person->house, died,
                      stay->whereabouts == DIED ? "Y" : "N", stay->identification == IDENTIFIED ? "01" : "03");
}

static void pd1_write(const struct adt_message *message, struct buffer *to)
{
    struct place_of_care practice;
    (void)region_subscriber(message->person->subscribers[PRACTICE], &practice);
    buffer_add_format(to, "PD1|||%s^^%s\r", practice.name, practice.ods);
}

static void place_write(const char *ods, const struct stay *stay, const struct bed *bed, struct buffer *to)
{
    if (stay->class == 'E')
        buffer_add_format(to, "A\\T\\E^%d^%d^%s%02d", bed->room, bed->bed, ods, bed->site + 1);
    else if (stay->class == 'O')
        buffer_add_format(to, "CLINIC %d^^^%s%02d", bed->room, ods, bed->site + 1);
    else
        buffer_add_format(to, "%s^%d^%d^%s%02d", wards[bed->ward % WARD_COUNT], bed->room, bed->bed, ods,
                          bed->site + 1);
}

static void pv1_write(const struct adt_message *message, const char *ods, const struct time_zone *zone,
                      struct buffer *to)
{
    const struct stay *stay = message->stay;
    char began[WRITTEN_TIME_SIZE], ended[WRITTEN_TIME_SIZE] = "";
    bool emergency = stay->class == 'E' || (stay->class == 'I' && stay->arrived_ms != stay->admitted_ms);
    buffer_add_format(to, "PV1|1|%c|", stay->class);
    place_write(ods, stay, &stay->bed, to);
    buffer_add_format(to, "|%s||", stay->class == 'O' ? "" : emergency ? "21" : "11");
    if (strcmp(message->trigger, "A02") == 0)
        place_write(ods, stay, &stay->left, to);
    buffer_add_format(to, "|C%07d^%s^Dee^^^Dr|||%s||||%s||||%s|V%s%u", 4000000 + stay->consultant,
                      doctors[stay->consultant % DOCTOR_COUNT], stay->class == 'E' ? "180" : "300",
                      emergency ? "19" : "11", stay->class == 'E' ? "ED" : "", message->tag, stay->visit);
    bool admitted = stay->class != 'E' && stay->class != 'O';
    (void)local_time(zone, admitted ? stay->admitted_ms : stay->arrived_ms, began);
    buffer_add_text(to, "|||||||||||||||||");
    if (stay->discharged_ms != 0) {
        buffer_add_format(to, "%d|%s", stay->method, stay->whereabouts == DIED ? "79" : "19");
        (void)local_time(zone, stay->discharged_ms, ended);
    } else {
        buffer_add_text(to, "|");
    }
    buffer_add_format(to, "|||||||%s|%s\r", began, ended);
}

void adt_message_write(const struct adt_message *message, const struct time_zone *zone, struct buffer *to)
{
    struct place_of_care hospital;
    char now[WRITTEN_TIME_SIZE];
    const struct stay *stay = message->stay;
    bool starts = strcmp(message->trigger, "A01") == 0 || strcmp(message->trigger, "A04") == 0;
    region_hospital(stay->hospital, &hospital);
    (void)local_time(zone, message->time_ms, now);
    msh_write(message, hospital.ods, now, to);
    buffer_add_format(to, "EVN|%s|%s|||SIM^Clerk^Ward|%s\r", message->trigger, now, now);
    pid_write(message, hospital.ods, zone, to);
    pd1_write(message, to);
    pv1_write(message, hospital.ods, zone, to);
    if (starts)
        buffer_add_format(to, "PV2|||^%s\r", reasons[stay->reason % REASON_COUNT]);
    if (starts && message->stay->hospital % 2 == 1)
        buffer_add_text(to, "ZSI|1|made up by a simulator\r");
}
