/* Scripts of the faulty log. */
#include "broker/log/faulty_script.h"

#include "broker/base/memory.h"

#include <pthread.h>
#include <stdlib.h>

enum { MOST_RULES = 64, MOST_WORDS = 5, ANY = TOPIC_COUNT };

struct rule {
    bool is_read;
    int topic;     /* ANY: whichever */
    int64_t at;    /* which call; 0: every one */
    int64_t until; /* fail-until: calls before this one; 0: not one of these */
    struct faulty_decision decision;
};

struct faulty_script {
    pthread_mutex_t mutex;
    int64_t appends[TOPIC_COUNT + 1], reads[TOPIC_COUNT + 1]; /* the last place: any */
    struct rule rules[MOST_RULES];
    size_t count;
};

static const struct {
    const char *name;
    enum faulty_action action;
    bool has_number;
} actions[] = {
    {"fail", FAULTY_FAIL, false},  {"lose-answer", FAULTY_LOSE_ANSWER, false},
    {"skip", FAULTY_SKIP, false},  {"twice", FAULTY_TWICE, false},
    {"delay", FAULTY_DELAY, true}, {"fail-until", FAULTY_FAIL, true},
};

static size_t words_of(struct view line, struct view words[MOST_WORDS])
{
    size_t count = 0;
    const char *text = line.data, *end = text + line.size;
    while (count < MOST_WORDS) {
        while (text < end && *text == ' ')
            text++;
        const char *start = text;
        while (text < end && *text != ' ')
            text++;
        if (text == start)
            break;
        words[count++] = view_make(start, (size_t)(text - start));
    }
    return count;
}

static bool topic_from_word(struct view word, int *ret)
{
    static const char prefix[] = "tidings.";
    *ret = ANY;
    if (view_is_text(word, "any"))
        return true;
    for (int i = 0; i < TOPIC_COUNT; i++) {
        if (view_is_text(word, topic_name((enum topic)i) + sizeof prefix - 1)) {
            *ret = i;
            return true;
        }
    }
    return false;
}

static bool rule_read(struct view line, struct rule *ret)
{
    struct view words[MOST_WORDS];
    size_t count = words_of(line, words);
    int64_t number = 0;
    *ret = (struct rule){0};
    if (count < 4 || !topic_from_word(words[1], &ret->topic))
        return false;
    ret->is_read = view_is_text(words[0], "read");
    if (!ret->is_read && !view_is_text(words[0], "append"))
        return false;
    if (!view_is_text(words[2], "*") && (!view_to_number(words[2], &ret->at) || ret->at < 1))
        return false;
    for (size_t i = 0; i < sizeof actions / sizeof *actions; i++) {
        if (!view_is_text(words[3], actions[i].name))
            continue;
        if (count != (actions[i].has_number ? 5 : 4) || (count == 5 && !view_to_number(words[4], &number)) ||
            number > INT32_MAX)
            return false;
        ret->decision.action = actions[i].action;
        if (actions[i].action == FAULTY_DELAY)
            ret->decision.delay_ms = (int)number;
        else if (actions[i].has_number)
            ret->until = number;
        return !ret->is_read || ret->decision.action == FAULTY_FAIL;
    }
    return false;
}

enum result faulty_script_open(const char *text, struct faulty_script **ret, struct error *err)
{
    struct faulty_script *script = memory_take(sizeof *script);
    (void)pthread_mutex_init(&script->mutex, NULL);
    while (*text != '\0') {
        size_t size = strcspn(text, "\n");
        struct view words[MOST_WORDS], line = view_make(text, size);
        text += size + (text[size] == '\n');
        if (words_of(line, words) == 0)
            continue;
        if (script->count == MOST_RULES || !rule_read(line, &script->rules[script->count])) {
            faulty_script_close(script);
            return error_set(err, REJECTED, "not a rule of the faulty log: %.*s", VIEW_ARGS(line));
        }
        script->count++;
    }
    *ret = script;
    return OK;
}

void faulty_script_close(struct faulty_script *script)
{
    if (script == NULL)
        return;
    (void)pthread_mutex_destroy(&script->mutex);
    free(script);
}

static bool rule_applies(const struct rule *rule, int64_t count)
{
    if (rule->until != 0)
        return count >= rule->at && count < rule->until;
    return rule->at == 0 || rule->at == count;
}

/* The first rule that applies decides. */
static struct faulty_decision decide(struct faulty_script *script, bool is_read, unsigned topics)
{
    struct faulty_decision decision = {FAULTY_NONE, 0};
    int64_t *counts = is_read ? script->reads : script->appends;
    (void)pthread_mutex_lock(&script->mutex);
    topics |= 1U << ANY;
    for (int i = 0; i <= ANY; i++)
        counts[i] += (topics & 1U << i) != 0;
    for (size_t i = 0; i < script->count; i++) {
        const struct rule *rule = &script->rules[i];
        if (rule->is_read == is_read && (topics & 1U << rule->topic) != 0 && rule_applies(rule, counts[rule->topic])) {
            decision = rule->decision;
            break;
        }
    }
    (void)pthread_mutex_unlock(&script->mutex);
    return decision;
}

struct faulty_decision faulty_script_append(struct faulty_script *script, unsigned topics)
{
    return decide(script, false, topics);
}

bool faulty_script_read(struct faulty_script *script, enum topic topic)
{
    return decide(script, true, 1U << topic).action == FAULTY_FAIL;
}
