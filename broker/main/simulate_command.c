/* `tidings simulate`: simulated hospitals, practices and care homes against a running broker. */
#include "broker/main/broker.h"
#include "broker/main/commands.h"
#include "broker/main/duration.h"

#include "broker/base/time.h"
#include "producers/simulator/simulate.h"

#include <stdlib.h>

static const struct option_kind simulate_option_kinds[] = {
    {"hospitals", "NUMBER", "how many send (5)", false},
    {"patients", "NUMBER", "how many there are (1000)", false},
    {"rate", "NUMBER", "messages a second, of all together (20)", false},
    {"for", "DURATION", "how long: 60s, 5m, 2h, 365d; 0: until stopped (60s)", false},
    {"seed", "NUMBER", "the same seed: the same people (7)", false},
    {"start", "TIME", "when the first message happened (RFC 3339; now)", false},
    {"mllp", "ADDRESS", "where HL7 goes (else the one of --data, or 127.0.0.1:2575)", false},
    {0},
};

static enum result rate_read(const struct options *options, double *ret, struct error *err)
{
    const char *text = options_find(options, "rate");
    char *end = NULL;
    if (text == NULL)
        return OK;
    double rate = strtod(text, &end);
    if (end == text || *end != '\0' || !(rate > 0) || rate > SIMULATE_RATE_MOST)
        return error_set(err, REJECTED, "--rate takes a number over 0, up to %.0f", SIMULATE_RATE_MOST);
    *ret = rate;
    return OK;
}

static enum result times_read(const struct options *options, struct simulate_options *simulate, struct error *err)
{
    const char *length = options_find(options, "for"), *start = options_find(options, "start");
    if (length != NULL && !duration_read(length, &simulate->for_ms))
        return error_set(err, REJECTED, "--for takes a duration, such as 60s, 5m, 2h or 365d");
    if (start != NULL && !time_from_rfc3339(view_of_text(start), &simulate->start_ms))
        return error_set(err, REJECTED, "--start takes a time, such as 2026-11-23T10:15:30Z");
    return OK;
}

static enum result simulate_options_read(const struct options *options, struct simulate_options *ret, struct error *err)
{
    int64_t hospitals, patients, seed;
    simulate_options_default(ret);
    hospitals = ret->hospitals;
    patients = ret->patients;
    seed = (int64_t)ret->seed;
    enum result result = options_number(options, "hospitals", 1, SIMULATE_HOSPITALS_MOST, &hospitals, err);
    if (result == OK)
        result = options_number(options, "patients", 1, SIMULATE_PATIENTS_MOST, &patients, err);
    if (result == OK)
        result = options_number(options, "seed", 0, INT64_MAX, &seed, err);
    if (result == OK)
        result = rate_read(options, &ret->rate, err);
    if (result == OK)
        result = times_read(options, ret, err);
    ret->hospitals = (int)hospitals;
    ret->patients = (int)patients;
    ret->seed = (uint64_t)seed;
    ret->json = options_has(options, "json");
    return result;
}

static int simulate(const struct invocation *invocation)
{
    struct simulate_options options;
    struct broker broker = {0};
    struct buffer token = {0};
    struct error err;
    bool is_operator;
    if (simulate_options_read(invocation->options, &options, &err) != OK)
        return command_misused(invocation, &err);
    enum result result = broker_open(invocation->options, &broker, &err);
    if (result == OK)
        result = broker_token_find(invocation->options, &token, &is_operator, &err);
    options.url = broker.url;
    options.mllp = broker.mllp;
    options.token = (const char *)token.data;
    if (result == OK)
        result = simulate_run(&options, invocation->stop, &err);
    if (token.size > 0)
        explicit_bzero(token.data, token.size);
    buffer_destroy(&token);
    broker_close(&broker);
    return result == OK ? EXIT_DONE : command_failed(invocation, &err);
}

const struct command simulate_command = {
    .name = "simulate",
    .arguments = "",
    .summary = "plays hospitals, practices and care homes against a running broker",
    .options = {simulate_option_kinds, client_option_kinds},
    .run = simulate,
    .looks_at_stop = true,
    .more = "The same seed and start send the same messages, control ids included. It ends with a count: sent,\n"
            "acknowledged, rejected, alerts expected and seen; and fails where an alert was missed or told twice.\n"
            "It needs an operator's token.",
};
