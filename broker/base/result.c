/* Reasons for people, in a fixed place the caller owns. */
#include "broker/base/result.h"

#include <stdarg.h>
#include <stdio.h>

enum result error_set(struct error *err, enum result code, const char *format, ...)
{
    if (err != NULL) {
        va_list arguments;
        va_start(arguments, format);
        (void)vsnprintf(err->text, sizeof err->text, format, arguments);
        va_end(arguments);
    }
    return code;
}

const char *result_name(enum result code)
{
    switch (code) {
    case OK:
        return "ok";
    case NOTHING:
        return "nothing";
    case AGAIN:
        return "again";
    case UNCERTAIN:
        return "uncertain";
    case REJECTED:
        return "rejected";
    case FATAL:
        return "fatal";
    }
    return "unknown";
}
