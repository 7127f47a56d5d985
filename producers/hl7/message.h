/*
 * An HL7 v2 message as it stands in its bytes (HL7 v2.5, chapter 2): segments, fields, repetitions, components,
 * subcomponents are views into the message, not copied and not judged. What is taken out as text (message_text) is
 * decoded, in UTF-8, in an arena.
 */
#pragma once

#include "broker/base/memory.h"
#include "producers/hl7/character_set.h"
#include "producers/hl7/refusal.h"

/* Segments that we look into; all others are normal and passed over. */
enum segment { SEGMENT_MSH, SEGMENT_EVN, SEGMENT_PID, SEGMENT_PD1, SEGMENT_PV1, SEGMENT_COUNT };

struct delimiters {
    char field, component, repetition, escape, subcomponent;
};

/* The delimiters that nearly everybody uses, and that we answer with when the sender's cannot be used. */
extern const struct delimiters usual_delimiters;

struct message {
    struct view bytes; /* as they came; the caller keeps them */
    struct arena *arena;
    struct delimiters delimiters;
    struct character_set character_set;  /* MSH-18 */
    struct view segments[SEGMENT_COUNT]; /* the first of each, without its end; NULL data: not there */
    size_t counts[SEGMENT_COUNT];        /* how often each stands there */
    size_t undecodable; /* characters so far that became U+FFFD, or were guessed in a set that we do not know */
};

/* Reads the message's outline. REJECTED: it is none, or its delimiters cannot be used; ret then holds what could be
 * read of MSH (for the answer), or none. bytes and arena must outlive ret. */
enum result message_parse(struct view bytes, struct arena *arena, struct message *ret, struct refusal *ret_refusal);

/* Field n (from 1) as it stands, with its repetitions. NULL data: not there. MSH-1 and MSH-2 count as the standard
 * counts them. */
struct view message_field(const struct message *message, enum segment segment, unsigned n);
/* Parts of a field; n from 1. Past the last one: NULL data. */
struct view field_repetition(const struct message *message, struct view field, unsigned n);
struct view repetition_component(const struct message *message, struct view repetition, unsigned n);
struct view component_subcomponent(const struct message *message, struct view component, unsigned n);

/* `""`: the sender says that there is none. */
bool part_is_deleted(struct view part);
/* A leaf as text: escapes and character set decoded, spaces around it dropped, at most LIMIT_TEXT_CHARACTERS. NULL
 * data: not said (empty or not there). Not NULL and size 0: deleted. Lives in the arena. */
struct view message_text(struct message *message, struct view leaf);
/* The first subcomponent of component n of the field's first repetition, as text. */
struct view message_value(struct message *message, enum segment segment, unsigned field, unsigned component);
/* The same of a repetition in hand. */
struct view repetition_value(struct message *message, struct view repetition, unsigned component);
