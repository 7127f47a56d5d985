/* Leads each request from its first line to its owner, and its answer to MHD; or refuses it. */
#include "broker/http/server.h"

#include <fcntl.h>
#include <stdlib.h>
#include <strings.h>

enum {
    LIMIT_PASSED_BYTES = 4 * 1024 * 1024, /* of a chunked body that is read past for a polite 413; then it is cut */
};

static void request_link(struct http_request *request)
{
    struct http *http = request->http;
    request->begun = true;
    request->next = http->requests;
    if (http->requests != NULL)
        http->requests->previous = request;
    http->requests = request;
    http->request_count++;
}

static void request_unlink(struct http_request *request)
{
    struct http *http = request->http;
    if (request->previous != NULL)
        request->previous->next = request->next;
    else
        http->requests = request->next;
    if (request->next != NULL)
        request->next->previous = request->previous;
    http->request_count--;
}

void intake_connection(void *context, struct MHD_Connection *connection, void **place,
                       enum MHD_ConnectionNotificationCode what)
{
    struct http *http = context;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        *place = connection_create(&http->leavers,
                                   MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd);
    } else {
        connection_destroy(&http->leavers, *place);
        *place = NULL;
    }
}

/* MHD's first word of a request: only here is the target still as it was sent. What is returned becomes the context. */
void *intake_target(void *context, const char *uri, struct MHD_Connection *connection)
{
    struct http_request *request = memory_take(sizeof *request);
    request->http = context;
    request->connection = connection;
    request->socket = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    request->socket->request = request;
    request->target_is_good = target_read(view_of_text(uri), &request->target);
    return request;
}

void intake_completed(void *context, struct MHD_Connection *connection, void **place,
                      enum MHD_RequestTerminationCode why)
{
    struct http *http = context;
    struct http_request *request = *place;
    *place = NULL;
    if (request == NULL)
        return;
    if (request->state == WAITING || request->state == STREAMING)
        http->options.cancelled(http->options.context, request);
    request->socket->request = NULL;
    if (request->linger && why == MHD_REQUEST_TERMINATED_COMPLETED_OK && !http->closing) {
        int fd = fcntl(request->socket->fd, F_DUPFD_CLOEXEC, 0);
        if (fd >= 0)
            linger_take(&http->linger, fd);
    }
    if (request->begun)
        request_unlink(request);
    if (request->response != NULL)
        MHD_destroy_response(request->response);
    (void)connection;
    stream_destroy(request);
    buffer_destroy(&request->body);
    target_destroy(&request->target);
    free(request);
}

static enum MHD_Result give_answer(struct http_request *request)
{
    struct MHD_Response *response = request->response;
    request->response = NULL;
    enum MHD_Result result = MHD_queue_response(request->connection, (unsigned)request->status, response);
    MHD_destroy_response(response);
    return result;
}

/* Answers instead of the owner, before the body is read; MHD closes the connection after such an answer. */
static enum MHD_Result refuse(struct http_request *request, int status, const char *detail)
{
    request->linger = true;
    request_move(request, WAITING);
    http_answer_problem(request, status, detail, NULL, 0);
    return give_answer(request);
}

/* "Content-Length : 5" means five bytes to some readers and nothing to MHD (RFC 9112, section 5.1). */
static void look_for_space(void *context, struct view name, struct view value)
{
    bool *found = context;
    (void)value;
    *found |= name.size == 0 || memchr(name.data, ' ', name.size) != NULL || memchr(name.data, '\t', name.size) != NULL;
}

/* Two ways to read where a body ends let a request hide in another's body behind a proxy (RFC 9112, section 11.2). */
static const char *unsafe_framing(const struct http_request *request)
{
    size_t lengths = http_header_count(request, "Content-Length");
    size_t encodings = http_header_count(request, "Transfer-Encoding");
    if (lengths > 1)
        return "Content-Length may stand only once.";
    if (lengths > 0 && encodings > 0)
        return "Content-Length and Transfer-Encoding may not stand together.";
    struct view encoding = http_header(request, "Transfer-Encoding");
    if (encodings > 1 || (encodings == 1 && (encoding.size != 7 || strncasecmp(encoding.data, "chunked", 7) != 0)))
        return "Transfer-Encoding may only be chunked.";
    bool space = false;
    http_each_header(request, look_for_space, &space);
    if (space)
        return "A header's name may hold no space.";
    if (http_header_count(request, "Host") > 1)
        return "Host may stand only once.";
    return NULL;
}

static enum MHD_Result begin(struct http_request *request, const char *method)
{
    struct http *http = request->http;
    const union MHD_ConnectionInfo *peer =
        MHD_get_connection_info(request->connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS);
    address_of_peer(peer->client_addr, request->peer, sizeof request->peer);
    request->method = method;
    request_link(request);

    const char *unsafe = unsafe_framing(request);
    if (unsafe != NULL)
        return refuse(request, 400, unsafe);
    if (!request->target_is_good)
        return refuse(request, 400, "The request's target cannot be read.");

    int64_t length = 0;
    struct view said = http_header(request, "Content-Length");
    request->limit = http->options.body_limit(http->options.context, http_method(request), request->target.path);
    if (said.data != NULL && !view_to_number(said, &length))
        return refuse(request, 400, "Content-Length is not a number.");
    if ((uint64_t)length > request->limit)
        return refuse(request, 413, "The body is larger than this route takes.");
    return MHD_YES;
}

static enum MHD_Result take_body(struct http_request *request, const char *bytes, size_t *size)
{
    size_t room = request->limit - request->body.size;
    if (request->passed == 0 && *size <= room)
        buffer_add(&request->body, bytes, *size);
    else
        request->passed += *size;
    *size = 0;
    return request->passed > LIMIT_PASSED_BYTES ? MHD_NO : MHD_YES;
}

static enum MHD_Result ask_owner(struct http_request *request)
{
    struct http *http = request->http;
    request_move(request, WAITING);
    if (request->passed > 0)
        http_answer_problem(request, 413, "The body is larger than this route takes.", NULL, 0);
    else
        http->options.request(http->options.context, request);
    if (request->response != NULL)
        return give_answer(request);
    request_suspend(request);
    return MHD_YES;
}

enum MHD_Result intake_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *bytes, size_t *size, void **place)
{
    (void)context;
    (void)connection;
    (void)url;
    (void)version;
    struct http_request *request = *place;
    if (request == NULL || request->cut || request->http->closing)
        return MHD_NO; /* while closing, a request that is just coming in must not be suspended any more */
    if (!request->begun)
        return begin(request, method);
    if (*size > 0)
        return take_body(request, bytes, size);
    if (request->state == RECEIVING)
        return ask_owner(request);
    return request->response != NULL ? give_answer(request) : MHD_YES;
}
