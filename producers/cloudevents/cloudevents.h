/*
 * The HTTP door of publishers: POST /events (interface, section 2). A request is answered when its events are durable,
 * or at once where it is refused. On the thread of its owner, who steps http and the publisher; nothing here waits.
 */
#pragma once

#include "broker/directory/directory.h"
#include "broker/http/http.h"
#include "broker/publisher/publisher.h"

struct cloudevents_door;

/* Both outlive the door; the publisher is this door's own (ORIGIN_CLOUDEVENTS). */
struct cloudevents_door *cloudevents_door_create(struct publisher *publisher, const struct directory *directory);
/* Forgets the requests that wait: close http first, which cancels them. */
void cloudevents_door_destroy(struct cloudevents_door *door);

/* token: who asks, NULL where nobody is known (401). False: not POST /events, and not touched. True: it is or will be
 * answered. */
bool cloudevents_door_request(struct cloudevents_door *door, struct http_request *request, const struct token *token);
/* The client left. False: not a request that waits here. What it sent may still become durable, once. */
bool cloudevents_door_cancelled(struct cloudevents_door *door, const struct http_request *request);
/* Collects what the publisher has answered, and answers those who wait for it. Call when publisher_fd is readable, and
 * after each publisher_step. */
void cloudevents_door_step(struct cloudevents_door *door);
size_t cloudevents_door_waiting(const struct cloudevents_door *door); /* requests not yet answered */
