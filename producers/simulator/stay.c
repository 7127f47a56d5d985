/* The drawing in stay.h, with how often each arrow is taken. */
#include "producers/simulator/stay.h"

#include <stddef.h>

enum { WARDS = 12, ROOMS = 6, BEDS = 4, CONSULTANTS = 20, REASONS = 8 };
enum { METHOD_CLINICAL = 1, METHOD_SELF_OR_RELATIVE = 2, METHOD_DIED = 4, METHOD_SELF = 6, METHOD_RELATIVE = 7 };

static struct bed bed_take(struct dice *dice, int site)
{
    return (struct bed){site, (int)dice_below(dice, WARDS), 1 + (int)dice_below(dice, ROOMS),
                        1 + (int)dice_below(dice, BEDS)};
}

static void stay_begin(struct stay *stay, struct ward_book *book, struct dice *dice, char class, int64_t now_ms)
{
    *stay = (struct stay){
        .identification = IDENTIFIED,
        .fresh = true,
        .class = class,
        .hospital = (int)dice_below(dice, (uint32_t)book->hospitals),
        .consultant = (int)dice_below(dice, CONSULTANTS),
        .reason = (int)dice_below(dice, REASONS),
        .visit = ++book->visits,
        .arrived_ms = now_ms,
    };
    stay->bed = bed_take(dice, (int)dice_below(dice, 2));
    uint32_t who = dice_below(dice, 1000);
    if (who < 30)
        stay->identification = WITHOUT_NHS_NUMBER;
    else if (who < 40)
        stay->identification = WITH_A_WRONG_NHS_NUMBER;
}

static const char *admit(struct stay *stay, struct dice *dice, enum whereabouts before, int64_t now_ms)
{
    stay->before = before;
    stay->whereabouts = ON_WARD;
    stay->fresh = true;
    stay->repeated = false;
    stay->admitted_ms = now_ms;
    stay->bed = bed_take(dice, stay->bed.site);
    if (before == IN_ED)
        stay->class = 'I';
    return "A01";
}

static const char *step_at_home(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms)
{
    uint32_t what = dice_below(dice, 100);
    if (what < 20) {
        stay_begin(stay, book, dice, 'O', now_ms);
        return "A04";
    }
    if (what < 70) {
        stay_begin(stay, book, dice, 'E', now_ms);
        stay->whereabouts = IN_ED;
        return "A04";
    }
    stay_begin(stay, book, dice, what < 80 ? 'D' : 'I', now_ms);
    return admit(stay, dice, AT_HOME, now_ms);
}

static const char *discharge(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms)
{
    uint32_t how = dice_below(dice, 1000);
    stay->before = stay->whereabouts;
    stay->whereabouts = DISCHARGED;
    stay->discharged_ms = now_ms;
    if (how < 25) {
        stay->method = METHOD_DIED;
        stay->whereabouts = DIED;
        book->dead++;
    } else if (how < 60) {
        static const int by_themselves[] = {METHOD_SELF, METHOD_RELATIVE, METHOD_SELF_OR_RELATIVE};
        stay->method = by_themselves[how % 3];
    } else {
        stay->method = METHOD_CLINICAL;
    }
    return "A03";
}

static const char *discharge_cancel(struct stay *stay)
{
    stay->whereabouts = stay->before;
    stay->discharged_ms = 0;
    stay->method = 0;
    stay->fresh = false;
    return "A13";
}

static const char *step_in_ed(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms)
{
    bool fresh = stay->fresh;
    stay->fresh = false;
    if (fresh && dice_chance(dice, 20)) {
        stay->whereabouts = AT_HOME;
        return "A11";
    }
    if (dice_chance(dice, 550))
        return admit(stay, dice, IN_ED, now_ms);
    return discharge(stay, book, dice, now_ms);
}

static const char *transfer(struct stay *stay, struct dice *dice)
{
    bool to_another_site = dice_chance(dice, 200);
    stay->left = stay->bed;
    stay->bed = bed_take(dice, to_another_site ? 1 - stay->left.site : stay->left.site);
    return "A02";
}

static const char *step_on_ward(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms)
{
    bool fresh = stay->fresh;
    if (fresh && !stay->repeated && dice_chance(dice, 10)) {
        stay->repeated = true;
        return "A01"; /* word for word, under another control id: real senders do */
    }
    stay->fresh = false;
    if (fresh && dice_chance(dice, 30)) {
        stay->whereabouts = stay->before;
        stay->class = stay->before == IN_ED ? 'E' : stay->class;
        return "A11";
    }
    if (stay->class != 'D' && dice_chance(dice, 450))
        return transfer(stay, dice);
    return discharge(stay, book, dice, now_ms);
}

const char *stay_step(struct stay *stay, struct ward_book *book, struct dice *dice, int64_t now_ms)
{
    switch (stay->whereabouts) {
    case AT_HOME:
        return step_at_home(stay, book, dice, now_ms);
    case IN_ED:
        return step_in_ed(stay, book, dice, now_ms);
    case ON_WARD:
        return step_on_ward(stay, book, dice, now_ms);
    case DISCHARGED:
        return dice_chance(dice, 25) ? discharge_cancel(stay) : step_at_home(stay, book, dice, now_ms);
    case DIED:
        if (book->dead <= book->dead_most && !dice_chance(dice, 10))
            return NULL;
        book->dead--;
        return discharge_cancel(stay);
    }
    return NULL;
}
