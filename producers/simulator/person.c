/* Names that nobody has, ages as hospitals see them, and who looks after whom. */
#include "producers/simulator/person.h"

#include "producers/simulator/dice.h"

#include <stdio.h>
#include <string.h>

static const char *const families[] = {
    "Testerton",   "Samplewell", "Mockford",  "Dummond",      "Fauxley",     "Exampleby", "Trialsworth",
    "Placeholder", "Notreally",  "Inventson", "Madeupton",    "Pretendham",  "Fictious",  "Simulace",
    "Draftwood",   "Prototyper", "Specimann", "Imaginer",     "Hypothwaite", "Supposely", "Modelworth",
    "Makebelief",  "Nobodie",    "Unperson",  "O'Sample",     "Test-Case",   "Quasimoor", "Pseudonymes",
    "Fabricant",   "Conjecture", "Storywell", "Legendre-Test"};
static const char *const women[] = {"Testina",   "Samplia",  "Mockinda", "Exampla",   "Fictoria", "Prototype-Anne",
                                    "Simulette", "Draftine", "Inventia", "Dummyelle", "Trialma",  "Modelina"};
static const char *const men[] = {"Testopher", "Sampleton", "Mockery-John", "Exampelo", "Fictor",    "Protobert",
                                  "Simulus",   "Draftwin",  "Inventor",     "Dummyas",  "Trialbert", "Modelius"};
static const char *const streets[] = {"Fixture Street", "Sample Lane", "Mock Road",
                                      "Test Close",     "Stub Avenue", "Example Way"};
static const char *const towns[] = {"Exampleton", "Sampleford", "Mockbury", "Testwick", "Trialham"};

#define COUNT(list) ((uint32_t)(sizeof(list) / sizeof(list)[0]))

/* How far the first nine digits are from a multiple of 11, by the weights 10 to 2. */
static int digits_sum(const char digits[9])
{
    int sum = 0;
    for (int i = 0; i < 9; i++)
        sum += (digits[i] - '0') * (10 - i);
    return sum % 11;
}

/*
 * 999, five digits that the number gives, one more, and the check digit. Of the ten ninth digits at most one has no
 * check digit (its remainder would be 10), so nine of them can always be used.
 */
void person_nhs_number(int number, char ret[NHS_NUMBER_SIZE])
{
    enum { FIVE_DIGITS = 100000, STEP = 7919 }; /* a prime: every five digits come before one comes again */
    unsigned five = (unsigned)((uint64_t)number * STEP % FIVE_DIGITS);
    unsigned skip = (unsigned)number / FIVE_DIGITS % 9;
    char digits[NHS_NUMBER_SIZE];
    (void)snprintf(digits, sizeof digits, "999%05u0", five);
    while (digits_sum(digits) == 1 || skip-- > 0)
        digits[8]++;
    int sum = digits_sum(digits);
    digits[9] = (char)('0' + (sum == 0 ? 0 : 11 - sum));
    digits[10] = '\0';
    memcpy(ret, digits, sizeof digits);
}

/* Hospitals see the old more than the young. */
static unsigned age_take(struct dice *dice)
{
    if (dice_chance(dice, 450))
        return 65 + dice_below(dice, 33);
    return dice_below(dice, 65);
}

void person_read(int number, struct person *ret)
{
    enum { AGES_ARE_OF = 2025, OLD = 75 }; /* a fixed year, or the same person would have two birthdays */
    struct dice dice = dice_take(0x706572736F6EU, (uint64_t)number);
    int district = number / DISTRICT_PATIENTS * DISTRICT_SUBSCRIBERS;
    bool woman = dice_chance(&dice, 520);
    unsigned age = age_take(&dice);
    *ret = (struct person){
        .family = families[dice_below(&dice, COUNT(families))],
        .given = woman ? women[dice_below(&dice, COUNT(women))] : men[dice_below(&dice, COUNT(men))],
        .title = woman ? "Ms" : "Mr",
        .street = streets[dice_below(&dice, COUNT(streets))],
        .town = towns[dice_below(&dice, COUNT(towns))],
        .sex = woman ? 'F' : 'M',
        .house = 1 + dice_below(&dice, 200),
        .local_number = 100000 + (unsigned)number,
    };
    unsigned month = 1 + dice_below(&dice, 12), day = 1 + dice_below(&dice, 28);
    (void)snprintf(ret->birth_date, sizeof ret->birth_date, "%04u%02u%02u", (AGES_ARE_OF - age) % 10000, month % 100,
                   day % 100);
    person_nhs_number(number, ret->nhs_number);
    ret->subscribers[PRACTICE] = district + (int)dice_below(&dice, DISTRICT_PRACTICES);
    int home = district + DISTRICT_PRACTICES + (int)dice_below(&dice, DISTRICT_HOMES);
    ret->subscribers[CARE_HOME] = age >= OLD && dice_chance(&dice, 300) ? home : NOBODY;
    ret->subscribers[COMMUNITY] =
        dice_chance(&dice, age >= OLD ? 400 : 120) ? district + DISTRICT_PRACTICES + DISTRICT_HOMES : NOBODY;
}
