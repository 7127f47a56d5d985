/* Every bound, in one list, with its reason. */
#pragma once

enum {
    /* Log */
    LIMIT_RECORD_BYTES = 1000 * 1000, /* the largest record value: below Kafka's default message.max.bytes */
    LIMIT_KEY_BYTES = 256,            /* the largest record key: ids of ours are under 100 */
    LIMIT_PARTITIONS = 1024,          /* more would make every store's watermarks large */
    DEFAULT_PARTITIONS = 48,          /* design, section 2: final for the life of a log */

    /* Doors */
    LIMIT_EVENT_BYTES = 256 * 1024,    /* MNS's limit for a CloudEvent */
    LIMIT_BODY_BYTES = 1024 * 1024,    /* an HTTP body but for the caseload file */
    LIMIT_HL7_BYTES = 4 * 1024 * 1024, /* an HL7 message: documents ride in OBX */
    LIMIT_MLLP_JUNK_BYTES = 1024,      /* bytes between frames before the connection is closed */
    LIMIT_MLLP_IN_FLIGHT = 256,        /* unanswered messages a connection: then it is not read */
    LIMIT_CONNECTIONS = 4096,          /* of one door */
    LIMIT_BATCH_EVENTS = 1000,         /* events in one CloudEvents batch */
    LIMIT_JSON_DEPTH = 32,             /* nesting of JSON from outside */
    LIMIT_PUBLISH_WAIT_MS = 8000,      /* then a publisher is answered 503 / AE: not known whether durable */
    LIMIT_POSITION_WAIT_MS = 10000,    /* a GET with Tidings-Position waits this long */
    LIMIT_PULL_WAIT_S = 60,            /* ?wait= */
    LIMIT_PAGE = 1000,                 /* ?limit= */
    LIMIT_STREAM_QUEUE_BYTES =
        1024 * 1024, /* waiting for one slow live stream; then it is closed and resumes by number */

    /* Words */
    LIMIT_ID_CHARACTERS = 199,             /* MSH-10, CloudEvents id and source: HL7 v2.5 and later allow 199 */
    LIMIT_TEXT_CHARACTERS = 1024,          /* a name, a ward, a title */
    LIMIT_ODS_CHARACTERS = 10,             /* ODS codes have 3 to 10 characters */
    LIMIT_LOCAL_IDS = 16,                  /* local numbers of one patient in one message */
    LIMIT_LIST = 64,                       /* hl7Names, sources, roles, types ... of one object */
    LIMIT_TOKEN_ORGANISATIONS = 10 * 1000, /* a GP system's vendor serves thousands */

    /* State of one patient */
    LIMIT_REGISTRATIONS = 1000,     /* live ones of one patient */
    LIMIT_APPLIED_IDENTITIES = 512, /* newest kept: what match compares a second taking with */
    LIMIT_SPELLS = 64,              /* newest kept */
    LIMIT_SUBSCRIPTIONS = 100,      /* of one subscriber */
};

/* A message's identity counts for 35 days (domain, section 2: duplicates). */
#define IDENTITY_KEPT_MS (35LL * 24 * 3600 * 1000)
/* The same identity with other content further apart than this is a counter that wrapped (HL7 only). */
#define IDENTITY_WRAP_MS (24LL * 3600 * 1000)
