/* Reads CloudEvents 1.0.2 in its three ways over HTTP: structured, batch, binary. */
#include "broker/codec/cloudevent.h"

#include "broker/codec/cloudevent_data.h"
#include "broker/codec/json_scan.h"
#include "broker/event/nhs_number.h"

#include <stdio.h>

#define COUNT(list) (sizeof(list) / sizeof(list)[0])

static const char *const attribute_names[] = {"id",          "source",          "specversion", "type",      "time",
                                              "subject",     "dataref",         "versionid",   "filtering", "data",
                                              "traceparent", "datacontenttype", "tracestate"};
/* What we keep without reading it (interface, "POST /events"), in the order in which it is kept. */
static const char *const kept_names[] = {"dataref", "filtering", "versionid"};

/* "application/json", "application/fhir+json; charset=utf-8". */
static bool media_type_is_json(struct view type)
{
    const char *at = type.data;
    size_t size = 0;
    while (size < type.size && at[size] != ';' && at[size] != ' ')
        size++;
    return (size == 16 && strncasecmp(at, "application/json", 16) == 0) ||
           (size == 9 && strncasecmp(at, "text/json", 9) == 0) ||
           (size > 5 && strncasecmp(at + size - 5, "+json", 5) == 0);
}

/* W3C Trace Context, 2.2: it stands in a header in clear, so nothing else may hide in it. */
static const char *traceparent_check(struct view text)
{
    static const char form[] = "hh-hhhhhhhhhhhhhhhhhhhhhhhhhhhhhhhh-hhhhhhhhhhhhhhhh-hh";
    const char *at = text.data;
    bool right = text.size == sizeof form - 1;
    for (size_t i = 0; right && i < text.size; i++)
        right = form[i] == 'h' ? (at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f') : at[i] == '-';
    return right ? NULL : "is not a W3C traceparent";
}

static bool filter_value_is_right(const json_t *value)
{
    if (json_is_string(value) || json_is_number(value) || json_is_boolean(value))
        return true;
    for (size_t i = 0; i < json_array_size(value); i++)
        if (!json_is_string(json_array_get(value, i)) && !json_is_integer(json_array_get(value, i)))
            return false;
    return json_is_array(value);
}

static void filtering_check(const struct reading *event)
{
    struct reading filtering = reading_object(event, "filtering", OPTIONAL);
    json_t *object = (json_t *)filtering.object;
    for (void *i = json_object_iter(object); i != NULL; i = json_object_iter_next(object, i))
        if (!filter_value_is_right(json_object_iter_value(i)))
            reading_problem(event, "filtering",
                            "has a member that is no text, number, boolean, or list of texts and whole numbers");
}

static enum event_type type_read(const struct reading *event, struct view *ret)
{
    struct view name = reading_text(event, "type", REQUIRED, LIMIT_TEXT_CHARACTERS);
    enum event_type type = name.data == NULL ? TYPE_UNKNOWN : event_type_from_name(name);
    const struct event_type_facts *facts = event_type_facts(type);
    if (name.data != NULL && type == TYPE_UNKNOWN)
        reading_problem(event, "type", "is not an event type of ours");
    else if (type != TYPE_UNKNOWN && facts->how == PUBLISHED_LATER)
        reading_problem(event, "type", "is not taken yet");
    else if (type != TYPE_UNKNOWN && facts->how == PUBLISHED_BY_ROUTE)
        reading_problem(event, "type", "is made by its own route only");
    else if (type != TYPE_UNKNOWN && facts->how == PUBLISHED_BY_US)
        reading_problem(event, "type", "is derived, never sent");
    *ret = type == TYPE_UNKNOWN ? name : view_of_text(facts->name);
    return type;
}

static void attributes_read(const struct reading *event, struct cloudevent *ret)
{
    char digits[11];
    reading_refuse_others(event, attribute_names, COUNT(attribute_names));
    struct view version = reading_text(event, "specversion", REQUIRED, LIMIT_TEXT_CHARACTERS);
    if (version.data != NULL && !view_is_text(version, "1.0"))
        reading_problem(event, "specversion", "is not 1.0");
    ret->id = reading_text(event, "id", REQUIRED, LIMIT_ID_CHARACTERS);
    ret->source = reading_uri_reference(event, "source", REQUIRED, LIMIT_ID_CHARACTERS);
    ret->time_ms = reading_time(event, "time", REQUIRED);
    if (ret->time_ms < 0)
        reading_problem(event, "time", "is before 1970");
    ret->subject = reading_text(event, "subject", OPTIONAL, 64);
    if (ret->subject.data != NULL && nhs_number_read(ret->subject, digits) == NHS_NUMBER_NONE)
        reading_problem(event, "subject", "is not an NHS number");
    struct view media = reading_text(event, "datacontenttype", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    if (media.data != NULL && !media_type_is_json(media))
        reading_problem(event, "datacontenttype", "is not JSON");
    ret->traceparent = reading_text(event, "traceparent", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    const char *why = ret->traceparent.data == NULL ? NULL : traceparent_check(ret->traceparent);
    if (why != NULL)
        reading_problem(event, "traceparent", "%s", why);
    ret->tracestate = reading_text(event, "tracestate", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    (void)reading_uri_reference(event, "dataref", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    (void)reading_text(event, "versionid", OPTIONAL, LIMIT_TEXT_CHARACTERS);
    filtering_check(event);
}

/* dataref, filtering and versionid as one object, each value in the bytes that were sent: jansson would turn 1.50
 * into 1.5. */
static struct view kept_attributes(const json_t *event, struct view as_sent, struct arena *arena)
{
    struct buffer text = {0};
    for (size_t i = 0; i < COUNT(kept_names); i++) {
        const json_t *value = json_object_get(event, kept_names[i]);
        if (value == NULL)
            continue;
        struct view sent = json_member_as_sent(as_sent, kept_names[i]);
        if (sent.data == NULL)
            sent = reading_dump(value, JSON_COMPACT, 256, arena);
        buffer_add_format(&text, "%s\"%s\":", text.size == 0 ? "{" : ",", kept_names[i]);
        buffer_add_view(&text, sent);
    }
    if (text.size > 0)
        buffer_add_byte(&text, '}');
    struct view kept = text.size == 0 ? VIEW_NONE : arena_copy(arena, buffer_view(&text));
    buffer_destroy(&text);
    return kept;
}

/* as_sent: where the bytes of kept attributes are looked for; an empty text where they stand nowhere whole. */
static void event_read(const struct reading *event, struct view as_sent, struct cloudevent *ret)
{
    struct cloudevent read = {0};
    json_t *nothing = json_object();
    const json_t *data = json_object_get(event->object, "data");
    char at[READING_AT];
    attributes_read(event, &read);
    enum event_type type = type_read(event, &read.type);
    reading_join(at, event->at, "data");
    /* What an unknown type wants of its data nobody can say. */
    if (type != TYPE_UNKNOWN && event_type_facts(type)->how == PUBLISHED_BY_SENDERS) {
        struct reading inner = reading_start(data == NULL ? nothing : data, at, event->arena, event->problems);
        cloudevent_data_read(&inner, type, &read, &read.event);
    }
    read.event.header.type = read.type;
    read.event.header.origin = ORIGIN_CLOUDEVENTS;
    read.event.header.count = 1;
    read.event.header.traceparent = read.traceparent;
    read.event.body.happened_at_ms = read.time_ms;
    read.event.body.message_source = read.source;
    read.event.body.message_id = read.id;
    read.event.body.attributes = kept_attributes(event->object, as_sent, event->arena);
    read.content = reading_dump(event->object, JSON_COMPACT | JSON_SORT_KEYS, as_sent.size + 1024, event->arena);
    json_decref(nothing);
    *ret = read;
}

static void too_large(struct problems *problems, const char *at)
{
    problem_add(problems, at, "is over %d KiB", LIMIT_EVENT_BYTES / 1024);
    problems->too_large = true;
}

enum result cloudevent_read(struct view json, struct arena *arena, struct cloudevent *ret,
                            struct problems *ret_problems)
{
    struct cloudevent read = {0};
    *ret_problems = (struct problems){0};
    json_t *document = NULL;
    if (json.size > LIMIT_EVENT_BYTES)
        too_large(ret_problems, "");
    else
        document = reading_parse(json, "", ret_problems);
    if (document != NULL) {
        struct reading event = reading_start(document, "", arena, ret_problems);
        if (event.object != NULL)
            event_read(&event, json, &read);
    }
    json_decref(document);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}

static void batch_read(const json_t *list, struct view json, struct arena *arena, struct cloudevent *ret,
                       struct problems *problems)
{
    size_t at = 0;
    struct view sent;
    for (size_t i = 0; i < json_array_size(list) && json_element_as_sent(json, &at, &sent); i++) {
        char position[32];
        (void)snprintf(position, sizeof position, "%zu", i);
        if (sent.size > LIMIT_EVENT_BYTES) {
            too_large(problems, position);
            continue;
        }
        (void)snprintf(position, sizeof position, "%zu/", i);
        struct reading event = reading_start(json_array_get(list, i), position, arena, problems);
        if (event.object != NULL)
            event_read(&event, sent, &ret[i]);
    }
}

enum result cloudevent_read_batch(struct view json, struct arena *arena, struct cloudevent **ret, size_t *ret_count,
                                  struct problems *ret_problems)
{
    *ret_problems = (struct problems){0};
    json_t *list = reading_parse(json, "", ret_problems);
    size_t count = json_array_size(list);
    struct cloudevent *events = NULL;
    if (list != NULL && !json_is_array(list)) {
        problem_add(ret_problems, "", "is not a list of events");
    } else if (count > LIMIT_BATCH_EVENTS) {
        problem_add(ret_problems, "", "has more than %d events", LIMIT_BATCH_EVENTS);
    } else {
        events = arena_take(arena, count * sizeof *events);
        batch_read(list, json, arena, events, ret_problems);
    }
    json_decref(list);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = events;
    *ret_count = count;
    return OK;
}

/* A header's value as the JSON value of its attribute; NULL: noted. Only filtering is JSON itself. */
static json_t *attribute_value(const char *name, struct view value, struct problems *problems)
{
    if (strcmp(name, "filtering") == 0)
        return reading_parse(value, name, problems);
    json_t *text = json_stringn(value.data == NULL ? "" : value.data, value.size);
    if (text == NULL)
        problem_add(problems, name, "is not UTF-8");
    return text;
}

static void attribute_add(json_t *event, const struct cloudevent_attribute *attribute, struct arena *arena,
                          struct problems *problems)
{
    struct view copy = arena_copy(arena, attribute->name);
    const char *name = copy.data;
    if (strcmp(name, "data") == 0) {
        problem_add(problems, name, "comes as the body, not as a header");
    } else if (json_object_get(event, name) != NULL) {
        problem_add(problems, name, "stands twice");
    } else {
        json_t *value = attribute_value(name, attribute->value, problems);
        if (value != NULL && json_object_set_new(event, name, value) != 0)
            problem_add(problems, "?", "is not known here");
    }
}

enum result cloudevent_read_binary(const struct cloudevent_attribute *attributes, size_t count, struct view data,
                                   struct arena *arena, struct cloudevent *ret, struct problems *ret_problems)
{
    struct cloudevent read = {0};
    size_t size = data.size;
    struct view filtering = VIEW("");
    json_t *event = json_object();
    *ret_problems = (struct problems){0};
    for (size_t i = 0; i < count; i++)
        size += attributes[i].name.size + attributes[i].value.size;
    if (size > LIMIT_EVENT_BYTES) {
        too_large(ret_problems, "");
        count = 0;
    }
    for (size_t i = 0; i < count; i++) {
        attribute_add(event, &attributes[i], arena, ret_problems);
        if (view_is_text(attributes[i].name, "filtering"))
            filtering = attributes[i].value;
    }
    if (data.size > 0 && ret_problems->count == 0) {
        json_t *body = reading_parse(data, "data", ret_problems);
        if (body != NULL)
            (void)json_object_set_new(event, "data", body);
    }
    if (ret_problems->count == 0) {
        struct view as_sent = arena_format(arena, "{\"filtering\":%.*s}", VIEW_ARGS(filtering));
        struct reading reading = reading_start(event, "", arena, ret_problems);
        event_read(&reading, as_sent, &read);
    }
    json_decref(event);
    if (ret_problems->count > 0)
        return REJECTED;
    *ret = read;
    return OK;
}
