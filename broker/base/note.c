/* One line a note, written whole so that threads do not mix. */
#include "broker/base/note.h"

#include "broker/base/time.h"

#include <stdarg.h>
#include <stdio.h>
#include <unistd.h>

void note(enum note_level level, const char *what, const char *format, ...)
{
    static const char *const names[] = {"info", "warning", "error"};
    char when[TIME_TEXT_SIZE], line[1024];
    (void)time_to_rfc3339(time_now_ms(), when);
    int size = snprintf(line, sizeof line, "time=%s level=%s what=%s ", when, names[level], what);
    va_list arguments;
    va_start(arguments, format);
    int more = vsnprintf(line + size, sizeof line - (size_t)size - 1, format, arguments);
    va_end(arguments);
    size = more < 0 ? size : size + more;
    if ((size_t)size > sizeof line - 2)
        size = sizeof line - 2;
    for (int i = 0; i < size; i++)
        if ((unsigned char)line[i] < 0x20)
            line[i] = ' ';
    line[size++] = '\n';
    (void)!write(STDERR_FILENO, line, (size_t)size);
}
