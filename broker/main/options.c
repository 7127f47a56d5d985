/* Options of a command, read from the command line. */
#include "broker/main/options.h"

#include "broker/main/word.h"

#include <stdlib.h>

static const struct option_kind *kind_find(const struct options *options, struct view name)
{
    for (size_t i = 0; i < OPTION_TABLES; i++)
        for (const struct option_kind *kind = options->tables[i]; kind != NULL && kind->name != NULL; kind++)
            if (view_is_text(name, kind->name))
                return kind;
    return NULL;
}

static enum result unknown(const struct options *options, const char *name, struct error *err)
{
    const struct option_kind *nearest = NULL;
    for (size_t i = 0; i < OPTION_TABLES; i++)
        for (const struct option_kind *kind = options->tables[i]; kind != NULL && kind->name != NULL; kind++)
            if (nearest == NULL || word_distance(name, kind->name) < word_distance(name, nearest->name))
                nearest = kind;
    if (nearest != NULL && word_is_near(name, nearest->name))
        return error_set(err, REJECTED, "there is no option --%.40s; is --%s meant?", name, nearest->name);
    return error_set(err, REJECTED, "there is no option --%.40s", name);
}

static void given_add(struct options *options, const struct option_kind *kind, const char *value, bool by_file)
{
    options->given = memory_grow(options->given, (options->given_count + 1) * sizeof *options->given);
    options->given[options->given_count++] =
        (struct option_given){kind, arena_copy(&options->arena, view_of_text(value)).data, by_file};
}

static enum result option_take(struct options *options, const char *word, const char *next, bool *ret_took_next,
                               struct error *err)
{
    const char *equals = strchr(word, '=');
    struct view name = equals == NULL ? view_of_text(word) : view_make(word, (size_t)(equals - word));
    const struct option_kind *kind = kind_find(options, name);
    *ret_took_next = false;
    if (kind == NULL)
        return unknown(options, arena_copy(&options->arena, name).data, err);
    if (!kind->repeats && options_has(options, kind->name))
        return error_set(err, REJECTED, "--%s stands twice", kind->name);
    if (kind->value == NULL && equals != NULL)
        return error_set(err, REJECTED, "--%s takes no value", kind->name);
    if (kind->value != NULL && equals == NULL) {
        if (next == NULL)
            return error_set(err, REJECTED, "--%s needs a value: --%s %s", kind->name, kind->name, kind->value);
        *ret_took_next = true;
        given_add(options, kind, next, false);
        return OK;
    }
    given_add(options, kind, equals == NULL ? "" : equals + 1, false);
    return OK;
}

enum result options_read(const struct option_kind *const tables[OPTION_TABLES], int argc, char **argv,
                         struct options *ret, struct error *err)
{
    enum result result = OK;
    struct options options = {0};
    bool only_arguments = false;
    for (size_t i = 0; i < OPTION_TABLES; i++)
        options.tables[i] = tables[i];
    for (int i = 0; i < argc && result == OK; i++) {
        bool took_next = false;
        if (!only_arguments && strcmp(argv[i], "--") == 0) {
            only_arguments = true;
        } else if (!only_arguments && strncmp(argv[i], "--", 2) == 0) {
            result = option_take(&options, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL, &took_next, err);
            i += took_next;
        } else if (!only_arguments && argv[i][0] == '-' && argv[i][1] != '\0') {
            result = error_set(err, REJECTED, "there is no option %.40s; options begin with two dashes", argv[i]);
        } else {
            options.arguments =
                memory_grow(options.arguments, (options.argument_count + 1) * sizeof *options.arguments);
            options.arguments[options.argument_count++] = argv[i];
        }
    }
    if (result == OK)
        *ret = options;
    else
        options_destroy(&options);
    return result;
}

void options_destroy(struct options *options)
{
    free(options->given);
    free(options->arguments);
    arena_destroy(&options->arena);
    *options = (struct options){0};
}

/* ---- What was given ---- */

const char *options_find(const struct options *options, const char *name)
{
    const char *found = NULL;
    for (size_t i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].kind->name, name) == 0)
            found = options->given[i].value;
    return found;
}

bool options_has(const struct options *options, const char *name)
{
    return options_find(options, name) != NULL;
}

const char *options_nth(const struct options *options, const char *name, size_t place)
{
    for (size_t i = 0; i < options->given_count; i++)
        if (strcmp(options->given[i].kind->name, name) == 0 && place-- == 0)
            return options->given[i].value;
    return NULL;
}

enum result options_number(const struct options *options, const char *name, int64_t least, int64_t most, int64_t *ret,
                           struct error *err)
{
    const char *text = options_find(options, name);
    int64_t number;
    if (text == NULL)
        return OK;
    if (!view_to_number(view_of_text(text), &number) || number < least || number > most)
        return error_set(err, REJECTED, "--%s takes a whole number from %lld to %lld", name, (long long)least,
                         (long long)most);
    *ret = number;
    return OK;
}

/* ---- --help ---- */

void options_help(const struct option_kind *const tables[OPTION_TABLES], FILE *to)
{
    for (size_t i = 0; i < OPTION_TABLES; i++) {
        for (const struct option_kind *kind = tables[i]; kind != NULL && kind->name != NULL; kind++) {
            char left[48];
            (void)snprintf(left, sizeof left, "--%s%s%s", kind->name, kind->value == NULL ? "" : " ",
                           kind->value == NULL ? "" : kind->value);
            (void)fprintf(to, "  %-30s %s%s\n", left, kind->help, kind->repeats ? " (may stand several times)" : "");
        }
    }
}
