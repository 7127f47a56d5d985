/* What happened, told as what the caller should do next: the one error convention of the project. */
#pragma once

enum [[nodiscard]] result{
    OK,        /* done */
    NOTHING,   /* nothing there: no record yet, no such key */
    AGAIN,     /* not done; safe to try again */
    UNCERTAIN, /* perhaps done; try again with the same event id */
    REJECTED,  /* this input can never succeed; set it aside with the reason */
    FATAL,     /* this process cannot go on; stop and restart */
};

/* The reason for people, owned by the caller. Never quotes a patient's data. */
struct error {
    char text[256];
};

/* Writes the reason (printf style, cut to fit) into err, which may be NULL, and returns code: `return error_set(...)`.
 */
[[gnu::format(printf, 3, 4)]] enum result error_set(struct error *err, enum result code, const char *format, ...);

const char *result_name(enum result code);
