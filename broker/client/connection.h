/* What requests and live streams share. Inside this room only. */
#pragma once

#include "broker/client/client.h"

#include <curl/curl.h>

struct client {
    CURL *easy;
    char *url;           /* without a slash at its end */
    char *authorization; /* the whole header; NULL: none */
};

void connection_headers_add(struct curl_slist **list, const char *line);
void connection_headers_add_pair(struct curl_slist **list, const char *name, const char *value);
/* Where to, and what curl may do on the way. */
void connection_set_common(CURL *easy, const struct client *client, const char *path, struct curl_slist *headers);
/* AGAIN, with the reason and the place. */
enum result connection_broke(const struct client *client, CURLcode code, struct error *err);
