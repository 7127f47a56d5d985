/*
 * Publish to live stream: RATE events a second over a few connections, STREAMS live streams; each alert's time from the
 * request being sent to the stream's bytes being read.  stream_load PORT PUBLISHER_TOKEN RATE SECONDS
 * SUBSCRIPTION=TOKEN ... The event's id carries the time at which it was sent; the alert's `encounter.spell` brings it
 * back.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PUBLISHERS = 16, SAMPLES = 4000000, PATIENTS = 300 };

struct run {
    const char *token;
    uint64_t sent, answered, refused;
    double *samples_ms;
    size_t count;
};

static const char *
nhs_number(uint64_t n) /* of 999 000 nnnC, check digits right; numbers whose check is 10 are passed over */
{
    static char text[11];
    for (uint64_t body = 999000000 + n * 3;; body++) {
        int sum = 0;
        (void)snprintf(text, sizeof text, "%09llu0", (unsigned long long)body);
        for (int i = 0; i < 9; i++)
            sum += (text[i] - '0') * (10 - i);
        int check = (11 - sum % 11) % 11;
        if (check == 10)
            continue;
        text[9] = (char)('0' + check);
        return text;
    }
}

static void publish(struct run *run, struct load_connection *connection)
{
    char body[1024], request[2048];
    int size = snprintf(
        body, sizeof body,
        "{\"specversion\":\"1.0\",\"id\":\"s%llu-%lld\",\"source\":\"urn:bench\",\"type\":\"encounter-admitted-1\","
        "\"time\":\"2026-11-24T10:00:00.000Z\",\"data\":{\"patient\":{\"nhsNumber\":\"%s\",\"familyName\":"
        "\"Simulated\",\"givenName\":\"Person\",\"birthDate\":\"1950-02-01\"},\"encounter\":{\"spell\":\"T%lld\","
        "\"class\":\"inpatient\",\"organisation\":\"R0B\",\"ward\":\"W12\"}}}",
        (unsigned long long)run->sent, (long long)load_now_us(), nhs_number(run->sent * 7919 % PATIENTS),
        (long long)load_now_us());
    int whole = snprintf(request, sizeof request,
                         "POST /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: "
                         "application/cloudevents+json\r\nContent-Length: %d\r\n\r\n%s",
                         run->token, size, body);
    run->sent++;
    connection->sent_us = load_now_us();
    load_send(connection, request, (size_t)whole);
}

static void published(void *context, struct load_connection *connection)
{
    struct run *run = context;
    for (int status = load_take_answer(connection); status != 0; status = load_take_answer(connection)) {
        run->answered++;
        run->refused += status != 200;
    }
}

static void alerted(void *context, struct load_connection *connection)
{
    struct run *run = context;
    static const char mark[] = "\"spell\":\"T";
    int64_t now_us = load_now_us();
    char *at = connection->in, *end = connection->in + connection->in_size, *last = at;
    for (char *found; (found = memmem(at, (size_t)(end - at), mark, sizeof mark - 1)) != NULL; at = last) {
        char *digits = found + sizeof mark - 1, *quote = memchr(digits, '"', (size_t)(end - digits));
        if (quote == NULL)
            break;
        if (run->count < SAMPLES)
            run->samples_ms[run->count++] = (double)(now_us - strtoll(digits, NULL, 10)) / 1000.0;
        last = quote;
    }
    size_t kept = (size_t)(end - last);
    if (kept > 4096 && last == connection->in)
        last = end - 64; /* headers and comments: only the tail can be the beginning of a mark */
    kept = (size_t)(end - last);
    memmove(connection->in, last, kept);
    connection->in_size = kept;
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void streams_open(struct load *streams, int port, int count, char **arguments)
{
    load_open(streams, port, (size_t)count);
    for (int i = 0; i < count; i++) {
        char request[1024];
        char *token = strchr(arguments[i], '=');
        *token++ = '\0';
        int size =
            snprintf(request, sizeof request,
                     "GET /subscriptions/%s/stream HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                     arguments[i], token);
        load_send(&streams->connections[i], request, (size_t)size);
    }
}

int main(int argc, char **argv)
{
    struct load publishers, streams;
    if (argc < 6) {
        fprintf(stderr, "stream_load PORT PUBLISHER_TOKEN RATE SECONDS SUBSCRIPTION=TOKEN ...\n");
        return 2;
    }
    struct run run = {.token = argv[2], .samples_ms = calloc(SAMPLES, sizeof(double))};
    int port = (int)strtol(argv[1], NULL, 10);
    double rate = strtod(argv[3], NULL), seconds = strtod(argv[4], NULL);
    streams_open(&streams, port, argc - 5, argv + 5);
    load_open(&publishers, port, PUBLISHERS);
    for (int i = 0; i < 10; i++)
        load_step(&streams, 50, alerted, &run);
    int64_t start_us = load_now_us();
    for (double now_s = 0; now_s < seconds + 1; now_s = (double)(load_now_us() - start_us) / 1e6) {
        while (now_s < seconds && (double)run.sent < now_s * rate)
            publish(&run, &publishers.connections[run.sent % PUBLISHERS]);
        load_step(&publishers, 0, published, &run);
        load_step(&streams, 1, alerted, &run);
    }
    qsort(run.samples_ms, run.count, sizeof(double), by_size);
    printf("publish to stream: %llu sent, %llu answered, %llu refused, %zu alerts, p50 %.2f ms, p99 %.2f ms\n",
           (unsigned long long)run.sent, (unsigned long long)run.answered, (unsigned long long)run.refused, run.count,
           run.count == 0 ? 0 : run.samples_ms[run.count / 2],
           run.count == 0 ? 0 : run.samples_ms[run.count * 99 / 100]);
    free(run.samples_ms);
    load_close(&streams);
    load_close(&publishers);
    return run.refused > 0;
}
