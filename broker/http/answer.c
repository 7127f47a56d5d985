/* Answers: a status, headers and a body, given to MHD now or when the connection is woken. */
#include "broker/http/request.h"

#include "broker/base/json.h"

#include <stdlib.h>

/* A value that would break the header block (a CR, say) is left out with its header: MHD refuses it. */
void answer_add_header(struct MHD_Response *response, const char *name, struct view value)
{
    char short_text[256];
    bool is_short = value.size < sizeof short_text;
    char *text = is_short ? short_text : memory_text(value);
    if (is_short) {
        if (value.size > 0)
            memcpy(text, value.data, value.size);
        text[value.size] = '\0';
    }
    (void)MHD_add_response_header(response, name, text);
    if (!is_short)
        free(text);
}

void answer_add_common_headers(const struct http_request *request, struct MHD_Response *response)
{
    (void)MHD_add_response_header(response, "X-Content-Type-Options", "nosniff");
    if (MHD_get_response_header(response, "Cache-Control") == NULL)
        (void)MHD_add_response_header(response, "Cache-Control", "no-store");
    if (http_is_quiet(request->http))
        (void)MHD_add_response_header(response, "Connection", "close");
}

void http_answer(struct http_request *request, const struct http_answer *answer)
{
    /* Of a 304 MHD sends the length only, which must be that of the 200 (RFC 9110, section 8.6). */
    struct view body = answer->status == 204 ? VIEW_NONE : answer->body;
    /* MHD never writes to it; its parameter is not const for the sake of the mode in which it frees. */
    request->response =
        MHD_create_response_from_buffer(body.size, (void *)(uintptr_t)body.data,
                                        answer->body_is_static ? MHD_RESPMEM_PERSISTENT : MHD_RESPMEM_MUST_COPY);
    if (request->response == NULL)
        abort();
    request->status = answer->status;
    if (answer->content_type != NULL && answer->status != 204)
        (void)MHD_add_response_header(request->response, "Content-Type", answer->content_type);
    for (size_t i = 0; i < sizeof answer->headers / sizeof answer->headers[0]; i++)
        if (answer->headers[i].name != NULL && answer->headers[i].value.data != NULL)
            answer_add_header(request->response, answer->headers[i].name, answer->headers[i].value);
    answer_add_common_headers(request, request->response);
    request_move(request, ANSWERED);
    request_wake(request);
}

void http_answer_problem(struct http_request *request, int status, const char *detail,
                         const struct http_problem *errors, size_t count)
{
    struct buffer body = {0};
    struct json json = json_start(&body);
    json_open_object(&json);
    json_member_text(&json, "type", VIEW("about:blank"));
    json_member_text(&json, "title", view_of_text(MHD_get_reason_phrase_for((unsigned)status)));
    json_member_number(&json, "status", status);
    json_member_text(&json, "detail", view_of_text(detail));
    if (count > 0) {
        json_name(&json, "errors");
        json_open_array(&json);
        for (size_t i = 0; i < count; i++) {
            json_open_object(&json);
            json_member_text(&json, "at", errors[i].at);
            json_member_text(&json, "why", errors[i].why);
            json_close_object(&json);
        }
        json_close_array(&json);
    }
    json_close_object(&json);

    struct http_answer answer = {
        .status = status, .content_type = "application/problem+json", .body = buffer_view(&body)};
    if (status == 401) { /* RFC 9110, section 15.5.2: a 401 names the scheme */
        answer.headers[0].name = "WWW-Authenticate";
        answer.headers[0].value = VIEW("Bearer");
    } else if (status == 429 || status == 503) {
        answer.headers[0].name = "Retry-After";
        answer.headers[0].value = VIEW("1");
    }
    http_answer(request, &answer);
    buffer_destroy(&body);
}
