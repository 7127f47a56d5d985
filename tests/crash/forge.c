/* Puts bytes that are no record on a log that nobody owns at the moment: forge DATA TOPIC PARTITION KEY TEXT. */
#include "broker/log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAIT_MS = 10 * 1000 };

int main(int count, char **words)
{
    struct log *log = NULL;
    struct log_appender *appender = NULL;
    struct error err = {0};
    int64_t partition = 0;
    int topic = 0;
    if (count != 6 || !view_to_number(view_of_text(words[3]), &partition))
        return 2;
    while (topic < TOPIC_COUNT && strcmp(topic_name((enum topic)topic), words[2]) != 0)
        topic++;
    struct log_options options = {.where = "embedded", .data_folder = words[1]};
    struct log_entry entry = {.topic = (enum topic)topic,
                              .partition = (int32_t)partition,
                              .key = view_of_text(words[4]),
                              .value = view_of_text(words[5])};
    enum result result = topic < TOPIC_COUNT ? log_open(&options, &log, &err) : REJECTED;
    if (result == OK)
        result = log_appender_open(log, &appender, &err);
    if (result == OK)
        result = log_append_and_wait(appender, &entry, 1, WAIT_MS, NULL, &err);
    log_appender_close(appender);
    log_close(log);
    if (result != OK)
        (void)fprintf(stderr, "forge: %s\n", err.text);
    return result == OK ? EXIT_SUCCESS : EXIT_FAILURE;
}
