/* Live streams: chunks that many streams share, a bounded queue for each stream, read by MHD when its socket has room.
 */
#include "broker/http/request.h"

#include "broker/event/limits.h"

#include <stdlib.h>

struct http_chunk {
    size_t references;
    size_t size;
    unsigned char bytes[];
};

enum { UNCHUNKED_BLOCK_BYTES = 1024 }; /* MHD's buffer for HTTP/1.0 clients, allocated for every stream */

struct http_chunk *http_chunk_create(struct view bytes)
{
    struct http_chunk *chunk = memory_take(sizeof *chunk + bytes.size);
    chunk->references = 1;
    chunk->size = bytes.size;
    if (bytes.size > 0)
        memcpy(chunk->bytes, bytes.data, bytes.size);
    return chunk;
}

void http_chunk_release(struct http_chunk *chunk)
{
    if (chunk != NULL && --chunk->references == 0)
        free(chunk);
}

static void queue_add(struct chunk_queue *queue, struct http_chunk *chunk)
{
    if (queue->count == queue->capacity) {
        size_t capacity = queue->capacity == 0 ? 4 : queue->capacity * 2;
        struct http_chunk **ring = memory_array(capacity, sizeof *ring);
        for (size_t i = 0; i < queue->count; i++)
            ring[i] = queue->ring[(queue->first + i) & (queue->capacity - 1)];
        free(queue->ring);
        queue->ring = ring;
        queue->capacity = capacity;
        queue->first = 0;
    }
    queue->ring[(queue->first + queue->count++) & (queue->capacity - 1)] = chunk;
    chunk->references++;
    queue->waiting += chunk->size;
}

static void queue_drop_first(struct chunk_queue *queue)
{
    struct http_chunk *chunk = queue->ring[queue->first];
    queue->waiting -= chunk->size - queue->sent;
    queue->sent = 0;
    queue->first = (queue->first + 1) & (queue->capacity - 1);
    queue->count--;
    http_chunk_release(chunk);
}

/* Takes up to size bytes from the front. */
static size_t queue_take(struct chunk_queue *queue, char *to, size_t size)
{
    size_t taken = 0;
    while (queue->count > 0 && taken < size) {
        const struct http_chunk *chunk = queue->ring[queue->first];
        size_t part = chunk->size - queue->sent < size - taken ? chunk->size - queue->sent : size - taken;
        memcpy(to + taken, chunk->bytes + queue->sent, part);
        taken += part;
        queue->sent += part;
        queue->waiting -= part;
        if (queue->sent == chunk->size)
            queue_drop_first(queue);
    }
    return taken;
}

/* MHD's content reader. */
static ssize_t on_read(void *context, uint64_t position, char *to, size_t size)
{
    struct http_request *request = context;
    (void)position;
    if (request->cut)
        return MHD_CONTENT_READER_END_OF_STREAM;
    size_t taken = queue_take(&request->queue, to, size);
    if (taken > 0)
        return (ssize_t)taken;
    if (request->state == ENDED)
        return MHD_CONTENT_READER_END_OF_STREAM;
    request_suspend(request);
    return 0;
}

void http_stream_start(struct http_request *request, const char *content_type)
{
    request->response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, UNCHUNKED_BLOCK_BYTES, on_read, request, NULL);
    if (request->response == NULL)
        abort();
    request->status = 200;
    (void)MHD_add_response_header(request->response, "Content-Type", content_type);
    answer_add_common_headers(request, request->response);
    buffer_destroy(&request->body);
    request_move(request, STREAMING);
    request_wake(request);
}

bool http_stream_send(struct http_request *request, struct http_chunk *chunk)
{
    if (chunk->size == 0)
        return true;
    if (request->queue.waiting + chunk->size > LIMIT_STREAM_QUEUE_BYTES) {
        request_cut(request);
        http_stream_end(request);
        return false;
    }
    queue_add(&request->queue, chunk);
    request_wake(request);
    return true;
}

size_t http_stream_waiting(const struct http_request *request)
{
    return request->queue.waiting;
}

void http_stream_end(struct http_request *request)
{
    if (request->state == ENDED)
        return; /* it was too slow, and its owner ends it in the same turn */
    request_move(request, ENDED);
    request_wake(request);
}

void stream_destroy(struct http_request *request)
{
    while (request->queue.count > 0)
        queue_drop_first(&request->queue);
    free(request->queue.ring);
}
