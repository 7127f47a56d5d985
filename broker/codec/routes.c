/* Reads the objects of the routes that say who there is: organisations, subscribers, tokens. */
#include "broker/codec/json_reading.h"

#include "broker/base/time.h"

#include <arpa/inet.h>
#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static struct view word_read(const struct reading *reading, const char *name, enum need need, const char *const *words,
                             size_t count)
{
    struct view text = reading_text(reading, name, need, LIMIT_TEXT_CHARACTERS);
    if (text.data == NULL)
        return text;
    for (size_t i = 0; i < count; i++)
        if (view_is_text(text, words[i]))
            return text;
    reading_problem(reading, name, "is not one of the words that may stand here");
    return VIEW_NONE;
}

/* "10.0.0.0/8", "::1/128", and a whole address alone. */
static const char *network_check(struct view text)
{
    static const char reason[] = "is not a network, like 10.0.0.0/8";
    char address[INET6_ADDRSTRLEN], bytes[16];
    const char *slash = memchr(text.data, '/', text.size);
    size_t size = slash == NULL ? text.size : (size_t)(slash - (const char *)text.data);
    int64_t bits = 0;
    if (size >= sizeof address)
        return reason;
    memcpy(address, text.data, size);
    address[size] = '\0';
    int64_t most = inet_pton(AF_INET, address, bytes) == 1 ? 32 : inet_pton(AF_INET6, address, bytes) == 1 ? 128 : -1;
    if (most < 0 || (slash != NULL && (!view_to_number(view_after(text, size + 1), &bits) || bits > most)))
        return reason;
    return NULL;
}

/* A door reads networks only: an address alone is the network of one. */
static void networks_complete(struct view *list, size_t count, struct arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        if (list[i].data == NULL || memchr(list[i].data, '/', list[i].size) != NULL)
            continue;
        bool six = memchr(list[i].data, ':', list[i].size) != NULL;
        list[i] = arena_format(arena, "%.*s/%d", VIEW_ARGS(list[i]), six ? 128 : 32);
    }
}

static size_t texts_or(const struct reading *reading, const char *name, size_t limit,
                       const char *(*check)(struct view text), const char *const *otherwise, size_t count,
                       struct view **ret)
{
    if (reading_member(reading, name, OPTIONAL) != NULL)
        return reading_texts(reading, name, OPTIONAL, LIMIT_LIST, limit, check, ret);
    *ret = arena_take(reading->arena, count * sizeof **ret);
    for (size_t i = 0; i < count; i++)
        (*ret)[i] = view_of_text(otherwise[i]);
    return count;
}

static struct view zone_read(const struct reading *reading)
{
    struct view name = reading_text(reading, "timeZone", OPTIONAL, 63);
    if (name.data == NULL)
        return VIEW("Europe/London");
    struct time_zone *zone = time_zone_open(name.data); /* an arena's copy ends in NUL */
    if (zone == NULL)
        reading_problem(reading, "timeZone", "is not a time zone, like Europe/London");
    time_zone_close(zone);
    return name;
}

static struct organisation organisation_members(const struct reading *object, struct view id)
{
    static const char *const members[] = {"name",      "kind",          "hl7Names", "sources",
                                          "mllpPeers", "processingIds", "timeZone", "untrustedNhsNumber"};
    static const char *const kinds[] = {"hospital", "gp-practice", "care-home", "community", "region"};
    static const char *const answers[] = {"accept", "reject"};
    static const char *const loopback[] = {"127.0.0.0/8", "::1/128"};
    static const char *const production[] = {"P"};
    struct organisation read = {.id = arena_copy(object->arena, id)};
    reading_refuse_others(object, members, COUNT(members));
    if (ods_code_check(id) != NULL)
        problem_add(object->problems, "", "the path's last part %s", ods_code_check(id));
    read.name = reading_prose(object, "name", REQUIRED, LIMIT_TEXT_CHARACTERS);
    read.kind = word_read(object, "kind", REQUIRED, kinds, COUNT(kinds));
    read.hl7_name_count = texts_or(object, "hl7Names", LIMIT_ID_CHARACTERS, NULL, NULL, 0, &read.hl7_names);
    read.source_count = texts_or(object, "sources", LIMIT_ID_CHARACTERS, uri_reference_check, NULL, 0, &read.sources);
    read.mllp_peer_count =
        texts_or(object, "mllpPeers", 64, network_check, loopback, COUNT(loopback), &read.mllp_peers);
    networks_complete(read.mllp_peers, read.mllp_peer_count, object->arena);
    read.processing_id_count =
        texts_or(object, "processingIds", 16, NULL, production, COUNT(production), &read.processing_ids);
    read.time_zone = zone_read(object);
    read.reject_untrusted =
        view_is_text(word_read(object, "untrustedNhsNumber", OPTIONAL, answers, COUNT(answers)), "reject");
    return read;
}

enum result organisation_read(struct view json, struct view id, struct arena *arena, struct organisation *ret,
                              struct problems *ret_problems)
{
    struct organisation read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        read = organisation_members(&object, id);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}

/* A subscription's id begins with its subscriber's and a dot; and it stands in paths. */
static const char *subscriber_id_check(struct view id)
{
    const char *at = id.data;
    bool right = id.size > 0 && id.size <= 64;
    for (size_t i = 0; right && i < id.size; i++)
        right = (at[i] >= 'a' && at[i] <= 'z') || (at[i] >= 'A' && at[i] <= 'Z') || (at[i] >= '0' && at[i] <= '9') ||
                at[i] == '-' || at[i] == '_';
    return right ? NULL : "is not 1 to 64 letters, digits, - or _";
}

static struct subscriber subscriber_members(const struct reading *object, struct view id)
{
    static const char *const members[] = {"kind", "organisation", "name"};
    static const char *const kinds[] = {"organisation", "team", "professional"};
    struct subscriber read = {.id = arena_copy(object->arena, id)};
    reading_refuse_others(object, members, COUNT(members));
    if (subscriber_id_check(id) != NULL)
        problem_add(object->problems, "", "the path's last part %s", subscriber_id_check(id));
    read.kind = word_read(object, "kind", REQUIRED, kinds, COUNT(kinds));
    bool itself = view_is_text(read.kind, "organisation");
    read.organisation = reading_ods_code(object, "organisation", itself ? OPTIONAL : REQUIRED);
    read.name = reading_prose(object, "name", REQUIRED, LIMIT_TEXT_CHARACTERS);
    if (itself && read.organisation.data != NULL && !view_is(read.organisation, id))
        reading_problem(object, "organisation", "is another than the subscriber, which is an organisation");
    if (itself)
        read.organisation = read.id;
    return read;
}

enum result subscriber_read(struct view json, struct view id, struct arena *arena, struct subscriber *ret,
                            struct problems *ret_problems)
{
    struct subscriber read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        read = subscriber_members(&object, id);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}

static int32_t role_of(struct view name)
{
    static const struct {
        const char *name;
        int32_t role;
    } roles[] = {{"operator", ROLE_OPERATOR},
                 {"publisher", ROLE_PUBLISHER},
                 {"subscriber", ROLE_SUBSCRIBER},
                 {"auditor", ROLE_AUDITOR},
                 {"metrics", ROLE_METRICS}};
    for (size_t i = 0; i < COUNT(roles); i++)
        if (view_is_text(name, roles[i].name))
            return roles[i].role;
    return 0;
}

static const char *token_role_check(struct view name)
{
    return role_of(name) != 0 ? NULL : "is not operator, publisher, subscriber, auditor or metrics";
}

static struct token token_members(const struct reading *object)
{
    static const char *const members[] = {"organisations", "roles", "expiresAt"};
    struct token read = {.kind = VIEW("token")};
    struct view *roles = NULL;
    reading_refuse_others(object, members, COUNT(members));
    size_t count =
        reading_texts(object, "roles", REQUIRED, LIMIT_LIST, LIMIT_TEXT_CHARACTERS, token_role_check, &roles);
    for (size_t i = 0; i < count; i++)
        read.roles |= role_of(roles[i]);
    /* Who sends, or is told, does so for somebody; who runs the broker does not. */
    bool for_somebody = (read.roles & (ROLE_PUBLISHER | ROLE_SUBSCRIBER)) != 0;
    read.organisation_count =
        reading_texts(object, "organisations", for_somebody ? REQUIRED : OPTIONAL, LIMIT_TOKEN_ORGANISATIONS,
                      LIMIT_TEXT_CHARACTERS, ods_code_check, &read.organisations);
    read.expires_at_ms = reading_time(object, "expiresAt", OPTIONAL);
    return read;
}

enum result token_read(struct view json, struct arena *arena, struct token *ret, struct problems *ret_problems)
{
    struct token read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading object = reading_start(document, "/", arena, ret_problems);
        read = token_members(&object);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}
