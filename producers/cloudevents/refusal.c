/* Answers that need no log: what is wrong, as MNS says it, and as an item on the publisher's work list. */
#include "producers/cloudevents/inside.h"

#include "broker/base/bytes.h"
#include "broker/base/json.h"

static void answer_now(struct http_request *request, int status, const struct buffer *body)
{
    struct http_answer answer = {
        .status = status,
        .content_type = "application/json",
        .body = buffer_view(body),
        .headers = {{"X-Correlation-ID", http_header(request, "X-Correlation-ID")},
                    {"Retry-After", status == 503 ? VIEW("1") : VIEW_NONE},
                    {"WWW-Authenticate", status == 401 ? VIEW("Bearer") : VIEW_NONE}},
    };
    http_answer(request, &answer);
}

void refuse(struct http_request *request, int status, const char *why)
{
    struct buffer body = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_text(&json, "errors", view_of_text(why));
    json_close_object(&json);
    answer_now(request, status, &body);
    buffer_destroy(&body);
}

static bool said_before(const struct problems *problems, size_t index)
{
    for (size_t i = 0; i < index; i++)
        if (strcmp(problems->list[i].at, problems->list[index].at) == 0)
            return true;
    return false;
}

void refuse_with_problems(struct http_request *request, const struct problems *problems)
{
    struct buffer body = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_name(&json, "validationErrors");
    json_open_object(&json);
    for (size_t i = 0; i < problems->count; i++) {
        const char *at = problems->list[i].at;
        if (!said_before(problems, i)) /* one member for one name */
            json_member_text(&json, at[0] == '\0' ? "body" : at, view_of_text(problems->list[i].why));
    }
    json_close_object(&json);
    json_close_object(&json);
    answer_now(request, 400, &body);
    buffer_destroy(&body);
}

struct work_item refused_item(const struct organisation *organisation, const struct posted *posted, size_t index,
                              const char *code, struct view at, struct view why, struct arena *arena)
{
    struct work_item item = {
        .organisation = organisation->id,
        .kind = VIEW("refused"),
        .source = posted_find(posted, index, "source", arena),
        .message_id = posted_find(posted, index, "id", arena),
        .why = why,
        .at = at,
        .code = view_of_text(code),
        .source_partition = -1,
    };
    if (!bytes_are_utf8(item.source))
        item.source = VIEW("");
    if (!bytes_are_utf8(item.message_id))
        item.message_id = VIEW("");
    return item;
}
