/* Ids and roles as text. */
#include "broker/event/care_event.h"

#include "broker/event/limits.h"

bool registration_role_is_known(struct view role)
{
    static const char *const roles[] = {"gp",       "care-home", "community",  "social-care",   "mental-health",
                                        "pharmacy", "ambulance", "palliative", "hospital-team", "carer"};
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++)
        if (view_is_text(role, roles[i]))
            return true;
    return false;
}

struct view event_id_to_text(const struct event_id *id, char *ret)
{
    static const char digits[] = "0123456789abcdef";
    char *to = ret;
    for (int i = 0; i < EVENT_ID_SIZE; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *to++ = '-';
        *to++ = digits[id->bytes[i] >> 4];
        *to++ = digits[id->bytes[i] & 15];
    }
    *to = '\0';
    return view_make(ret, EVENT_ID_TEXT_SIZE - 1);
}

static int hex_digit(char character)
{
    if (character >= '0' && character <= '9')
        return character - '0';
    return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

bool event_id_from_text(struct view text, struct event_id *ret)
{
    if (text.size != EVENT_ID_TEXT_SIZE - 1)
        return false;
    const char *from = text.data;
    struct event_id id;
    for (int i = 0; i < EVENT_ID_SIZE; i++) {
        if ((i == 4 || i == 6 || i == 8 || i == 10) && *from++ != '-')
            return false;
        int high = hex_digit(*from++), low = hex_digit(*from++);
        if (high < 0 || low < 0)
            return false;
        id.bytes[i] = (uint8_t)(high << 4 | low);
    }
    *ret = id;
    return true;
}

bool event_id_is_same_message(const struct event_id *a, const struct event_id *b)
{
    return memcmp(a->bytes + 6, b->bytes + 6, EVENT_ID_SIZE - 6) == 0;
}

int64_t event_id_time_ms(const struct event_id *id)
{
    int64_t ms = 0;
    for (int i = 0; i < 6; i++)
        ms = ms << 8 | id->bytes[i];
    return ms;
}

enum sameness event_sameness(enum origin origin, bool content_is_same, int64_t before_ms, int64_t now_ms)
{
    if (content_is_same)
        return SAME_MESSAGE;
    int64_t apart_ms = before_ms > now_ms ? before_ms - now_ms : now_ms - before_ms;
    return origin == ORIGIN_HL7 && apart_ms > IDENTITY_WRAP_MS ? NEW_MESSAGE : SAME_IDENTITY_OTHER_CONTENT;
}
