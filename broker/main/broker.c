/* Finds the broker: its address, its token. */
#include "broker/main/broker.h"

#include "broker/main/commands.h"
#include "broker/main/data_folder.h"
#include "broker/main/file.h"
#include "broker/main/ready.h"

#include <stdio.h>
#include <stdlib.h>

enum { TOKEN_FILE_LIMIT = 4096 };

const struct option_kind client_option_kinds[] = {
    {"data", "DIR", "the broker's data folder, on its machine: finds its address and token", false},
    {"url", "URL", "where it answers (else TIDINGS_URL, or http://127.0.0.1:8080)", false},
    {"token-file", "FILE", "a file with a token (else TIDINGS_TOKEN)", false},
    {"json", NULL, "prints the broker's answer as it is", false},
    {0},
};

static enum result url_find(const struct options *options, struct broker *broker, struct error *err)
{
    const char *data = options_find(options, "data"), *url = options_find(options, "url");
    const char *mllp = options_find(options, "mllp");
    char http[READY_ADDRESS_SIZE] = "", door[READY_ADDRESS_SIZE] = "";
    struct error why;
    if (data != NULL) {
        enum result result = ready_read(data, http, door, &why);
        if (result != OK && url == NULL)
            return error_set(err, result, "%s", why.text);
    }
    if (url == NULL && data == NULL)
        url = getenv("TIDINGS_URL");
    if (url != NULL)
        (void)snprintf(broker->url, sizeof broker->url, "%s", url);
    else
        (void)snprintf(broker->url, sizeof broker->url, "http://%s", data == NULL ? "127.0.0.1:8080" : http);
    if (mllp == NULL && door[0] != '\0')
        mllp = door;
    (void)snprintf(broker->mllp, sizeof broker->mllp, "%s", mllp == NULL ? "127.0.0.1:2575" : mllp);
    return OK;
}

enum result broker_token_find(const struct options *options, struct buffer *ret, bool *ret_is_operator,
                              struct error *err)
{
    const char *file = options_find(options, "token-file"), *data = options_find(options, "data");
    char text[TOKEN_TEXT_SIZE];
    enum result result = OK;
    *ret_is_operator = false;
    if (file != NULL) {
        result = file_read_line(file, TOKEN_FILE_LIMIT, ret, err);
    } else if (data != NULL) {
        result = operator_token_read(data, text, err);
        if (result == OK) {
            buffer_add_text(ret, text);
            *ret_is_operator = true;
        }
        explicit_bzero(text, sizeof text);
    } else if (getenv("TIDINGS_TOKEN") != NULL) {
        buffer_add_text(ret, getenv("TIDINGS_TOKEN"));
    }
    buffer_add_byte(ret, 0);
    return result;
}

enum result broker_open(const struct options *options, struct broker *ret, struct error *err)
{
    struct broker broker = {0};
    struct buffer token = {0};
    enum result result = url_find(options, &broker, err);
    if (result == OK)
        result = broker_token_find(options, &token, &broker.is_operator, err);
    if (result == OK)
        result = client_open(broker.url, token.size > 1 ? (const char *)token.data : NULL, &broker.client, err);
    if (result == OK)
        *ret = broker;
    if (token.size > 0)
        explicit_bzero(token.data, token.size);
    buffer_destroy(&token);
    return result;
}

enum result broker_open_as(const struct broker *same, const char *token, struct broker *ret, struct error *err)
{
    struct broker broker = *same;
    broker.is_operator = false;
    enum result result = client_open(broker.url, token, &broker.client, err);
    if (result == OK)
        *ret = broker;
    return result;
}

void broker_close(struct broker *broker)
{
    client_close(broker->client);
    broker->client = NULL;
}

void path_add(struct buffer *path, const char *part)
{
    for (; *part != '\0'; part++) {
        bool plain = (*part >= 'a' && *part <= 'z') || (*part >= 'A' && *part <= 'Z') ||
                     (*part >= '0' && *part <= '9') || strchr("-._~", *part) != NULL;
        if (plain)
            buffer_add_byte(path, (uint8_t)*part);
        else
            buffer_add_format(path, "%%%02X", (unsigned)(unsigned char)*part);
    }
}

const char *path_text(struct buffer *path)
{
    buffer_add_byte(path, 0);
    path->size--;
    return (const char *)path->data;
}
