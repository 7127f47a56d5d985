/* contract_log NAME: holds the log of that name to the contract. Without a name: lists them. */
#include "tests/contract/contract.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

enum { SKIPPED = 77 };

static const struct contract *const contracts[] = {
    &contract_embedded,
    &contract_faulty,
    &contract_kafka,
};

static const struct contract *contract_find(const char *name)
{
    for (size_t i = 0; i < sizeof contracts / sizeof *contracts; i++)
        if (strcmp(contracts[i]->name, name) == 0)
            return contracts[i];
    return NULL;
}

static int run(void)
{
    const struct {
        const char *name;
        const struct CMUnitTest *sentences;
        size_t count;
    } themes[] = {
        {"appending", appending_sentences, appending_sentence_count},
        {"reading", reading_sentences, reading_sentence_count},
        {"finding", finding_sentences, finding_sentence_count},
        {"opening", opening_sentences, opening_sentence_count},
        {"failing", failing_sentences, failing_sentence_count},
        {"files", file_sentences, file_sentence_count},
        {"kafka", kafka_sentences, kafka_sentence_count},
    };
    int failed = 0;
    for (size_t i = 0; i < sizeof themes / sizeof *themes; i++)
        failed += _cmocka_run_group_tests(themes[i].name, themes[i].sentences, themes[i].count, NULL, NULL);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}

int main(int argc, char **argv)
{
    const struct contract *contract = argc >= 2 ? contract_find(argv[1]) : NULL;
    if (contract == NULL) {
        (void)fprintf(stderr, "usage: %s NAME [SENTENCE]\nlogs:", argv[0]);
        for (size_t i = 0; i < sizeof contracts / sizeof *contracts; i++)
            (void)fprintf(stderr, " %s", contracts[i]->name);
        (void)fprintf(stderr, "\n");
        return 2;
    }
    struct error err = {0};
    void *place = contract->make(&err);
    if (place == NULL) {
        (void)printf("SKIPPED: %s\n", err.text);
        const char *ci = getenv("CI");
        return ci != NULL && strcmp(ci, "true") == 0 ? EXIT_FAILURE : SKIPPED;
    }
    contract->remove(place);
    (void)signal(SIGXFSZ, SIG_IGN); /* a file that may not grow is an error to be answered */
    (void)signal(SIGPIPE, SIG_IGN);
    world_choose(contract);
    if (argc >= 3)
        cmocka_set_test_filter(argv[2]);
    return run();
}
