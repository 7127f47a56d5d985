/* Sign in and out, tokens, and links that sign a person in. */
#include "consumers/api/inside.h"

enum { COOKIE_SECONDS = SESSION_MS / 1000 };

/* A token of this kind, and the entry that makes it usable. secret: TOKEN_TEXT_SIZE. */
static struct log_entry token_make(struct call *call, struct token *token, const char *kind, int64_t expires_at_ms,
                                   char secret[TOKEN_TEXT_SIZE])
{
    char id[TOKEN_ID_SIZE];
    vault_token_create(id, secret, token->hash);
    token->id = arena_copy(&call->arena, view_of_text(id));
    token->kind = view_of_text(kind);
    token->made_at_ms = time_now_ms();
    token->expires_at_ms = expires_at_ms;
    return directory_put_token(token, &call->arena);
}

/* In whatever order they were said: the directory keeps them sorted. */
static bool organisations_are_same(const struct token *known, const struct token *token)
{
    bool same = known->organisation_count == token->organisation_count;
    for (size_t i = 0; same && i < token->organisation_count; i++)
        same = token_acts_for(known, token->organisations[i]);
    return same;
}

/* Asked for again under the same Idempotency-Key: the same token, whose secret nobody keeps but this region can tell.
 * True: answered, with a conflict. */
static bool token_differs(struct call *call, const struct token *token)
{
    const struct token *known = directory_token_by_id(call->api->directory, token->id);
    if (known == NULL || (!known->ended && known->roles == token->roles &&
                          known->expires_at_ms == token->expires_at_ms && organisations_are_same(known, token)))
        return false;
    call_problem(call, 409, "Another token was made with this Idempotency-Key, or it was ended since.");
    return true;
}

void token_add(struct call *call)
{
    struct token token = {0};
    struct problems problems = {0};
    char secret[TOKEN_TEXT_SIZE], id[TOKEN_ID_SIZE];
    if (token_read(http_body(call->request), &call->arena, &token, &problems) != OK) {
        call_problems(call, &problems);
        return;
    }
    struct log_entry entry;
    struct view key = http_header(call->request, "Idempotency-Key");
    if (key.size > 0) {
        struct view seed = arena_format(&call->arena, "%.*s %.*s", VIEW_ARGS(call->caller.token_id), VIEW_ARGS(key));
        vault_token_derive(call->api->options.vault, seed, id, secret, token.hash);
        token.id = arena_copy(&call->arena, view_of_text(id));
        token.kind = VIEW("token");
        token.made_at_ms = time_now_ms();
        if (token_differs(call, &token))
            return;
        entry = directory_put_token(&token, &call->arena);
    } else {
        entry = token_make(call, &token, "token", token.expires_at_ms, secret);
    }
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "id", token.id);
    json_member_text(&json, "token", view_of_text(secret));
    json_close_object(&json);
    call_append(call, &entry, 1, 0, 201);
}

/* {"organisation": "A81001"} -> a code that signs one person in, once, within ten minutes, as subscriber of it. */
void token_link(struct call *call)
{
    struct view organisation;
    char secret[TOKEN_TEXT_SIZE];
    if (json_text_member(http_body(call->request), "organisation", &call->arena, &organisation) != OK ||
        directory_organisation(call->api->directory, organisation) == NULL) {
        struct problems problems = {0};
        problem_add(&problems, "/organisation", "the ODS code of an organisation in the directory");
        call_problems(call, &problems);
        return;
    }
    struct token token = {.organisations = &organisation, .organisation_count = 1, .roles = ROLE_SUBSCRIBER};
    struct log_entry entry = token_make(call, &token, "code", time_now_ms() + CODE_MS, secret);
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_member_text(&json, "code", view_of_text(secret));
    json_member_time(&json, "expiresAt", token.expires_at_ms);
    json_close_object(&json);
    call_append(call, &entry, 1, 0, 201);
}

static const struct token *presented_find(struct call *call, bool *ret_is_code)
{
    struct view text;
    struct view body = http_body(call->request);
    *ret_is_code = json_text_member(body, "code", &call->arena, &text) == OK;
    if (!*ret_is_code && json_text_member(body, "token", &call->arena, &text) != OK)
        return NULL;
    const struct token *token = directory_token(call->api->directory, text, time_now_ms());
    return token == NULL || view_is_text(token->kind, "code") != *ret_is_code || view_is_text(token->kind, "session")
               ? NULL
               : token;
}

/* One use: another request may have presented it a moment ago, and its record is on its way. */
static bool code_is_being_used(const struct call *call, struct view id)
{
    for (const struct call *other = call->api->calls; other != NULL; other = other->next)
        if (other->code.data != NULL && view_is(other->code, id))
            return true;
    return false;
}

void session_open(struct call *call)
{
    bool is_code;
    char secret[TOKEN_TEXT_SIZE];
    struct error err;
    if (caller_comes_from_elsewhere(call->request)) {
        call_problem(call, 403, "A page of another site may not sign anybody in.");
        return;
    }
    if (directory_follow(call->api->directory, &err) != OK) {
        call_problem(call, 503, "The directory cannot be read now; send the same request again.");
        return;
    }
    const struct token *presented = presented_find(call, &is_code);
    if (presented == NULL || (is_code && code_is_being_used(call, presented->id))) {
        call_problem(call, 401, "The token or code is not valid, was used already, or is over; ask for a new link.");
        return;
    }
    struct log_entry entries[2];
    struct token session = *presented;
    session.parent = is_code ? VIEW_NONE : presented->id;
    int64_t end_ms = time_now_ms() + SESSION_MS;
    if (!is_code && presented->expires_at_ms != 0 && presented->expires_at_ms < end_ms)
        end_ms = presented->expires_at_ms;
    entries[0] = token_make(call, &session, "session", end_ms, secret);
    size_t count = 1;
    if (is_code) {
        struct token used = *presented;
        used.ended = true;
        call->code = arena_copy(&call->arena, presented->id);
        entries[count++] = directory_put_token(&used, &call->arena);
    }
    call->cookie =
        arena_format(&call->arena, "tidings=%s; Path=/; HttpOnly; SameSite=Strict; Max-Age=%d", secret, COOKIE_SECONDS);
    struct json json = json_start(&call->body);
    json_open_object(&json);
    json_name(&json, "organisations");
    json_open_array(&json);
    for (size_t i = 0; i < session.organisation_count; i++)
        json_text(&json, session.organisations[i]);
    json_close_array(&json);
    json_member_time(&json, "expiresAt", end_ms);
    json_close_object(&json);
    call_append(call, entries, count, count - 1, 201);
}

static bool token_find(struct call *call, struct view id, struct token *ret)
{
    const struct token *found = directory_token_by_id(call->api->directory, id);
    if (found != NULL)
        *ret = *found;
    return found != NULL && !found->ended;
}

void session_end(struct call *call)
{
    struct token session;
    if (!call->caller.by_cookie || !token_find(call, call->caller.token_id, &session)) {
        call_problem(call, 400, "There is no session: this request came with a token.");
        return;
    }
    session.ended = true;
    struct log_entry entry = directory_put_token(&session, &call->arena);
    call->cookie = VIEW("tidings=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
    call_append(call, &entry, 1, 0, 204);
}

void token_end(struct call *call)
{
    struct token token;
    if (!token_find(call, call->params[0], &token)) {
        call_not_found(call);
        return;
    }
    token.ended = true;
    struct log_entry entry = directory_put_token(&token, &call->arena);
    call_append(call, &entry, 1, 0, 204);
}
