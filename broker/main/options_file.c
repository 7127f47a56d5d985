/* Options from an INI file, by inih: every option of the command line has a key there. */
#include "broker/main/options.h"

#include "broker/main/word.h"

#include <errno.h>
#include <ini.h>
#include <stdlib.h>

struct file_reading {
    struct options *options;
    const char *path, *section;
    size_t given_before; /* what the command line said */
    enum result result;
    struct error *err;
};

static const struct option_kind *kind_at(const struct options *options, const char *name, bool near)
{
    const struct option_kind *best = NULL;
    for (size_t i = 0; i < OPTION_TABLES; i++) {
        for (const struct option_kind *kind = options->tables[i]; kind != NULL && kind->name != NULL; kind++) {
            if (!near && strcmp(kind->name, name) == 0)
                return kind;
            if (near && word_is_near(name, kind->name) &&
                (best == NULL || word_distance(name, kind->name) < word_distance(name, best->name)))
                best = kind;
        }
    }
    return best;
}

static void refuse(struct file_reading *reading, const char *name)
{
    const struct option_kind *near = kind_at(reading->options, name, true);
    reading->result = near == NULL
                          ? error_set(reading->err, REJECTED, "%.100s: there is no key %.40s", reading->path, name)
                          : error_set(reading->err, REJECTED, "%.100s: there is no key %.40s; is %s meant?",
                                      reading->path, name, near->name);
}

static bool is_on_command_line(const struct file_reading *reading, const struct option_kind *kind)
{
    for (size_t i = 0; i < reading->given_before; i++)
        if (reading->options->given[i].kind == kind)
            return true;
    return false;
}

/* A key that takes no value is set by yes, left alone by no. */
static bool take(struct file_reading *reading, const struct option_kind *kind, const char *value)
{
    struct options *options = reading->options;
    if (kind->value == NULL && strcmp(value, "no") == 0)
        return true;
    if (kind->value == NULL && strcmp(value, "yes") != 0) {
        reading->result = error_set(reading->err, REJECTED, "%.100s: %s is yes or no", reading->path, kind->name);
        return false;
    }
    if (is_on_command_line(reading, kind))
        return true;
    options->given = memory_grow(options->given, (options->given_count + 1) * sizeof *options->given);
    const char *copy = kind->value == NULL ? "" : arena_copy(&options->arena, view_of_text(value)).data;
    options->given[options->given_count++] = (struct option_given){kind, copy, true};
    return true;
}

/* inih's: 0 stands for a wrong line. */
static int on_line(void *context, const char *section, const char *name, const char *value)
{
    struct file_reading *reading = context;
    if (reading->result != OK)
        return 0;
    if (section[0] != '\0' && strcmp(section, reading->section) != 0) {
        reading->result = error_set(reading->err, REJECTED, "%.100s: there is no section [%.40s]; [%s] there is",
                                    reading->path, section, reading->section);
        return 0;
    }
    const struct option_kind *kind = kind_at(reading->options, name, false);
    if (kind == NULL || strcmp(name, "config") == 0) {
        refuse(reading, name);
        return 0;
    }
    return take(reading, kind, value) ? 1 : 0;
}

enum result options_read_file(struct options *options, const char *path, const char *section, struct error *err)
{
    struct file_reading reading = {.options = options,
                                   .path = path,
                                   .section = section,
                                   .given_before = options->given_count,
                                   .result = OK,
                                   .err = err};
    int line = ini_parse(path, on_line, &reading);
    if (reading.result != OK)
        return reading.result;
    if (line < 0)
        return error_set(err, REJECTED, "%.150s cannot be read (%s)", path, strerror(errno));
    return line == 0 ? OK : error_set(err, REJECTED, "%.150s, line %d: not `key = value`", path, line);
}
