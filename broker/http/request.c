/* What a handler may ask of a request. */
#include "broker/http/request.h"

#include <stdlib.h>
#include <strings.h>
#include <sys/socket.h>

void request_move(struct http_request *request, enum request_state to)
{
    static const unsigned char allowed[] = {
        [RECEIVING] = 1 << WAITING,
        [WAITING] = 1 << ANSWERED | 1 << STREAMING,
        [STREAMING] = 1 << ENDED,
        [ANSWERED] = 0,
        [ENDED] = 0,
    };
    if ((allowed[request->state] & 1 << to) == 0)
        abort(); /* answered twice, or a stream that was never started: a programmer's error */
    request->state = to;
}

void request_suspend(struct http_request *request)
{
    request->suspended = true;
    MHD_suspend_connection(request->connection);
}

void request_wake(struct http_request *request)
{
    if (!request->suspended)
        return;
    request->suspended = false;
    MHD_resume_connection(request->connection);
    http_awake(request->http);
}

/* The socket is shut rather than MHD told of an error: a reader that reports one leaves MHD with a closed connection
 * that it frees only at the idle timeout. A write that fails is cleaned up at once. */
void request_cut(struct http_request *request)
{
    request->cut = true;
    (void)shutdown(request->socket->fd, SHUT_RDWR);
    request_wake(request);
}

struct view http_method(const struct http_request *request)
{
    /* A HEAD is answered as a GET; MHD leaves the body out. */
    return strcmp(request->method, "HEAD") == 0 ? VIEW("GET") : view_of_text(request->method);
}

struct view http_path(const struct http_request *request)
{
    return request->target.path;
}

struct search {
    const char *name;
    struct view first;
    size_t count;
};

static enum MHD_Result on_header(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                                 const char *value, size_t value_size)
{
    struct search *search = context;
    (void)kind;
    if (strlen(search->name) != name_size || strncasecmp(search->name, name, name_size) != 0)
        return MHD_YES;
    if (search->count++ == 0)
        search->first = view_make(value == NULL ? "" : value, value_size);
    return MHD_YES;
}

static struct search find_header(const struct http_request *request, const char *name)
{
    struct search search = {.name = name};
    (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_header, &search);
    return search;
}

struct view http_header(const struct http_request *request, const char *name)
{
    return find_header(request, name).first;
}

size_t http_header_count(const struct http_request *request, const char *name)
{
    return find_header(request, name).count;
}

struct visit {
    void (*each)(void *context, struct view name, struct view value);
    void *context;
};

static enum MHD_Result on_each(void *context, enum MHD_ValueKind kind, const char *name, size_t name_size,
                               const char *value, size_t value_size)
{
    const struct visit *visit = context;
    (void)kind;
    visit->each(visit->context, view_make(name, name_size), view_make(value == NULL ? "" : value, value_size));
    return MHD_YES;
}

void http_each_header(const struct http_request *request,
                      void (*each)(void *context, struct view name, struct view value), void *context)
{
    struct visit visit = {each, context};
    (void)MHD_get_connection_values_n(request->connection, MHD_HEADER_KIND, on_each, &visit);
}

struct view http_query(const struct http_request *request, const char *name)
{
    for (size_t i = 0; i < request->target.parameter_count; i++) {
        const struct parameter *parameter = &request->target.parameters[i];
        if (view_is_text(parameter->name, name))
            return parameter->value.data == NULL ? VIEW("") : parameter->value;
    }
    return VIEW_NONE;
}

struct view http_cookie(const struct http_request *request, const char *name)
{
    return view_of_text(MHD_lookup_connection_value(request->connection, MHD_COOKIE_KIND, name));
}

struct view http_body(const struct http_request *request)
{
    return buffer_view(&request->body);
}

struct view http_peer(const struct http_request *request)
{
    return view_of_text(request->peer);
}

void http_set_data(struct http_request *request, void *data)
{
    request->data = data;
}

void *http_data(const struct http_request *request)
{
    return request->data;
}
