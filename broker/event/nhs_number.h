/* NHS numbers: ten digits, the last a modulus 11 check digit (NHS Data Dictionary, "NHS Number"). */
#pragma once

#include "broker/base/view.h"

enum nhs_number_kind { NHS_NUMBER_NONE, NHS_NUMBER_UNTRUSTED, NHS_NUMBER_TRUSTED };

/* Reads text with or without spaces into ret (ten digits and a NUL). NONE: empty, or only quotes.
 * UNTRUSTED: not ten digits, or the check fails; ret is then empty. */
enum nhs_number_kind nhs_number_read(struct view text, char ret[11]);
