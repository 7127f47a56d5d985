/* Who there is, followed over a real log. */
#include "broker/directory/directory.h"
#include "tests/unit/lab/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>

#include <cmocka.h>

struct scene {
    struct lab lab;
    struct directory *directory;
};

static void put(struct scene *scene, struct log_entry entry)
{
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, entry.key, entry.value);
}

static void follow(struct scene *scene)
{
    struct error err = {0};
    assert_int_equal(directory_follow(scene->directory, &err), OK);
}

static int scene_open(void **state)
{
    struct scene *scene = memory_take(sizeof *scene);
    struct error err = {0};
    lab_open(&scene->lab);
    assert_int_equal(directory_open(scene->lab.log, &scene->directory, &err), OK);
    *state = scene;
    return 0;
}

static int scene_close(void **state)
{
    struct scene *scene = *state;
    directory_close(scene->directory);
    lab_close(&scene->lab);
    free(scene);
    return 0;
}

static void organisation_put(struct scene *scene, const char *id, const char *name, const char *hl7_name,
                             const char *source)
{
    struct view names[] = {view_of_text(hl7_name)}, sources[] = {view_of_text(source)};
    struct organisation organisation = {.id = view_of_text(id),
                                        .name = view_of_text(name),
                                        .kind = VIEW("hospital"),
                                        .hl7_names = names,
                                        .hl7_name_count = hl7_name != NULL,
                                        .sources = sources,
                                        .source_count = source != NULL};
    put(scene, directory_put_organisation(&organisation, &scene->lab.arena));
}

static struct token token_put(struct scene *scene, const char *kind, int64_t expires_at_ms, struct view parent,
                              char text[TOKEN_TEXT_SIZE])
{
    char id[TOKEN_ID_SIZE];
    struct token token = {
        .roles = ROLE_SUBSCRIBER, .kind = view_of_text(kind), .expires_at_ms = expires_at_ms, .parent = parent};
    vault_token_create(id, text, token.hash);
    token.id = arena_copy(&scene->lab.arena, view_of_text(id));
    put(scene, directory_put_token(&token, &scene->lab.arena));
    return token;
}

static void end(struct scene *scene, struct token token)
{
    token.ended = true;
    put(scene, directory_put_token(&token, &scene->lab.arena));
    follow(scene);
}

static void what_was_there_before_it_opened_is_there_at_once(void **state)
{
    struct scene *scene = *state;
    struct error err = {0};
    struct directory *again;
    for (int i = 0; i < 2500; i++) /* more than one read */
        organisation_put(scene, arena_format(&scene->lab.arena, "X%04d", i).data, "Name", NULL, NULL);
    assert_int_equal(directory_open(scene->lab.log, &again, &err), OK);
    assert_non_null(directory_organisation(again, VIEW("X0000")));
    assert_non_null(directory_organisation(again, VIEW("X2499")));
    assert_null(directory_organisation(again, VIEW("X2500")));
    directory_close(again);
}

static void a_change_replaces_the_whole_organisation_and_its_names(void **state)
{
    struct scene *scene = *state;
    organisation_put(scene, "R0A", "Old", "OLD NAME", "urn:old");
    follow(scene);
    assert_non_null(directory_organisation_by_hl7_name(scene->directory, VIEW("OLD NAME")));
    assert_non_null(directory_zone(scene->directory, directory_organisation(scene->directory, VIEW("R0A"))));
    organisation_put(scene, "R0A", "New", "NEW NAME", NULL);
    follow(scene);
    assert_null(directory_organisation_by_hl7_name(scene->directory, VIEW("OLD NAME")));
    const struct organisation *found = directory_organisation_by_hl7_name(scene->directory, VIEW("NEW NAME"));
    assert_non_null(found);
    assert_true(view_is_text(found->name, "New"));
    assert_non_null(directory_zone(scene->directory, found));
}

static void a_sender_is_found_by_id_then_by_name_then_by_its_trust(void **state)
{
    struct scene *scene = *state;
    organisation_put(scene, "R0A", "Trust", "RAL RF", NULL);
    organisation_put(scene, "R0A02", "Site", NULL, NULL);
    follow(scene);
    assert_true(view_is_text(directory_organisation_by_hl7_name(scene->directory, VIEW("R0A02"))->id, "R0A02"));
    assert_true(view_is_text(directory_organisation_by_hl7_name(scene->directory, VIEW("RAL RF"))->id, "R0A"));
    assert_true(view_is_text(directory_organisation_by_hl7_name(scene->directory, VIEW("R0A99"))->id, "R0A"));
    assert_null(directory_organisation_by_hl7_name(scene->directory, VIEW("R0A9")));
    assert_null(directory_organisation_by_hl7_name(scene->directory, VIEW("")));
}

static void a_name_or_source_is_one_organisations_only(void **state)
{
    struct scene *scene = *state;
    struct view names[] = {VIEW("NAME")}, sources[] = {VIEW("urn:a")}, ids[] = {VIEW("R0A")};
    organisation_put(scene, "R0A", "Trust", "NAME", "urn:a");
    follow(scene);
    struct organisation wanted = {.id = VIEW("R0B"), .hl7_names = names, .hl7_name_count = 1};
    assert_non_null(directory_clash(scene->directory, &wanted));
    wanted = (struct organisation){.id = VIEW("R0B"), .sources = sources, .source_count = 1};
    assert_non_null(directory_clash(scene->directory, &wanted));
    wanted = (struct organisation){.id = VIEW("R0B"), .hl7_names = ids, .hl7_name_count = 1};
    assert_non_null(directory_clash(scene->directory, &wanted)); /* another's id */
    wanted = (struct organisation){.id = VIEW("NAME")};
    assert_non_null(directory_clash(scene->directory, &wanted)); /* an id that is another's name */
    wanted = (struct organisation){
        .id = VIEW("R0A"), .hl7_names = names, .hl7_name_count = 1, .sources = sources, .source_count = 1};
    assert_null(directory_clash(scene->directory, &wanted));
}

static void a_token_opens_until_it_ends_or_is_over(void **state)
{
    struct scene *scene = *state;
    char text[TOKEN_TEXT_SIZE], over[TOKEN_TEXT_SIZE], wrong[TOKEN_TEXT_SIZE];
    struct token token = token_put(scene, "token", 0, VIEW_NONE, text);
    (void)token_put(scene, "token", 1000, VIEW_NONE, over);
    follow(scene);
    assert_non_null(directory_token(scene->directory, view_of_text(text), 5000));
    assert_non_null(directory_token(scene->directory, view_of_text(over), 999));
    assert_null(directory_token(scene->directory, view_of_text(over), 1000));
    memcpy(wrong, text, sizeof wrong);
    wrong[TOKEN_TEXT_SIZE - 3] = wrong[TOKEN_TEXT_SIZE - 3] == 'A' ? 'B' : 'A'; /* the right id, another secret */
    assert_null(directory_token(scene->directory, view_of_text(wrong), 5000));
    assert_null(directory_token(scene->directory, VIEW(""), 5000));
    end(scene, token);
    assert_null(directory_token(scene->directory, view_of_text(text), 5000));
}

static void a_session_is_over_with_the_token_it_was_opened_with(void **state)
{
    struct scene *scene = *state;
    char text[TOKEN_TEXT_SIZE], session[TOKEN_TEXT_SIZE];
    struct token token = token_put(scene, "token", 2000, VIEW_NONE, text);
    (void)token_put(scene, "session", 9000, token.id, session);
    follow(scene);
    assert_non_null(directory_token(scene->directory, view_of_text(session), 1000));
    assert_null(directory_token(scene->directory, view_of_text(session), 2500));
    end(scene, token);
    assert_null(directory_token(scene->directory, view_of_text(session), 1000));
}

static void sessions_that_are_over_are_forgotten_and_tokens_are_not(void **state)
{
    struct scene *scene = *state;
    char text[TOKEN_TEXT_SIZE];
    struct token kept = token_put(scene, "token", 1, VIEW_NONE, text), first = {0};
    for (int i = 0; i < 1100; i++) {
        struct token session = token_put(scene, "session", 1000, VIEW_NONE, text); /* long over */
        if (i == 0)
            first = session;
    }
    follow(scene);
    assert_null(directory_token_by_id(scene->directory, first.id));
    assert_non_null(directory_token_by_id(scene->directory, kept.id));
}

static void bytes_that_are_no_entry_change_nothing(void **state)
{
    struct scene *scene = *state;
    organisation_put(scene, "R0A", "Trust", NULL, NULL);
    follow(scene);
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, VIEW("organisation/R0A"), VIEW("\0\0\0\0\x0bgarbage"));
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, VIEW("token/x"), VIEW(""));
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, VIEW("something/new"), VIEW("\0\0\0\0\x63"));
    (void)lab_append_raw(&scene->lab, TOPIC_DIRECTORY, 0, VIEW("organisation/R0A"), VIEW_NONE);
    follow(scene);
    assert_non_null(directory_organisation(scene->directory, VIEW("R0A")));
}

struct page {
    size_t count, most;
    struct view last;
};

static bool page_take(void *context, const struct organisation *organisation)
{
    struct page *page = context;
    page->last = organisation->id;
    return ++page->count < page->most;
}

static void organisations_are_listed_in_the_order_of_their_ids(void **state)
{
    struct scene *scene = *state;
    struct page page = {.most = 2};
    organisation_put(scene, "C", "Name", NULL, NULL);
    organisation_put(scene, "A", "Name", NULL, NULL);
    organisation_put(scene, "B", "Name", NULL, NULL);
    follow(scene);
    directory_each_organisation(scene->directory, VIEW_NONE, page_take, &page);
    assert_true(view_is_text(page.last, "B"));
    directory_each_organisation(scene->directory, page.last, page_take, &page);
    assert_true(view_is_text(page.last, "C"));
}

int main(void)
{
#define SENTENCE(name) cmocka_unit_test_setup_teardown(name, scene_open, scene_close)
    const struct CMUnitTest sentences[] = {
        SENTENCE(what_was_there_before_it_opened_is_there_at_once),
        SENTENCE(a_change_replaces_the_whole_organisation_and_its_names),
        SENTENCE(a_sender_is_found_by_id_then_by_name_then_by_its_trust),
        SENTENCE(a_name_or_source_is_one_organisations_only),
        SENTENCE(a_token_opens_until_it_ends_or_is_over),
        SENTENCE(a_session_is_over_with_the_token_it_was_opened_with),
        SENTENCE(sessions_that_are_over_are_forgotten_and_tokens_are_not),
        SENTENCE(bytes_that_are_no_entry_change_nothing),
        SENTENCE(organisations_are_listed_in_the_order_of_their_ids),
    };
    return cmocka_run_group_tests(sentences, NULL, NULL);
}
