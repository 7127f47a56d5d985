/* The way of one message from its bytes to the publisher: who sent it, may they, what does it mean. */
#pragma once

#include "broker/publisher/publisher.h"
#include "producers/hl7/acknowledgement.h"
#include "producers/hl7/adt.h"
#include "producers/hl7/framing.h"

struct sockaddr;

/* Belongs to the door's thread; zero-initialised but for the first two is ready. */
struct intake {
    struct publisher *publisher;
    struct directory *directory;
    struct arena arena;    /* of the message in hand */
    struct buffer content; /* the same: what is compared when it comes again */
};

enum intake_outcome {
    INTAKE_TAKEN,   /* the publisher will answer, with the token */
    INTAKE_REFUSED, /* answer with the refusal, when the publisher says that it is on the work list */
    INTAKE_LATER,   /* too much is under way: offer the same message again later. Nothing was done */
    INTAKE_SILENT,  /* nothing to be answered: an acknowledgement, or a frame of which no MSH was seen */
};

/* What the door must know of a message to answer it, and to count it. */
struct intake_result {
    enum intake_outcome outcome;
    struct refusal refusal;        /* REFUSED */
    struct view msh;               /* in the frame; NULL data: there is none that can be read */
    struct view types[ADT_EVENTS]; /* of its events: names that live for ever */
    size_t type_count;
};

void mllp_intake_destroy(struct intake *intake);
/* peer_text: for notes. FATAL: stop. */
enum result mllp_intake_take(struct intake *intake, const struct frame *frame, const struct sockaddr *peer,
                             const char *peer_text, uint64_t token, struct intake_result *ret, struct error *err);
