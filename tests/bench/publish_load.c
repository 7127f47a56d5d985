/*
 * Durable publishes over HTTP: so many connections, each sending its next event when the last was answered.
 *   publish_load PORT TOKEN CONNECTIONS SECONDS [bare]
 * bare: posts the same bytes to the bare server (bare_http.c), which parses nothing.
 */
#include "tests/bench/load.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    const char *token;
    uint64_t sent, answered, refused;
    double total_ms;
};

static void send_next(struct run *run, struct load_connection *connection)
{
    char body[1024], request[2048];
    int size = snprintf(
        body, sizeof body,
        "{\"specversion\":\"1.0\",\"id\":\"b%d-%llu\",\"source\":\"urn:bench\",\"type\":\"encounter-admitted-1\","
        "\"time\":\"2026-11-24T10:00:00.000Z\",\"subject\":\"9990000018\",\"data\":{\"patient\":{\"nhsNumber\":"
        "\"9990000018\",\"familyName\":\"Simulated\",\"givenName\":\"Person\",\"birthDate\":\"1950-02-01\"},"
        "\"encounter\":{\"spell\":\"V%llu\",\"class\":\"inpatient\",\"organisation\":\"R0B\",\"ward\":\"W12\","
        "\"admittedAt\":\"2026-11-24T09:55:00.000Z\"}}}",
        (int)getpid(), (unsigned long long)run->sent, (unsigned long long)run->sent);
    int whole = snprintf(request, sizeof request,
                         "POST /events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Type: "
                         "application/cloudevents+json\r\nContent-Length: %d\r\n\r\n%s",
                         run->token, size, body);
    run->sent++;
    connection->sent_us = load_now_us();
    load_send(connection, request, (size_t)whole);
}

static void answered(void *context, struct load_connection *connection)
{
    struct run *run = context;
    int status = load_take_answer(connection);
    if (status == 0)
        return;
    run->answered++;
    run->refused += status != 200;
    run->total_ms += (double)(load_now_us() - connection->sent_us) / 1000.0;
    send_next(run, connection);
}

int main(int argc, char **argv)
{
    struct load load;
    if (argc < 5) {
        fprintf(stderr, "publish_load PORT TOKEN CONNECTIONS SECONDS\n");
        return 2;
    }
    struct run run = {.token = argv[2]};
    double seconds = strtod(argv[4], NULL);
    load_open(&load, (int)strtol(argv[1], NULL, 10), strtoul(argv[3], NULL, 10));
    int64_t start_us = load_now_us();
    for (size_t i = 0; i < load.count; i++)
        send_next(&run, &load.connections[i]);
    while ((double)(load_now_us() - start_us) < seconds * 1e6)
        load_step(&load, 100, answered, &run);
    double took_s = (double)(load_now_us() - start_us) / 1e6;
    printf("publishes: %.0f/s, mean %.2f ms, %llu refused\n", (double)run.answered / took_s,
           run.total_ms / (double)run.answered, (unsigned long long)run.refused);
    load_close(&load);
    return run.refused > 0;
}
