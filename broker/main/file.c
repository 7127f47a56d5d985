/* A whole file, or stdin, in memory. */
#include "broker/main/file.h"

#include <errno.h>
#include <stdio.h>

enum { READ_BYTES = 64 * 1024 };

enum result file_read(const char *path, size_t limit, struct buffer *ret, struct error *err)
{
    char bytes[READ_BYTES];
    enum result result = OK;
    bool is_stdin = strcmp(path, "-") == 0;
    FILE *file = is_stdin ? stdin : fopen(path, "re");
    if (file == NULL)
        return error_set(err, REJECTED, "%.150s cannot be read (%s)", path, strerror(errno));
    size_t size;
    while (result == OK && (size = fread(bytes, 1, sizeof bytes, file)) > 0) {
        if (ret->size + size > limit)
            result = error_set(err, REJECTED, "%.150s is larger than %zu bytes", path, limit);
        else
            buffer_add(ret, bytes, size);
    }
    if (result == OK && ferror(file))
        result = error_set(err, REJECTED, "%.150s cannot be read (%s)", path, strerror(errno));
    if (!is_stdin)
        (void)fclose(file);
    return result;
}

enum result file_read_line(const char *path, size_t limit, struct buffer *ret, struct error *err)
{
    enum result result = file_read(path, limit, ret, err);
    if (result != OK)
        return result;
    const char *end = ret->size == 0 ? NULL : memchr(ret->data, '\n', ret->size);
    if (end != NULL)
        ret->size = (size_t)(end - (const char *)ret->data);
    while (ret->size > 0 && (ret->data[ret->size - 1] == '\r' || ret->data[ret->size - 1] == ' '))
        ret->size--;
    return ret->size > 0 ? OK : error_set(err, REJECTED, "%.150s is empty", path);
}
