/* Reads the objects of the routes that say who is told of whom: registrations, subscriptions, receipts, searches. */
#include "broker/codec/json_reading.h"

#include "broker/event/nhs_number.h"

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static struct view nhs_number_of(const struct reading *object, const char *name, struct view said)
{
    char digits[11];
    if (said.data == NULL)
        return VIEW_NONE;
    if (nhs_number_read(said, digits) == NHS_NUMBER_TRUSTED)
        return arena_copy(object->arena, view_make(digits, 10));
    reading_problem(object, name, "is not an NHS number: ten digits, the last of which checks the others");
    return VIEW_NONE;
}

/* {"nhsNumber"} or {"localId": {"assigner", "value"}} */
static void identifier_read(const struct reading *object, struct view *ret_nhs_number, struct local_id *ret_local)
{
    static const char *const members[] = {"nhsNumber", "localId"};
    static const char *const local_members[] = {"assigner", "value"};
    reading_refuse_others(object, members, COUNT(members));
    const json_t *number = reading_member(object, "nhsNumber", OPTIONAL);
    struct reading local = reading_object(object, "localId", OPTIONAL);
    reading_refuse_others(&local, local_members, COUNT(local_members));
    *ret_nhs_number = nhs_number_of(object, "nhsNumber", reading_text(object, "nhsNumber", OPTIONAL, 64));
    ret_local->assigner = reading_ods_code(&local, "assigner", REQUIRED);
    ret_local->value = reading_text(&local, "value", REQUIRED, LIMIT_ID_CHARACTERS);
    if (object->object != NULL && (number == NULL) == (json_object_get(object->object, "localId") == NULL))
        reading_problem(object, "nhsNumber", "must stand here, or localId; one of the two");
}

enum result patient_search_read(struct view json, struct arena *arena, struct view *ret_nhs_number,
                                struct local_id *ret_local, struct problems *ret_problems)
{
    struct view number = VIEW_NONE;
    struct local_id local = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        identifier_read(&object, &number, &local);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret_nhs_number = number;
    *ret_local = local;
    return OK;
}

static void registration_patient_read(const struct reading *object, struct registration_request *read)
{
    if (json_is_object(reading_member(object, "patient", REQUIRED))) {
        struct reading patient = reading_object(object, "patient", REQUIRED);
        identifier_read(&patient, &read->nhs_number, &read->local);
    } else if (json_object_get(object->object, "patient") != NULL) {
        read->nhs_number = nhs_number_of(object, "patient", reading_text(object, "patient", OPTIONAL, 64));
    }
}

static struct registration_request registration_members(const struct reading *object)
{
    static const char *const members[] = {"patient", "subscriber", "role", "from", "until", "evidence"};
    struct registration_request read = {0};
    struct registration *registration = &read.registration;
    reading_refuse_others(object, members, COUNT(members));
    registration_patient_read(object, &read);
    registration->subscriber = reading_text(object, "subscriber", REQUIRED, 64);
    registration->role = reading_text(object, "role", REQUIRED, LIMIT_TEXT_CHARACTERS);
    if (registration->role.data != NULL && !registration_role_is_known(registration->role))
        reading_problem(object, "role", "is not a role of ours");
    registration->from_ms = reading_time(object, "from", OPTIONAL);
    registration->until_ms = reading_time(object, "until", OPTIONAL);
    if (registration->from_ms != 0 && registration->until_ms != 0 && registration->until_ms <= registration->from_ms)
        reading_problem(object, "until", "is not after from");
    registration->evidence = reading_prose(object, "evidence", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    return read;
}

enum result registration_read(struct view json, struct arena *arena, struct registration_request *ret,
                              struct problems *ret_problems)
{
    struct registration_request read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        read = registration_members(&object);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}

/* A misspelt type would be silence: a pattern must match something. */
static const char *type_pattern_check(struct view pattern)
{
    for (enum event_type type = TYPE_UNKNOWN + 1; type < EVENT_TYPE_COUNT; type++)
        if (event_type_matches(pattern, view_of_text(event_type_facts(type)->name)))
            return NULL;
    return "matches no event type of ours";
}

static const char *registration_role_check(struct view role)
{
    return registration_role_is_known(role) ? NULL : "is not a role of ours";
}

/* Null in a patch takes the list back to its default (RFC 7396); a list that is absent there stays. */
static void list_read(const struct reading *object, const char *name, bool patch,
                      const char *(*check)(struct view text), struct view **list, size_t *count)
{
    const json_t *value = json_object_get(object->object, name);
    if (value == NULL && patch)
        return;
    *count = patch && json_is_null(value)
                 ? 0
                 : reading_texts(object, name, OPTIONAL, LIMIT_LIST, LIMIT_TEXT_CHARACTERS, check, list);
}

static void channel_read(const struct reading *object, struct subscription *read)
{
    static const char *const members[] = {"kind"};
    const json_t *value = json_object_get(object->object, "channel");
    struct reading channel = reading_object(object, "channel", OPTIONAL);
    if (read->channel.data == NULL)
        read->channel = VIEW("pull");
    if (value == NULL)
        return;
    struct view kind = reading_text(&channel, "kind", REQUIRED, LIMIT_TEXT_CHARACTERS);
    if (view_is_text(kind, "webhook"))
        reading_problem(&channel, "kind", "is not taken yet");
    else if (kind.data != NULL && !view_is_text(kind, "pull"))
        reading_problem(&channel, "kind", "is not a channel of ours");
    else
        reading_refuse_others(&channel, members, COUNT(members));
    read->channel = VIEW("pull");
}

static void subscription_members(const struct reading *object, bool patch, struct subscription *read)
{
    static const char *const members[] = {"subscriber", "types", "roles", "payload", "purpose", "own", "channel"};
    reading_refuse_others(object, members, COUNT(members));
    struct view subscriber = reading_text(object, "subscriber", patch ? OPTIONAL : REQUIRED, 64);
    if (patch && subscriber.data != NULL && !view_is(subscriber, read->subscriber))
        reading_problem(object, "subscriber", "cannot be changed");
    else if (subscriber.data != NULL)
        read->subscriber = subscriber;
    list_read(object, "types", patch, type_pattern_check, &read->types, &read->type_count);
    list_read(object, "roles", patch, registration_role_check, &read->roles, &read->role_count);
    struct view payload = reading_text(object, "payload", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    if (payload.data != NULL && !payload_from_name(payload, &read->payload))
        reading_problem(object, "payload", "is not full, id-only or empty");
    struct view purpose = reading_text(object, "purpose", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    if (purpose.data != NULL && !view_is_text(purpose, "direct-care"))
        reading_problem(object, "purpose", "is not direct-care: identified data is for nothing else");
    if (read->purpose.data == NULL)
        read->purpose = VIEW("direct-care");
    read->own = reading_bool(object, "own", read->own);
    channel_read(object, read);
}

enum result subscription_read(struct view json, bool patch, struct arena *arena, struct subscription *ret,
                              struct problems *ret_problems)
{
    struct subscription read = {0};
    if (patch)
        read = *ret;
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        subscription_members(&object, patch, &read);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}

static struct receipt_request receipt_members(const struct reading *object)
{
    static const char *const members[] = {"number", "state", "by"};
    struct receipt_request read = {0};
    reading_refuse_others(object, members, COUNT(members));
    const json_t *number = reading_member(object, "number", REQUIRED);
    read.number = json_integer_value(number);
    if (number != NULL && (!json_is_integer(number) || read.number < 1))
        reading_problem(object, "number", "is not a whole number from 1");
    read.state = reading_text(object, "state", REQUIRED, LIMIT_TEXT_CHARACTERS);
    if (read.state.data != NULL && !view_is_text(read.state, "opened") && !view_is_text(read.state, "acknowledged"))
        reading_problem(object, "state", "is not opened or acknowledged");
    read.by = reading_text(object, "by", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    return read;
}

enum result receipt_read(struct view json, struct arena *arena, struct receipt_request *ret,
                         struct problems *ret_problems)
{
    struct receipt_request read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        read = receipt_members(&object);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}
