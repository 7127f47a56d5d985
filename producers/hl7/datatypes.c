/* Identifiers, people and places. */
#include "producers/hl7/datatypes.h"

#include "broker/event/limits.h"

#include <strings.h>

static bool is_one_of(struct view text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (text.size == strlen(names[i]) && text.size > 0 && strncasecmp(text.data, names[i], text.size) == 0)
            return true;
    return false;
}

static bool is_letter(char c)
{
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

bool identifier_read(struct message *message, struct view repetition, struct identifier *ret)
{
    struct view authority = repetition_component(message, repetition, 4);
    *ret = (struct identifier){
        .value = repetition_value(message, repetition, 1),
        .status = repetition_value(message, repetition, 2),
        .authority = message_text(message, component_subcomponent(message, authority, 1)),
        .universal = message_text(message, component_subcomponent(message, authority, 2)),
        .type = repetition_value(message, repetition, 5),
    };
    if (ret->status.size > 0 && !is_letter(*(const char *)ret->status.data))
        ret->status = VIEW_NONE; /* a check digit */
    return ret->value.size > 0;
}

bool identifier_is_nhs_number(const struct identifier *identifier)
{
    static const char *const types[] = {"NH", "NHS", "NHSNMBR", "NHSNBR", "NHSNO", "NHSN"};
    static const char *const authorities[] = {"NHS", "NHSNBR", "NHSNMBR", "NHSNO", "NHS NUMBER", "NHSNUMBER"};
    static const char *const universals[] = {"2.16.840.1.113883.2.1.4.1", "https://fhir.nhs.uk/Id/nhs-number"};
    return is_one_of(identifier->type, types, sizeof types / sizeof types[0]) ||
           is_one_of(identifier->authority, authorities, sizeof authorities / sizeof authorities[0]) ||
           is_one_of(identifier->universal, universals, sizeof universals / sizeof universals[0]);
}

bool identifier_is_foreign(const struct identifier *identifier)
{
    static const char *const types[] = {"PPN", "DL", "SS", "NI", "NIIP", "TAX", "BC", "CZ", "DP", "PRC"};
    return is_one_of(identifier->type, types, sizeof types / sizeof types[0]);
}

struct person_name person_name_read(struct message *message, struct view repetition)
{
    return (struct person_name){repetition_value(message, repetition, 1), repetition_value(message, repetition, 2)};
}

struct place place_read(struct message *message, struct view repetition)
{
    return (struct place){
        .ward = repetition_value(message, repetition, 1),
        .room = repetition_value(message, repetition, 2),
        .bed = repetition_value(message, repetition, 3),
        .site = repetition_value(message, repetition, 4),
    };
}

/* The words of a name that are there, with spaces between them. */
static struct view words_join(struct arena *arena, const struct view *words, size_t count)
{
    struct buffer joined = {0};
    for (size_t i = 0; i < count; i++) {
        if (words[i].size == 0)
            continue;
        if (joined.size > 0)
            buffer_add_byte(&joined, ' ');
        buffer_add_view(&joined, words[i]);
    }
    struct view ret = joined.size == 0 ? VIEW_NONE : arena_copy(arena, buffer_view(&joined));
    buffer_destroy(&joined);
    return ret;
}

bool doctor_read(struct message *message, struct view repetition, struct doctor *ret)
{
    if (part_is_deleted(repetition)) {
        *ret = (struct doctor){VIEW(""), VIEW("")};
        return true;
    }
    const struct view words[] = {
        repetition_value(message, repetition, 6), /* prefix: Dr */
        repetition_value(message, repetition, 3), /* given */
        repetition_value(message, repetition, 2), /* family */
    };
    struct view code = repetition_value(message, repetition, 1);
    *ret = (struct doctor){code.size == 0 ? VIEW_NONE : code, words_join(message->arena, words, 3)};
    return ret->code.data != NULL || ret->name.data != NULL;
}

bool text_is_ods_code(struct view text)
{
    const char *at = text.data;
    if (text.size < 3 || text.size > LIMIT_ODS_CHARACTERS)
        return false;
    for (size_t i = 0; i < text.size; i++)
        if (!is_letter(at[i]) && !is_digit(at[i]))
            return false;
    return true;
}

bool text_is_practice_code(struct view text)
{
    const char *at = text.data;
    if (text.size != 6 || !is_letter(at[0]))
        return false;
    for (size_t i = 1; i < text.size; i++)
        if (!is_digit(at[i]))
            return false;
    return true;
}
