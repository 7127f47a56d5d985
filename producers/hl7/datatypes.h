/* HL7 data types as we use them: identifiers, people, places (HL7 v2.5, chapter 2.A), out of a repetition in hand. */
#pragma once

#include "producers/hl7/message.h"

/* CX, extended composite id with check digit (2.A.14). */
struct identifier {
    struct view value;     /* CX.1 */
    struct view status;    /* CX.2 where it is a tracing status (NSTS01), not a check digit */
    struct view authority; /* CX.4, namespace */
    struct view universal; /* CX.4, universal id: an OID or URL */
    struct view type;      /* CX.5 */
};
/* False: no value stands there. */
bool identifier_read(struct message *message, struct view repetition, struct identifier *ret);
/* Labelled, by its type or its authority in any of the spellings of English feeds, as an NHS number. */
bool identifier_is_nhs_number(const struct identifier *identifier);
/* Labelled as something that no hospital gave: a passport, a driving licence, a national insurance number. */
bool identifier_is_foreign(const struct identifier *identifier);

/* XPN (2.A.88): a patient's name. */
struct person_name {
    struct view family, given;
};
struct person_name person_name_read(struct message *message, struct view repetition);

/* PL (2.A.53): a place in a hospital. */
struct place {
    struct view ward, room, bed, site;
};
struct place place_read(struct message *message, struct view repetition);

/* XCN (2.A.86): a doctor. name: "Dr Jane Smith". */
struct doctor {
    struct view code, name;
};
/* False: neither a code nor a name. Deleted: code and name are said to be empty. */
bool doctor_read(struct message *message, struct view repetition, struct doctor *ret);

/* 3 to LIMIT_ODS_CHARACTERS letters and digits. */
bool text_is_ods_code(struct view text);
/* A GP practice's: a letter and five digits. */
bool text_is_practice_code(struct view text);
