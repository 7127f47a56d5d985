/* Whatever bytes come, and wherever they are cut: the server stands, and answers the next client. */
#include "door.h"

static uint64_t seed = 7;

static uint64_t draw(uint64_t below) /* xorshift64: the same walk on every machine */
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return seed % below;
}

static const char *const pieces[] = {
    "GET /a HTTP/1.1\r\nHost: t\r\n\r\n",
    "POST /b?x=%41&y HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nabcd",
    "POST /small HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nX: y\r\n\r\n",
    "GET /stream HTTP/1.1\r\nHost: t\r\nCookie: a=b; c=\"d\r\n\r\n",
    "GET /wait HTTP/1.0\r\n\r\n",
    "HEAD /wait HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n\r\n",
    "DELETE /c HTTP/1.1\r\nHost: t\r\nA: b\r\n folded\r\nConnection: close\r\n\r\n",
    "OPTIONS * HTTP/1.1\r\nHost: t\r\n\r\n",
    "\r\n\r\n",
    "Content-Length: 10\r\n",
};

static void write_bytes(struct buffer *bytes)
{
    buffer_clear(bytes);
    for (uint64_t i = 1 + draw(4); i > 0; i--)
        buffer_add_text(bytes, pieces[draw(sizeof pieces / sizeof pieces[0])]);
    for (uint64_t i = draw(4); i > 0; i--)
        bytes->data[draw(bytes->size)] = (uint8_t)draw(256);
    if (draw(4) == 0)
        bytes->size = 1 + draw(bytes->size);
}

/* The owner answers, streams to, and ends what waits, in any order. */
static void answer_some(struct door *door, bool all)
{
    for (size_t i = 0; i < door->waiting_count; i++) {
        struct http_request *request = door->waiting[i];
        if (request == NULL || (!all && draw(2) == 0))
            continue;
        if (view_is(http_path(request), VIEW("/stream"))) {
            struct http_chunk *chunk = http_chunk_create(VIEW("data: x\n\n"));
            if (http_stream_send(request, chunk))
                http_stream_end(request);
            http_chunk_release(chunk);
        } else {
            http_answer(request, &(struct http_answer){.status = 204});
        }
        door->waiting[i] = NULL;
    }
    size_t kept = 0;
    for (size_t i = 0; i < door->waiting_count; i++)
        if (door->waiting[i] != NULL)
            door->waiting[kept++] = door->waiting[i];
    door->waiting_count = kept;
}

static void any_bytes_leave_the_server_standing(void **state)
{
    (void)state;
    struct door door;
    struct buffer bytes = {0};
    door_open(&door);
    size_t descriptors = count_descriptors();
    for (int round = 0; round < 3000; round++) {
        struct caller caller;
        caller_open(&caller, &door);
        write_bytes(&bytes);
        for (size_t at = 0; at < bytes.size && !caller.closed;) {
            size_t part = 1 + draw(bytes.size - at);
            ssize_t sent = send(caller.fd, bytes.data + at, part, MSG_NOSIGNAL | MSG_DONTWAIT);
            if (sent <= 0)
                break;
            at += (size_t)sent;
            http_step(door.http);
            caller_read(&caller);
            answer_some(&door, door.waiting_count > 4);
        }
        if (draw(2) == 0)
            for (int turn = 0; turn < 4; turn++)
                http_step(door.http);
        caller_close(&caller);
        http_step(door.http);
    }
    struct caller last;
    answer_some(&door, true);
    caller_open(&last, &door);
    caller_say(&last, "GET /last HTTP/1.1\r\nHost: t\r\n\r\n");
    TURN_UNTIL(&door, &last, caller_has(&last, "GET /last 0\n"));
    caller_close(&last);
    TURN_UNTIL(&door, NULL, (answer_some(&door, true), http_open_requests(door.http) == 0));
    TURN_UNTIL(&door, NULL, count_descriptors() == descriptors);
    buffer_destroy(&bytes);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(any_bytes_leave_the_server_standing)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
