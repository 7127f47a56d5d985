/* Looking things up in the directory. */
#include "broker/directory/inside.h"

enum { ODS_TRUST_SIZE = 3, ODS_SITE_SIZE = 5 };

const struct organisation *directory_organisation(const struct directory *directory, struct view id)
{
    struct held *found = held_find(&directory->organisations, id);
    return found == NULL ? NULL : &found->organisation;
}

const struct subscriber *directory_subscriber(const struct directory *directory, struct view id)
{
    struct held *found = held_find(&directory->subscribers, id);
    return found == NULL ? NULL : &found->subscriber;
}

const struct organisation *directory_organisation_by_hl7_name(const struct directory *directory, struct view name)
{
    const struct organisation *exact = directory_organisation(directory, name);
    if (exact != NULL)
        return exact;
    const struct alias *alias = alias_find(&directory->hl7_names, name);
    if (alias != NULL)
        return &alias->owner->organisation;
    if (name.size == ODS_SITE_SIZE)
        return directory_organisation(directory, view_make(name.data, ODS_TRUST_SIZE));
    return NULL;
}

const struct organisation *directory_clash(const struct directory *directory, const struct organisation *wanted)
{
    const struct alias *taken = alias_find(&directory->hl7_names, wanted->id); /* an id is found before a name */
    if (taken != NULL && !view_is(taken->owner->id, wanted->id))
        return &taken->owner->organisation;
    for (size_t i = 0; i < wanted->hl7_name_count; i++) {
        const struct organisation *named = directory_organisation(directory, wanted->hl7_names[i]);
        if (named != NULL && !view_is(named->id, wanted->id))
            return named;
        const struct alias *alias = alias_find(&directory->hl7_names, wanted->hl7_names[i]);
        if (alias != NULL && !view_is(alias->owner->id, wanted->id))
            return &alias->owner->organisation;
    }
    for (size_t i = 0; i < wanted->source_count; i++) {
        const struct alias *alias = alias_find(&directory->sources, wanted->sources[i]);
        if (alias != NULL && !view_is(alias->owner->id, wanted->id))
            return &alias->owner->organisation;
    }
    return NULL;
}

const struct time_zone *directory_zone(const struct directory *directory, const struct organisation *organisation)
{
    struct held *held = held_find(&directory->organisations, organisation->id);
    if (held == NULL)
        return NULL;
    if (held->zone == NULL) {
        struct view name = organisation->time_zone;
        held->zone =
            time_zone_open(name.size == 0 ? "Europe/London" : (const char *)arena_copy(&held->arena, name).data);
    }
    return held->zone;
}

bool directory_token_is_live(const struct directory *directory, const struct token *token, int64_t now_ms)
{
    if (token->ended || (token->expires_at_ms != 0 && token->expires_at_ms <= now_ms))
        return false;
    if (token->parent.size == 0)
        return true;
    const struct token *parent = directory_token_by_id(directory, token->parent);
    return parent != NULL && !parent->ended && (parent->expires_at_ms == 0 || parent->expires_at_ms > now_ms);
}

const struct token *directory_token(const struct directory *directory, struct view text, int64_t now_ms)
{
    char id[TOKEN_ID_SIZE];
    uint8_t hash[TOKEN_HASH_SIZE];
    if (!vault_token_read(text, id, hash))
        return NULL;
    struct held *found = held_find(&directory->tokens, view_of_text(id));
    if (found == NULL || !vault_equal(found->token.hash, hash, sizeof hash))
        return NULL;
    return directory_token_is_live(directory, &found->token, now_ms) ? &found->token : NULL;
}

void directory_each_organisation(const struct directory *directory, struct view after,
                                 bool (*each)(void *context, const struct organisation *organisation), void *context)
{
    for (size_t i = held_after(&directory->organisations, after); i < directory->organisations.count; i++)
        if (!each(context, &directory->organisations.items[i]->organisation))
            break;
}

void directory_each_subscriber(const struct directory *directory, struct view after,
                               bool (*each)(void *context, const struct subscriber *subscriber), void *context)
{
    for (size_t i = held_after(&directory->subscribers, after); i < directory->subscribers.count; i++)
        if (!each(context, &directory->subscribers.items[i]->subscriber))
            break;
}

const struct token *directory_token_by_id(const struct directory *directory, struct view id)
{
    struct held *found = held_find(&directory->tokens, id);
    return found == NULL ? NULL : &found->token;
}

bool directory_has_operator(const struct directory *directory)
{
    for (size_t i = 0; i < directory->tokens.count; i++)
        if ((directory->tokens.items[i]->token.roles & ROLE_OPERATOR) != 0 && !directory->tokens.items[i]->token.ended)
            return true;
    return false;
}
