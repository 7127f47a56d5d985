/* The server, and what MHD calls. Inside this room only. */
#pragma once

#include "broker/http/address.h"
#include "broker/http/linger.h"
#include "broker/http/request.h"

struct http {
    struct http_options options;
    struct MHD_Daemon *daemon;
    struct http_request *requests; /* those whose headers were read */
    size_t request_count;
    struct leavers leavers;
    struct lingerers linger;
    int epoll_fd; /* holds MHD's epoll, the sockets of streams and those that linger */
    int wake_fd;  /* an eventfd in it, readable when MHD has to look at resumed connections */
    bool awake;   /* that was said already */
    bool quiet;
    bool closing;
    char address[ADDRESS_TEXT_SIZE];
};

/* MHD's callbacks (intake.c), in the order in which a request meets them; context is the struct http. */
void intake_connection(void *context, struct MHD_Connection *connection, void **place,
                       enum MHD_ConnectionNotificationCode what);
void *intake_target(void *context, const char *uri, struct MHD_Connection *connection);
enum MHD_Result intake_access(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *bytes, size_t *size, void **place);
void intake_completed(void *context, struct MHD_Connection *connection, void **place,
                      enum MHD_RequestTerminationCode why);
